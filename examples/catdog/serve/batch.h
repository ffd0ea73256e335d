/* Photographs that are classified together. */
#ifndef CATDOG_SERVE_BATCH_H
#define CATDOG_SERVE_BATCH_H

#include <stddef.h>

#include <cnn/cnn.h>

#include "serve/photographs.h"

typedef struct batch {
    const cnn_classifier *classifier;
    size_t capacity;
    photograph **photographs; /* room for `capacity`, to be filled by the caller */

    /* The classifier's inputs and outputs, one of each for a photograph. */
    const void **bytes;
    size_t *sizes;
    cnn_prediction *predictions;
} batch;

/* Not 0 if memory is short; batch_release is to be called even so. */
int batch_init(batch *b, const cnn_classifier *classifier, size_t capacity);
void batch_release(batch *b);

/* Classifies the first `count` photographs, which it may reorder; refuses those that can't be classified. */
void batch_classify(batch *b, size_t count);

#endif
