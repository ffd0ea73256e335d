#include "kernels/kernels.h"

#include "kernels/conv/epilogue.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise/depthwise_gemm.h"
#include "kernels/depthwise/depthwise_weights.h"
#include "kernels/elementwise/convert_bf16.h"
#include "kernels/elementwise/dropout.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/matrix.h"
#include "kernels/int8/int8_depthwise.h"
#include "kernels/int8/int8_gemm.h"
#include "kernels/int8/int8_values.h"
#include "kernels/int8/int8_winograd.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/softmax.h"
#include "kernels/pool/pool.h"
#include "kernels/winograd/winograd_transforms.h"
#include "simd/dispatch.h"

/* clang-format off */
#define DECLARE(family, set) extern const cnn_##family##_kernels cnn_##family##_kernels_##set;
#define ENTRY(family, set) .family = &cnn_##family##_kernels_##set,

/* A table: its name, and whose loops it takes: those of every set, those that gain nothing from dot products, those of
 * bytes for depthwise convolutions and for all others, and where there are dot products of bfloat16, these. */
#define TABLE(name, every, without_dot, depthwise, int8, dot) \
    CNN_KERNELS_OF_EVERY_SET(DECLARE, every)                  \
    CNN_KERNELS_WITHOUT_DOT(DECLARE, without_dot)             \
    DECLARE(int8_depthwise, depthwise)                        \
    DECLARE(int8_gemm, int8)                                  \
    static const cnn_kernels name = {                         \
        CNN_KERNELS_OF_EVERY_SET(ENTRY, every)                \
        CNN_KERNELS_WITHOUT_DOT(ENTRY, without_dot)           \
        ENTRY(int8_depthwise, depthwise)                      \
        ENTRY(int8_gemm, int8)                                \
        dot                                                   \
    }

TABLE(generic, generic, generic, generic, generic, );
#if defined(__x86_64__)
TABLE(avx2, avx2, avx2, avx2, avx2, );
TABLE(avx2_vnni, avx2, avx2, avx2_vnni, avx2_vnni, );
TABLE(avx512, avx512, avx512, avx512, avx512, );
TABLE(avx512_vnni, avx512, avx512, avx512_vnni, avx512_vnni, );
DECLARE(bf16_dot, avx512_bf16)
TABLE(avx512_bf16, avx512_bf16, avx512, avx512_vnni, avx512_vnni, ENTRY(bf16_dot, avx512_bf16));
#elif defined(__aarch64__)
TABLE(neon, neon, neon, neon, neon, );
TABLE(neon_dot, neon, neon, neon, neon_dot, );
TABLE(neon_i8mm, neon, neon, neon, neon_i8mm, );
DECLARE(bf16_dot, neon_bf16)
TABLE(neon_bf16, neon_bf16, neon, neon, neon_i8mm, ENTRY(bf16_dot, neon_bf16));
#endif
/* clang-format on */

const cnn_kernels *cnn_kernels_get(cnn_context *context)
{
    switch (cnn_tier_of(context)) {
#if defined(__x86_64__)
    case CNN_TIER_AVX2: return &avx2;
    case CNN_TIER_AVX2_VNNI: return &avx2_vnni;
    case CNN_TIER_AVX512: return &avx512;
    case CNN_TIER_AVX512_VNNI: return &avx512_vnni;
    case CNN_TIER_AVX512_BF16: return &avx512_bf16;
#elif defined(__aarch64__)
    case CNN_TIER_NEON: return &neon;
    case CNN_TIER_NEON_DOT: return &neon_dot;
    case CNN_TIER_NEON_I8MM: return &neon_i8mm;
    case CNN_TIER_NEON_BF16: return &neon_bf16;
#endif
    default: return &generic;
    }
}
