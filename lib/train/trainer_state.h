/* The state of a training under way, which the training loop, its steps and its validation share. */
#ifndef CNN_TRAIN_TRAINER_STATE_H
#define CNN_TRAIN_TRAINER_STATE_H

#include <stdbool.h>

#include "optim/ema.h"
#include "optim/optimizer_internal.h"
#include "optim/snapshot.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"
#include "train/history.h"
#include "train/plateau.h"
#include "train/train_settings.h"

typedef struct cnn_trainer {
    cnn_context *context;
    cnn_model *model;
    const cnn_train_settings *settings;
    cnn_batches batches;
    cnn_loader *loader;
    cnn_evaluation validation;
    cnn_optimizer *optimizer;
    cnn_ema *ema;       /* NULL: weights aren't averaged */
    cnn_snapshot *best; /* the weights to end with; at first, those at the start */
    cnn_history *history;
    cnn_plateau plateau;
    cnn_checkpoint *checkpoint; /* NULL: none */
    cnn_tensor *targets, *gradient;

    /* The epoch under way. */
    cnn_progress progress;
    double loss, correct; /* sums over its images */
    double started;
    bool partial; /* weights have changed since the last whole epoch */
    bool stopped; /* by a callback */
} cnn_trainer;

/* One step: a batch forward, its loss, backward, and the change of the weights. */
cnn_status cnn_train_step(cnn_trainer *t, const cnn_batch *batch);

/* Makes what validation needs. */
cnn_status cnn_trainer_prepare_validation(cnn_trainer *t);

/* Validates the epoch, with the averages in place of the weights, and captures these if they are the best so far. */
cnn_status cnn_trainer_validate(cnn_trainer *t, cnn_epoch *epoch);

/* Ends a sentence on values that aren't finite with what helps. */
cnn_status cnn_trainer_suggest_lower_rate(const cnn_trainer *t);

/* Fails if a weight of the model, or running statistics, aren't finite: a loss need not show it. */
cnn_status cnn_trainer_check_weights(const cnn_trainer *t);

/* Whether the epoch, which the history doesn't have yet, is better than all in it. */
bool cnn_trainer_is_best(const cnn_trainer *t, const cnn_epoch *epoch);

/* Keeps the weights that the model has now, or their averages where there are some, as the best. */
void cnn_trainer_capture_best(cnn_trainer *t);

/* Leaves the model with the weights that it is to have. `status` is what the training ended with, and is returned,
 * unless it is CNN_OK and what was to be kept isn't finite. */
cnn_status cnn_trainer_restore_best(cnn_trainer *t, cnn_status status);

#endif
