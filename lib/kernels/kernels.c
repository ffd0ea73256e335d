#include "kernels/kernels.h"

#include "core/context_internal.h"
#include "kernels/conv/epilogue.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/elementwise/convert_bf16.h"
#include "kernels/elementwise/dropout.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/gemm/gemm.h"
#include "kernels/int8/int8_gemm.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/softmax.h"
#include "kernels/pool/pool.h"
#include "kernels/winograd/winograd.h"

#define DECLARE(isa)                                                    \
    extern const cnn_row_kernels cnn_row_kernels_##isa;                 \
    extern const cnn_elementwise_kernels cnn_elementwise_kernels_##isa; \
    extern const cnn_channel_kernels cnn_channel_kernels_##isa;         \
    extern const cnn_dropout_kernels cnn_dropout_kernels_##isa;         \
    extern const cnn_pool_kernels cnn_pool_kernels_##isa;               \
    extern const cnn_winograd_kernels cnn_winograd_kernels_##isa;       \
    extern const cnn_bf16_kernels cnn_bf16_kernels_##isa
/* Families that gain nothing from BF16 are shared with plain AVX-512. int8 in AVX-512 is of processors with VNNI, with
 * or without BF16; where VNNI is missing it would hardly be faster than in AVX2. */
#define DECLARE_SHARED(isa)                                     \
    extern const cnn_product_kernels cnn_product_kernels_##isa; \
    extern const cnn_softmax_kernels cnn_softmax_kernels_##isa; \
    extern const cnn_depthwise_kernels cnn_depthwise_kernels_##isa
#define TABLE(isa, shared)                                                                                         \
    .row = &cnn_row_kernels_##isa, .elementwise = &cnn_elementwise_kernels_##isa,                                  \
    .channel = &cnn_channel_kernels_##isa, .dropout = &cnn_dropout_kernels_##isa, .pool = &cnn_pool_kernels_##isa, \
    .winograd = &cnn_winograd_kernels_##isa, .bf16 = &cnn_bf16_kernels_##isa,                                      \
    .product = &cnn_product_kernels_##shared, .softmax = &cnn_softmax_kernels_##shared,                            \
    .depthwise = &cnn_depthwise_kernels_##shared

DECLARE(generic);
DECLARE_SHARED(generic);
extern const cnn_int8_kernels cnn_int8_kernels_generic;
static const cnn_kernels generic = { TABLE(generic, generic), .int8 = &cnn_int8_kernels_generic };
#if defined(__x86_64__)
DECLARE(avx2);
DECLARE_SHARED(avx2);
DECLARE(avx512);
DECLARE_SHARED(avx512);
DECLARE(avx512_bf16);
extern const cnn_int8_kernels cnn_int8_kernels_avx2, cnn_int8_kernels_avx512_vnni;
extern const cnn_pair_kernels cnn_pair_kernels_avx512_bf16;
static const cnn_kernels avx2 = { TABLE(avx2, avx2), .int8 = &cnn_int8_kernels_avx2 };
static const cnn_kernels avx512 = { TABLE(avx512, avx512), .int8 = &cnn_int8_kernels_avx2 };
static const cnn_kernels avx512_vnni = { TABLE(avx512, avx512), .int8 = &cnn_int8_kernels_avx512_vnni };
static const cnn_kernels avx512_bf16 = { TABLE(avx512_bf16, avx512), .int8 = &cnn_int8_kernels_avx512_vnni,
                                         .pair = &cnn_pair_kernels_avx512_bf16 };
#elif defined(__aarch64__)
DECLARE(neon);
DECLARE_SHARED(neon);
extern const cnn_int8_kernels cnn_int8_kernels_neon;
static const cnn_kernels neon = { TABLE(neon, neon), .int8 = &cnn_int8_kernels_neon };
#endif

const cnn_kernels *cnn_kernels_get(cnn_context *context)
{
    context = cnn_context_or_default(context);
    switch (context ? context->instruction_set : CNN_ISA_GENERIC) {
#if defined(__x86_64__)
    case CNN_ISA_AVX2: return &avx2;
    case CNN_ISA_AVX512: return context->vnni ? &avx512_vnni : &avx512;
    case CNN_ISA_AVX512_BF16: return &avx512_bf16;
#elif defined(__aarch64__)
    case CNN_ISA_NEON: return &neon;
#endif
    default: return &generic;
    }
}
