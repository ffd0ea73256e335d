/* Transfer learning: the options of `catdog train --from`, and what they do. */
#ifndef CATDOG_TRAINING_TRANSFER_H
#define CATDOG_TRAINING_TRANSFER_H

#include <stdint.h>

#include <cnn/cnn.h>

#include "cli/arguments.h"

typedef struct transfer_arguments {
    const char *from;   /* a model file; NULL: no transfer learning */
    const char *freeze; /* a layer's name, "all" or "none"; NULL: none */
    int head;           /* index in transfer_heads */
    uint64_t unfreeze_at;
    double body_rate;
} transfer_arguments;

enum { TRANSFER_FINE_TUNE, TRANSFER_LINEAR };
extern const char *const transfer_heads[], *const transfer_starts[]; /* NULL past the last */

/* clang-format off */
/* Entries of a command's table of options, for `t`, a transfer_arguments. */
#define TRANSFER_OPTIONS(t) \
    { "from", "FILE", "model to start from; shipped is the one that comes with catdog", OPTION_TEXT, &(t).from, \
      .choices = transfer_starts }, \
    { "head", "KIND", "with --from, train all layers or the last one alone", OPTION_CHOICE, &(t).head, \
      .choices = transfer_heads, .initial = "fine-tune" }, \
    { "freeze", "LAYER|all|none", "with --from, keep the layers up to this one as they are", OPTION_TEXT, &(t).freeze, \
      .initial = "none" }, \
    { "unfreeze-at", "EPOCH", "with --from, first epoch in which more than the last layer is trained", OPTION_WHOLE, \
      &(t).unfreeze_at, 1, 100000, .initial = "11" }, \
    { "body-rate", "X", "with --from, learning rate of the other layers relative to the last", OPTION_NUMBER, \
      &(t).body_rate, 0, 1, .initial = "0.1" }
/* clang-format on */

/* Makes a classifier of the pretrained model with a new head, for images of that size (0: the model's own). Prints the
 * sentence of an error. */
cnn_status transfer_create(cnn_context *context, const transfer_arguments *transfer, uint64_t size,
                           const cnn_classifier_options *options, cnn_classifier **classifier);

/* A training in two parts: of the head alone on features; then, unless the rest stays frozen, of the whole net. */
typedef struct transfer_training {
    const transfer_arguments *arguments;
    cnn_classifier *classifier;
    const cnn_dataset *training, *validation;
    const cnn_train_options *options; /* its epochs are those of both parts */
    uint32_t epochs_after;            /* those of the parts after the one under way */
    cnn_history *history;             /* of all parts. The caller owns it */
} transfer_training;

cnn_status transfer_fit(transfer_training *t);

#endif
