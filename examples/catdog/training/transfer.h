/* Transfer learning: the options of `catdog train --from`, and what they do. */
#ifndef CATDOG_TRAINING_TRANSFER_H
#define CATDOG_TRAINING_TRANSFER_H

#include <stdint.h>

#include <cnn/cnn.h>

#include "cli/arguments.h"

typedef struct transfer_arguments {
    const char *from;   /* a model file; NULL: no transfer */
    const char *freeze; /* a layer's name, "all" or "none"; NULL: none */
    int head;           /* of head_names */
    uint64_t unfreeze_at;
    double body_rate;
} transfer_arguments;

enum { TRANSFER_FINE_TUNE, TRANSFER_LINEAR };
extern const char *const transfer_heads[], *const transfer_starts[]; /* NULL past the last */

/* Entries of a command's table of options, for `transfer`, a transfer_arguments. */
#define TRANSFER_OPTIONS(transfer)                                                                                \
    { "from",      "FILE",           "begin with what this model has learned; shipped: the one of catdog",        \
      OPTION_TEXT, &(transfer).from, .choices = transfer_starts },                                                \
        { "head",        "KIND",           "with --from, linear: train a new last layer alone",                   \
          OPTION_CHOICE, &(transfer).head, .choices = transfer_heads },                                           \
        { "freeze", "LAYER|all|none", "with --from: layers up to this one stay as they are (none)", OPTION_TEXT,  \
          &(transfer).freeze },                                                                                   \
        { "unfreeze-at",                                                                                          \
          "EPOCH",                                                                                                \
          "with --from: in the epochs before, only the last layer learns (11)",                                   \
          OPTION_WHOLE,                                                                                           \
          &(transfer).unfreeze_at,                                                                                \
          1,                                                                                                      \
          100000 },                                                                                               \
    {                                                                                                             \
        "body-rate", "X", "with --from: the other layers learn X times as fast as the last (0.1)", OPTION_NUMBER, \
            &(transfer).body_rate, 0, 1                                                                           \
    }

/* Makes a classifier of the pretrained model with a new head, for images of that size (0: the model's own). An error's
 * sentence is printed. */
cnn_status transfer_create(cnn_context *context, const transfer_arguments *transfer, uint64_t size,
                           const cnn_classifier_options *options, cnn_classifier **classifier);

/* A training in two parts: of the head alone on features, then, unless the rest is to stay frozen, of the net. */
typedef struct transfer_training {
    const transfer_arguments *arguments;
    cnn_classifier *classifier;
    const cnn_dataset *training, *validation;
    const cnn_train_options *options; /* its epochs are those of both parts */
    uint32_t epochs_before;           /* the part that is under way */
    cnn_history *history; /* of the part whose weights the classifier has: the better one. The caller owns it */
} transfer_training;

cnn_status transfer_fit(transfer_training *t);

#endif
