/* Which variant of the loops a context runs: the public instruction sets, and between them what only loops care about.
 * A new one gets a name here, and a table in kernels/kernels.c. */
#ifndef CNN_SIMD_DISPATCH_H
#define CNN_SIMD_DISPATCH_H

#include <cnn/context.h>

typedef enum cnn_simd {
    CNN_SIMD_GENERIC, /* plain C */
    CNN_SIMD_AVX2,
    CNN_SIMD_AVX512,
    CNN_SIMD_AVX512_VNNI, /* and dot products of bytes */
    CNN_SIMD_AVX512_BF16, /* and those of bfloat16; all processors that have these have VNNI */
    CNN_SIMD_NEON,
} cnn_simd;

/* `context` may be NULL: the default one. */
cnn_simd cnn_simd_of(cnn_context *context);

#endif
