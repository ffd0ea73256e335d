/* A thin layer over the vectors of each instruction set. Only sources that are compiled once per instruction set
 * include it; the build defines CNN_VECTOR_AVX2, _AVX512, _NEON or none of them, and CNN_ISA as the name.
 *
 * `partial` functions touch the first `count` lanes alone, 0 < count <= VF_WIDTH; loads put zeros into the others. */
#ifndef CNN_SIMD_VECTOR_H
#define CNN_SIMD_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cnn_tile -> cnn_tile_avx2 */
#define CNN_FOR_ISA(name) CNN_JOIN(name, CNN_ISA)
#define CNN_JOIN(a, b) CNN_JOIN_EXPANDED(a, b)
#define CNN_JOIN_EXPANDED(a, b) a##_##b

#if defined(CNN_VECTOR_AVX512)
#include "simd/vector_avx512.h"
#elif defined(CNN_VECTOR_AVX2)
#include "simd/vector_avx2.h"
#elif defined(CNN_VECTOR_NEON)
#include "simd/vector_neon.h"
#else
#include "simd/vector_generic.h"
#endif

/* A loop over i below `count`, a constant, without the loop: what it indexes can be registers. */
#if defined(__clang__)
#define UNROLLED(i, count) _Pragma("clang loop unroll(full)") for (int i = 0; i < (count); i++)
#else
#define UNROLLED(i, count) _Pragma("GCC unroll 32") for (int i = 0; i < (count); i++)
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Values `at`, ... of an array of floats or, if `bf16`, of bfloat16; up to VF_WIDTH lanes of them. `bf16` is a
 * constant to callers that want speed. */
ALWAYS_INLINE vf vf_load_values(bool bf16, const void *from, ptrdiff_t at, size_t lanes)
{
    if (bf16) {
        const uint16_t *values = (const uint16_t *)from + at;
        return lanes < VF_WIDTH ? vf_load_bf16_partial(values, lanes) : vf_load_bf16(values);
    }
    const float *values = (const float *)from + at;
    return lanes < VF_WIDTH ? vf_load_partial(values, lanes) : vf_load(values);
}

ALWAYS_INLINE void vf_store_values(bool bf16, void *to, ptrdiff_t at, vf a, size_t lanes)
{
    if (bf16) {
        uint16_t *values = (uint16_t *)to + at;
        if (lanes < VF_WIDTH)
            vf_store_bf16_partial(values, a, lanes);
        else
            vf_store_bf16(values, a);
        return;
    }
    float *values = (float *)to + at;
    if (lanes < VF_WIDTH)
        vf_store_partial(values, a, lanes);
    else
        vf_store(values, a);
}

ALWAYS_INLINE vf vf_load_lanes(const float *from, size_t lanes)
{
    return lanes < VF_WIDTH ? vf_load_partial(from, lanes) : vf_load(from);
}

ALWAYS_INLINE void vf_store_lanes(float *to, vf a, size_t lanes)
{
    if (lanes < VF_WIDTH)
        vf_store_partial(to, a, lanes);
    else
        vf_store(to, a);
}

/* How many of `count` values a vector takes. */
ALWAYS_INLINE size_t vf_lanes_left(int64_t count)
{
    return count < VF_WIDTH ? (size_t)count : VF_WIDTH;
}

/* Clamps; the arguments are in the order in which NaN passes. */
ALWAYS_INLINE vf vf_clamp(vf min, vf max, vf a)
{
    return vf_min(max, vf_max(min, a));
}

/* The sum of all lanes, in one order for each instruction set. */
static inline float vf_sum(vf a)
{
    float lanes[VF_WIDTH], sum = 0;
    vf_store(lanes, a);
    for (int i = 0; i < VF_WIDTH; i++)
        sum += lanes[i];
    return sum;
}

#endif
