/* The struct behind cnn_history. */
#ifndef CNN_TRAIN_HISTORY_H
#define CNN_TRAIN_HISTORY_H

#include <cnn/trainer.h>

struct cnn_history {
    cnn_context *context;
    cnn_epoch *epochs;
    size_t capacity;
    uint32_t count;
    uint32_t best;    /* index */
    uint32_t earlier; /* how many of them, the first, are of the training before this one */
};

cnn_status cnn_history_create(cnn_context *context, cnn_history **history);
/* Makes a history begin with the epochs of the training before. */
cnn_status cnn_history_begin(cnn_history *history, const cnn_history *earlier);

cnn_status cnn_history_append(cnn_history *history, const cnn_epoch *epoch);

/* Writes all epochs as CSV; a number that is NaN is an empty field. */
cnn_status cnn_history_write(const cnn_history *history, const char *path);

#endif
