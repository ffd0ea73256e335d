/* Four floats at a time: an RGB pixel and one more, which is ignored. */
#ifndef CNN_IMAGE_VECTOR_H
#define CNN_IMAGE_VECTOR_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

typedef float cnn_float4 __attribute__((vector_size(16)));

static inline cnn_float4 cnn_load_floats(const float *values)
{
    cnn_float4 result;
    memcpy(&result, values, sizeof result);
    return result;
}

static inline void cnn_store_floats(float *target, cnn_float4 values)
{
    memcpy(target, &values, sizeof values);
}

/* Four bytes as floats; compilers don't find the short way by themselves. */
static inline cnn_float4 cnn_load_bytes(const uint8_t *bytes)
{
#if defined(__SSE2__)
    int32_t word;
    memcpy(&word, bytes, sizeof word);
    __m128i zero = _mm_setzero_si128();
    __m128i halves = _mm_unpacklo_epi8(_mm_cvtsi32_si128(word), zero);
    return (cnn_float4)_mm_cvtepi32_ps(_mm_unpacklo_epi16(halves, zero));
#elif defined(__aarch64__)
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return (cnn_float4)vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(word)))));
#else
    return (cnn_float4){ bytes[0], bytes[1], bytes[2], bytes[3] };
#endif
}

#endif
