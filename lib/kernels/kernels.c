#include "kernels/kernels.h"

#include "kernels/conv/epilogue.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise/depthwise_gemm.h"
#include "kernels/elementwise/convert_bf16.h"
#include "kernels/elementwise/dropout.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/matrix.h"
#include "kernels/int8/int8_gemm.h"
#include "kernels/int8/int8_values.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/softmax.h"
#include "kernels/pool/pool.h"
#include "kernels/winograd/winograd_transforms.h"
#include "simd/dispatch.h"

/* clang-format off */
#define DECLARE(family, set) extern const cnn_##family##_kernels cnn_##family##_kernels_##set;
#define ENTRY(family, set) .family = &cnn_##family##_kernels_##set,

/* A table: its name, and by the groups of kernels.h the sets whose loops it takes. */
#define TABLE(name, every, without_bf16, bytes, dot)  \
    CNN_KERNELS_OF_EVERY_SET(DECLARE, every)          \
    CNN_KERNELS_WITHOUT_BF16(DECLARE, without_bf16)   \
    CNN_KERNELS_OF_BYTES(DECLARE, bytes)              \
    static const cnn_kernels name = {                 \
        CNN_KERNELS_OF_EVERY_SET(ENTRY, every)        \
        CNN_KERNELS_WITHOUT_BF16(ENTRY, without_bf16) \
        CNN_KERNELS_OF_BYTES(ENTRY, bytes)            \
        dot                                           \
    }

TABLE(generic, generic, generic, generic, );
#if defined(__x86_64__)
TABLE(avx2, avx2, avx2, avx2, );
TABLE(avx512, avx512, avx512, avx2, );
TABLE(avx512_vnni, avx512, avx512, avx512_vnni, );
DECLARE(bf16_dot, avx512_bf16)
TABLE(avx512_bf16, avx512_bf16, avx512, avx512_vnni, ENTRY(bf16_dot, avx512_bf16));
#elif defined(__aarch64__)
TABLE(neon, neon, neon, neon, );
#endif
/* clang-format on */

const cnn_kernels *cnn_kernels_get(cnn_context *context)
{
    switch (cnn_simd_of(context)) {
#if defined(__x86_64__)
    case CNN_SIMD_AVX2: return &avx2;
    case CNN_SIMD_AVX512: return &avx512;
    case CNN_SIMD_AVX512_VNNI: return &avx512_vnni;
    case CNN_SIMD_AVX512_BF16: return &avx512_bf16;
#elif defined(__aarch64__)
    case CNN_SIMD_NEON: return &neon;
#endif
    default: return &generic;
    }
}
