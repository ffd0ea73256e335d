/* bfloat16: the upper half of a float. Arithmetic is in floats; values are kept in it. */
#ifndef CNN_SIMD_BF16_H
#define CNN_SIMD_BF16_H

#include <stdint.h>
#include <string.h>

typedef uint16_t cnn_bf16;

static inline float cnn_bf16_widen(cnn_bf16 value)
{
    uint32_t bits = (uint32_t)value << 16;
    float wide;
    memcpy(&wide, &bits, sizeof wide);
    return wide;
}

/* To the nearest, of two equally near ones the even one. */
static inline cnn_bf16 cnn_bf16_round(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t nearest = (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16;
    uint32_t quiet = (bits >> 16) | 0x40; /* of a NaN, which must not be rounded to infinity */
    return (cnn_bf16)((bits & 0x7fffffffu) > 0x7f800000u ? quiet : nearest);
}

#endif
