/* The training loop: epochs of steps, validation, the best weights, checkpoints. */
#ifndef CNN_TRAIN_TRAINING_LOOP_H
#define CNN_TRAIN_TRAINING_LOOP_H

#include <jansson.h>

#include "train/batches.h"
#include "train/train_settings.h"

/* What is trained, on what, and how. */
typedef struct cnn_training_inputs {
    cnn_model *model;
    const cnn_train_settings *settings;
    cnn_batches batches, validation; /* `validation` has a source if the settings say that it validates */
    cnn_loader *loader;              /* of the training photographs, where images grow; else it may be NULL */
    json_t *fingerprint;             /* for the checkpoint, which the loop takes over; NULL: there is none */
} cnn_training_inputs;

/* Trains until the epochs are over, the validation loss no longer falls, or a callback ends it. `history` may be NULL;
 * else the caller owns it, after an error too. */
cnn_status cnn_training_loop(const cnn_training_inputs *inputs, cnn_history **history);

#endif
