/* A net's layers, and how long each takes. */
#ifndef CATDOG_REPORT_LAYERS_H
#define CATDOG_REPORT_LAYERS_H

#include <cnn/cnn.h>

#include "report/bars.h"

typedef struct layer {
    const char *name, *type; /* they belong to the model */
    char shape[48];
    uint64_t parameters;
    double milliseconds; /* for one photograph; 0: computed together with an earlier layer, or no time */
} layer;

enum { SLOWEST = 12 };

typedef struct layers {
    layer *list;
    size_t count;
    double milliseconds;
    bar slowest[SLOWEST];
    bars bars; /* those */
} layers;

/* Not 0 with a sentence printed. */
int layers_measure(cnn_context *context, const cnn_model *model, layers *l);
void layers_release(layers *l);

#endif
