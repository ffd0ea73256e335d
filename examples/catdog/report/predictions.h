/* A model's prediction for each photograph of a dataset whose classes are known. */
#ifndef CATDOG_REPORT_PREDICTIONS_H
#define CATDOG_REPORT_PREDICTIONS_H

#include <stddef.h>

#include <cnn/cnn.h>

#include "cli/progress.h"

enum { CLASS_NAME = 256 };

typedef struct prediction {
    uint64_t image; /* its index in the dataset */
    uint32_t label, predicted;
    double confidence; /* in the predicted class */
} prediction;

typedef struct predictions {
    prediction *list;
    float *probabilities; /* `classes` for each */
    size_t count;
    uint32_t classes;
    char (*names)[CLASS_NAME]; /* of the classes, in sound UTF-8, truncated if they are very long */
    cnn_metrics *metrics;
    cnn_metrics_result result;
} predictions;

/* Predicts the class of every photograph of a dataset. Not 0 with a sentence printed. */
int predictions_collect(cnn_classifier *classifier, const cnn_dataset *dataset, progress_line *progress,
                        predictions *all);
void predictions_release(predictions *all);

#endif
