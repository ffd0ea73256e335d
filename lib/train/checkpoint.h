/* A checkpoint: all that a training needs to go on as if it had never stopped. It is a safetensors file. The arrays are
 * listed once; the list serves for writing and for reading. */
#ifndef CNN_TRAIN_CHECKPOINT_H
#define CNN_TRAIN_CHECKPOINT_H

#include <stddef.h>

#include <jansson.h>

#include "optim/ema.h"
#include "optim/optimizer_internal.h"
#include "optim/snapshot.h"
#include "train/history.h"

typedef struct cnn_checkpoint_array {
    char *name;
    const cnn_tensor *like; /* the parameter that it belongs to, for its shape */
    float *data;
} cnn_checkpoint_array;

typedef struct cnn_checkpoint {
    cnn_context *context;
    const char *path;
    json_t *fingerprint; /* owned */
    cnn_checkpoint_array *arrays;
    size_t count, capacity;
} cnn_checkpoint;

/* Whose arrays it holds. */
typedef struct cnn_checkpoint_contents {
    cnn_model *model;
    const cnn_optimizer *optimizer;
    const cnn_ema *ema;       /* NULL: weights aren't averaged */
    const cnn_snapshot *best; /* NULL: the model's own are the best */
} cnn_checkpoint_contents;

/* Lists the arrays. Takes the fingerprint over, also on failure. */
cnn_status cnn_checkpoint_create(const char *path, json_t *fingerprint, const cnn_checkpoint_contents *contents,
                                 cnn_checkpoint **checkpoint);
void cnn_checkpoint_destroy(cnn_checkpoint *checkpoint);

cnn_status cnn_checkpoint_write(const cnn_checkpoint *checkpoint, const cnn_history *history);

/* Fills the listed arrays and appends the epochs to `history`. Nothing is changed on failure. */
cnn_status cnn_checkpoint_read(const cnn_checkpoint *checkpoint, cnn_history *history);

#endif
