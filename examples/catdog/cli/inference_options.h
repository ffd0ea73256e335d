/* How a trained model predicts, where that differs from what its file says: shared by the commands that use one. */
#ifndef CATDOG_CLI_INFERENCE_OPTIONS_H
#define CATDOG_CLI_INFERENCE_OPTIONS_H

#include <stdint.h>

#include <cnn/cnn.h>

#include "cli/arguments.h"

typedef struct inference_options {
    int flip;
    uint64_t size;    /* 0: the model's own */
    double threshold; /* 0: the model's own */
} inference_options;

/* clang-format off */
/* Entries of a command's table of options, for `i`, an inference_options: THRESHOLD_OPTION where classes are predicted,
 * INFERENCE_OPTIONS wherever a model is run. */
#define THRESHOLD_OPTION(i) \
    { "threshold", "X", "probability from which the second of two classes is predicted", \
      OPTION_NUMBER, &(i).threshold, 1e-6, 0.999999, .initial = "0.5" }

#define INFERENCE_OPTIONS(i) \
    { "flip", NULL, "average the predictions for each photograph and its mirror image", OPTION_FLAG, &(i).flip }, \
    { "size", "N", "scale photographs to N x N pixels", \
      OPTION_WHOLE, &(i).size, 8, 4096, .initial = "the model's own size" }
/* clang-format on */

/* Loads a classifier and applies the options to it. Returns EXIT_DONE; or, with a sentence printed, EXIT_FAILED, or
 * EXIT_USAGE where the threshold would do nothing. */
int inference_load(const catdog_command *command, cnn_context *context, const char *path,
                   const inference_options *options, cnn_classifier **classifier);

#endif
