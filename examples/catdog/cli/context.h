/* The library's context, as all commands use it. */
#ifndef CATDOG_CLI_CONTEXT_H
#define CATDOG_CLI_CONTEXT_H

#include <stdint.h>

#include <cnn/cnn.h>

#include "cli/arguments.h"

typedef struct context_options {
    uint64_t threads;    /* 0: one for each processor */
    uint64_t memory_mb;  /* 0: no limit */
    uint64_t max_pixels; /* of a photograph; 0: the library's limit */
} context_options;

/* clang-format off */
/* Entries of a command's table of options, for `c`, a context_options: THREADS_OPTION where the number of threads
 * matters, MEMORY_OPTION where a model or photographs are opened, MAX_PIXELS_OPTION where photographs are. */
#define THREADS_OPTION(c) \
    { "threads", "N", "threads to use", OPTION_WHOLE, &(c).threads, 1, 256, .initial = "one for each processor" }

#define MEMORY_OPTION(c) \
    { "memory", "MB", "limit on the memory for weights, activations and photographs, in MB", \
      OPTION_WHOLE, &(c).memory_mb, 1, 1 << 24, .initial = "no limit" }

#define MAX_PIXELS_OPTION(c) \
    { "max-pixels", "N", "limit on the width times height of a photograph, in pixels", \
      OPTION_WHOLE, &(c).max_pixels, 1, UINT32_MAX, .initial = "200000000" }
/* clang-format on */

/* Makes a context whose warnings go to standard error, each once. Prints the sentence of an error. */
cnn_status context_create(const context_options *options, cnn_context **context);

#endif
