/* What a net gives for each photograph of a dataset, computed once and kept. */
#ifndef CNN_TRAIN_FEATURES_H
#define CNN_TRAIN_FEATURES_H

#include <stdbool.h>

#include <cnn/model.h>

#include "layers/shape.h"
#include "train/batches.h"

typedef struct cnn_features cnn_features;

typedef struct cnn_features_options {
    const cnn_preprocess *preprocess;
    uint32_t batch_size; /* of the batches given */
    uint32_t workers;    /* as in cnn_loader_options */
    bool shuffle;
    uint64_t seed;

    int (*progress)(uint64_t done, uint64_t total, void *user); /* or NULL; not 0 ends with CNN_ERROR_STOPPED */
    void *user;
} cnn_features_options;

/* `batch_shape` is what a batch's images are to be for the net that learns from them: one image's shape, rank 3. */
cnn_status cnn_features_compute(const cnn_model *model, const cnn_dataset *dataset, const cnn_shape *batch_shape,
                                const cnn_features_options *options, cnn_features **features);
void cnn_features_destroy(cnn_features *features);

/* Batches of them, in the order that a loader with the same options gives photographs in. */
cnn_batches cnn_features_batches(cnn_features *features);

#endif
