/* What a training or evaluation takes its batches from: a loader of photographs, or features computed before. */
#ifndef CNN_TRAIN_BATCHES_H
#define CNN_TRAIN_BATCHES_H

#include <cnn/dataset.h>

/* The functions are as those of a loader (cnn/dataset.h). */
typedef struct cnn_batches {
    void *source; /* NULL: there are none */
    cnn_status (*start)(void *source, uint32_t epoch);
    cnn_status (*next)(void *source, cnn_batch *batch);
    uint64_t count; /* in an epoch */
} cnn_batches;

cnn_batches cnn_batches_of_loader(cnn_loader *loader); /* which may be NULL */

#endif
