/* A copy of a model's weights, to go back to, or to exchange with those in the model. */
#ifndef CNN_OPTIM_SNAPSHOT_H
#define CNN_OPTIM_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/model.h>

typedef struct cnn_snapshot_array {
    int32_t parameter; /* its index in the model */
    size_t count;
    float *data;  /* the copy */
    float *value; /* the model's */
} cnn_snapshot_array;

typedef struct cnn_snapshot {
    cnn_context *context;
    cnn_model *model;
    cnn_snapshot_array *arrays;
    size_t count;
} cnn_snapshot;

/* Copies the weights that `model` has now, running statistics among them. The model must outlive the copy. */
cnn_status cnn_snapshot_create(cnn_model *model, cnn_snapshot **snapshot);
void cnn_snapshot_destroy(cnn_snapshot *snapshot);

void cnn_snapshot_capture(cnn_snapshot *snapshot); /* from the model */
void cnn_snapshot_apply(cnn_snapshot *snapshot);   /* to the model */
void cnn_snapshot_swap(cnn_snapshot *snapshot);    /* with the model */

#endif
