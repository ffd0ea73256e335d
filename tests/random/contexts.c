#include "contexts.h"

#include <stdio.h>
#include <stdlib.h>

#include "../unit/context_of_tier.h"

enum { SETS = CNN_TIER_COUNT + 1, THREADS = 300 };

static cnn_context *contexts[SETS][THREADS];

static cnn_context *make(cnn_tier tier, int32_t threads)
{
    cnn_context *context;
    cnn_status status = context_of_tier(tier, (uint32_t)threads, &context);
    if (status == CNN_ERROR_ARGUMENT && threads > CNN_MAX_THREADS)
        status = context_of_tier(tier, CNN_MAX_THREADS, &context);
    if (status) {
        fprintf(stderr, "random: %s\n", cnn_last_error());
        exit(2);
    }
    return context;
}

cnn_context *contexts_get(cnn_tier tier, int32_t threads)
{
    cnn_context **context = &contexts[tier][threads < 1 ? 1 : threads % THREADS];
    if (!*context)
        *context = make(tier, threads < 1 ? 1 : threads % THREADS);
    return *context;
}

cnn_context *contexts_plain(void)
{
    return contexts_get(CNN_TIER_GENERIC, 1);
}

void contexts_release(void)
{
    for (int set = 0; set < SETS; set++)
        for (int threads = 2; threads < THREADS; threads++) {
            cnn_context_destroy(contexts[set][threads]);
            contexts[set][threads] = NULL;
        }
}
