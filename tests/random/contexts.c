#include "contexts.h"

#include <stdio.h>
#include <stdlib.h>

enum { SETS = 8, THREADS = 300 };

static cnn_context *contexts[SETS][THREADS];

static cnn_context *make(cnn_instruction_set set, int32_t threads)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = (uint32_t)threads;
    options.instruction_set = set;
    cnn_context *context;
    cnn_status status = cnn_context_create(&options, &context);
    if (status == CNN_ERROR_ARGUMENT && threads > 256) {
        options.threads = 256;
        status = cnn_context_create(&options, &context);
    }
    if (status) {
        fprintf(stderr, "random: %s\n", cnn_last_error());
        exit(2);
    }
    return context;
}

cnn_context *contexts_get(cnn_instruction_set set, int32_t threads)
{
    cnn_context **context = &contexts[(unsigned)set % SETS][threads < 1 ? 1 : threads % THREADS];
    if (!*context)
        *context = make(set, threads < 1 ? 1 : threads % THREADS);
    return *context;
}

cnn_context *contexts_plain(void)
{
    return contexts_get(CNN_ISA_GENERIC, 1);
}

void contexts_release(void)
{
    for (int set = 0; set < SETS; set++)
        for (int threads = 2; threads < THREADS; threads++) {
            cnn_context_destroy(contexts[set][threads]);
            contexts[set][threads] = NULL;
        }
}
