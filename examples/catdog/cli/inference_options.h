/* How a trained model is used, where that differs from what its file says: shared by the commands that use one. */
#ifndef CATDOG_CLI_INFERENCE_OPTIONS_H
#define CATDOG_CLI_INFERENCE_OPTIONS_H

#include <stdint.h>

#include <cnn/cnn.h>

#include "cli/arguments.h"

typedef struct inference_options {
    int flip;
    uint64_t size; /* 0: the model's own */
} inference_options;

/* Entries of a command's table of options, for `use`, a inference_options. */
#define INFERENCE_OPTIONS(use)                                                                               \
    { "flip", NULL, "take the mean over each photograph and its mirror image", OPTION_FLAG, &(use).flip },   \
    {                                                                                                        \
        "size", "N", "scale photographs to N x N (the model's own size)", OPTION_WHOLE, &(use).size, 8, 4096 \
    }

/* Loads a classifier and has it used so. An error's sentence is printed. */
cnn_status inference_load(cnn_context *context, const char *path, const inference_options *use,
                          cnn_classifier **classifier);

#endif
