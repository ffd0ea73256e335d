/* Four values at a time: an RGB pixel and one more, which is ignored. */
#ifndef CNN_SIMD_PIXEL_H
#define CNN_SIMD_PIXEL_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>
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

/* Each value to 0 … 255. */
static inline cnn_float4 cnn_clamp_floats(cnn_float4 values)
{
#if defined(__x86_64__)
    return (cnn_float4)_mm_min_ps(_mm_max_ps((__m128)values, _mm_setzero_ps()), _mm_set1_ps(255));
#else
    for (int i = 0; i < 4; i++)
        values[i] = values[i] < 0 ? 0 : values[i] > 255 ? 255 : values[i];
    return values;
#endif
}

#endif
