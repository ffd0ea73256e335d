#include "simd/dispatch.h"

#include "core/context_internal.h"

cnn_tier cnn_tier_of(cnn_context *context)
{
    context = cnn_context_or_default(context);
    return context ? context->tier : CNN_TIER_GENERIC;
}
