#include "simd/dispatch.h"

#include "core/context_internal.h"

cnn_simd cnn_simd_of(cnn_context *context)
{
    context = cnn_context_or_default(context);
    switch (context ? context->instruction_set : CNN_ISA_GENERIC) {
    case CNN_ISA_AVX2: return CNN_SIMD_AVX2;
    case CNN_ISA_AVX512: return context->vnni ? CNN_SIMD_AVX512_VNNI : CNN_SIMD_AVX512;
    case CNN_ISA_AVX512_BF16: return CNN_SIMD_AVX512_BF16;
    case CNN_ISA_NEON: return CNN_SIMD_NEON;
    default: return CNN_SIMD_GENERIC;
    }
}
