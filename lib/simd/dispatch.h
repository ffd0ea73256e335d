/* Which variant of the loops a context runs. */
#ifndef CNN_SIMD_DISPATCH_H
#define CNN_SIMD_DISPATCH_H

#include "core/cpu.h"

/* `context` may be NULL: the default one. */
cnn_tier cnn_tier_of(cnn_context *context);

#endif
