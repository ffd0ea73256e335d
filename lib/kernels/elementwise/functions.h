/* The functions of activations, of one float, and their slopes, for loops that the compiler makes vectors of. NaN stays
 * NaN in each, and none overflows on its way to a finite result. */
#ifndef CNN_KERNELS_ELEMENTWISE_FUNCTIONS_H
#define CNN_KERNELS_ELEMENTWISE_FUNCTIONS_H

#include "simd/autovectorize.h"

static inline float clamp(float x, float min, float max)
{
    x = x < min ? min : x;
    return x > max ? max : x;
}

static inline float sigmoid(float x)
{
    return 1.0f / (1.0f + cnn_exp(-x));
}

/* After Cephes' tanhf: a polynomial near 0, where 1 - 2 / (e^2x + 1) would cancel. */
static inline float tanh_of(float x)
{
    float size = x < 0 ? -x : x, z = x * x;
    float p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    float near = p * z * x + x;
    float far = 1.0f - 2.0f / (cnn_exp(2.0f * size) + 1.0f);
    return size < 0.625f ? near : (x < 0 ? -far : far);
}

/* What x times a function that falls as e^x does is 0 behind, in floats: lower numbers, even -inf, would make too much
 * of the smallest e^x that cnn_exp gives. */
static inline float cut_below(float x)
{
    return x < -88.0f ? -88.0f : x;
}

static inline float silu(float x)
{
    return cut_below(x) * sigmoid(x);
}

/* 1 - sigmoid(x) is e^-x × sigmoid(x), which doesn't cancel. */
static inline float silu_slope(float x)
{
    float e = cnn_exp(-x), s = 1.0f / (1.0f + e);
    return s + clamp(x, -88.0f, 88.0f) * s * (e * s);
}

static inline float hard_swish(float x)
{
    x = x < -3.0f ? -3.0f : x;
    float gate = x + 3.0f;
    return x * ((gate > 6.0f ? 6.0f : gate) * (1.0f / 6.0f));
}

static inline float hard_swish_slope(float x)
{
    float slope = x < -3.0f ? 0.0f : x * (1.0f / 3.0f) + 0.5f;
    return x > 3.0f ? 1.0f : slope;
}

/* The normal distribution: its density, and its cumulative distribution (1 + erf(x / sqrt(2))) / 2, by approximation
 * 7.1.26 of erf in Abramowitz and Stegun 1964 (Hastings 1955), whose error is at most 1.5e-7. */
static inline float normal_distribution(float x, float *density)
{
    float size = x < 0 ? -x : x;
    float power = cnn_exp(-0.5f * x * x);
    float t = 1.0f / (1.0f + 0.3275911f * 0.707106781f * size);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    float tail = 0.5f * p * t * power; /* beyond |x| */
    *density = 0.398942280f * power;
    return x < 0 ? tail : 1.0f - tail;
}

static inline float gelu(float x)
{
    float density;
    return cut_below(x) * normal_distribution(x, &density);
}

static inline float gelu_slope(float x)
{
    float density, below = normal_distribution(x, &density);
    return below + clamp(x, -88.0f, 88.0f) * density;
}

/* tanh(u) / 2 + 1 / 2 = sigmoid(2u), where u is sqrt(2 / pi) × (x + 0.044715 x^3). Beyond 10 it is 0 or 1, and the cube
 * might overflow. */
static inline float gelu_tanh(float x)
{
    float near = clamp(x, -10.0f, 10.0f);
    return cut_below(x) * sigmoid(1.595769122f * near * (1.0f + 0.044715f * near * near));
}

static inline float gelu_tanh_slope(float x)
{
    float near = clamp(x, -10.0f, 10.0f), square = near * near;
    float e = cnn_exp(-1.595769122f * near * (1.0f + 0.044715f * square)), s = 1.0f / (1.0f + e);
    return s + near * s * (e * s) * 1.595769122f * (1.0f + 0.134145f * square);
}

/* ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|), the logarithm as the series 2 artanh(t / (2 + t)), in which t / (2 + t) is
 * 1/3 at most: Abramowitz and Stegun 1964, 4.1.27. */
static inline float softplus(float x)
{
    float size = x < 0 ? -x : x, t = cnn_exp(-size);
    float s = t / (2.0f + t), z = s * s;
    float p = 1.0f / 13.0f;
    p = p * z + 1.0f / 11.0f;
    p = p * z + 1.0f / 9.0f;
    p = p * z + 1.0f / 7.0f;
    p = p * z + 1.0f / 5.0f;
    p = p * z + 1.0f / 3.0f;
    p = p * z + 1.0f;
    return (x < 0 ? 0.0f : x) + 2.0f * s * p;
}

#endif
