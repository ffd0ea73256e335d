/* The filters of the first layer, as small images. */
#ifndef CATDOG_REPORT_FILTERS_H
#define CATDOG_REPORT_FILTERS_H

#include <cnn/cnn.h>

#include "report/figure.h"

typedef struct filters {
    const float *weights; /* height x width x 3 x count; they belong to the model */
    int height, width, count;
} filters;

/* Finds them. 0 if the model has none that can be seen: its first convolution isn't of colours, or is quantised. */
int filters_find(const cnn_model *model, filters *found);

figure filters_figure(const filters *f);

#endif
