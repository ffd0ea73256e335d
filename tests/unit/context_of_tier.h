/* Contexts for kernels of one tier: the public options know families of instruction sets alone. */
#ifndef CNN_TESTS_CONTEXT_OF_TIER_H
#define CNN_TESTS_CONTEXT_OF_TIER_H

#include "core/context_internal.h"

/* A context of that tier, or of the best before it that the processor has; CNN_TIER_COUNT: of the best of all. */
static inline cnn_status context_of_tier(cnn_tier tier, uint32_t threads, cnn_context **context)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = threads;
    cnn_status status = cnn_context_create(&options, context);
    if (!status && tier != CNN_TIER_COUNT)
        (*context)->tier = cnn_cpu_tier(tier);
    return status;
}

#endif
