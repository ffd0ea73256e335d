/* For sources in plain C that are compiled once per instruction set and vectorised by the compiler. */
#ifndef CNN_SIMD_AUTOVECTORIZE_H
#define CNN_SIMD_AUTOVECTORIZE_H

#include <stdint.h>
#include <string.h>

#include "simd/vector.h"

/* Before a loop whose turns don't touch each other's elements, though an output may lie exactly where an input does:
 * the compiler then doesn't test for that and fall back to scalars. */
#if defined(__clang__)
#define CNN_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define CNN_INDEPENDENT _Pragma("GCC ivdep")
#endif

/* With x = n ln 2 + r: `*power` is 2^n, and what is returned is e^r - 1. After Cephes' expf (S. Moshier); x is cut to
 * -87 ... 88. Without branches, so that loops over it vectorise. */
static inline float cnn_exp_parts(float x, float *power)
{
    const float round = 12582912.0f; /* 1.5 × 2^23: added, it leaves the nearest integer in the last bits */
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float shifted = x * 1.44269504f + round;
    float n = shifted - round;
    float r = x - n * 0.693359375f - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127u) << 23; /* 2^n; what lies above n is shifted out */
    memcpy(power, &bits, sizeof *power);
    return p * r * r + r;
}

/* e^x within 2 units in the last place. */
static inline float cnn_exp(float x)
{
    float power, part = cnn_exp_parts(x, &power);
    return (part + 1.0f) * power;
}

/* e^x - 1, which doesn't cancel near 0. */
static inline float cnn_expm1(float x)
{
    float power, part = cnn_exp_parts(x, &power);
    return part * power + (power - 1.0f);
}

#endif
