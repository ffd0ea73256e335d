/* The inner loops of resizing: weighted sums of rows, then of columns, in whole numbers. */
#ifndef CNN_IMAGE_FILTER_H
#define CNN_IMAGE_FILTER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/pixel.h"

/* Weights are out of 2^14; row sums keep 7 bits below the point and fit 16 bits; column sums keep 21. */
enum { CNN_WEIGHT_BITS = 14, CNN_ROW_SUM_BITS = 7, CNN_SUM_BITS = CNN_WEIGHT_BITS + CNN_ROW_SUM_BITS };

#if defined(__x86_64__)

static inline __m128i cnn_weight_pair(const int16_t *weights)
{
    int32_t pair;
    memcpy(&pair, weights, sizeof pair);
    return _mm_set1_epi32(pair);
}

static inline __m128i cnn_load_16_bytes(const uint8_t *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* Adds the weighted sums of 16 columns of two rows. */
static inline void cnn_add_row_pair(__m128i sums[4], __m128i upper, __m128i lower, __m128i weights)
{
    __m128i zero = _mm_setzero_si128();
    __m128i low = _mm_unpacklo_epi8(upper, lower), high = _mm_unpackhi_epi8(upper, lower);
    sums[0] = _mm_add_epi32(sums[0], _mm_madd_epi16(_mm_unpacklo_epi8(low, zero), weights));
    sums[1] = _mm_add_epi32(sums[1], _mm_madd_epi16(_mm_unpackhi_epi8(low, zero), weights));
    sums[2] = _mm_add_epi32(sums[2], _mm_madd_epi16(_mm_unpacklo_epi8(high, zero), weights));
    sums[3] = _mm_add_epi32(sums[3], _mm_madd_epi16(_mm_unpackhi_epi8(high, zero), weights));
}

static inline void cnn_sum_16_columns(int16_t *target, const uint8_t *source, size_t stride, const int16_t *weights,
                                      size_t count)
{
    const int shift = CNN_WEIGHT_BITS - CNN_ROW_SUM_BITS;
    __m128i half = _mm_set1_epi32(1 << (shift - 1));
    __m128i sums[4] = { half, half, half, half };
    size_t i = 0;
    for (; i + 2 <= count; i += 2, source += 2 * stride)
        cnn_add_row_pair(sums, cnn_load_16_bytes(source), cnn_load_16_bytes(source + stride),
                         cnn_weight_pair(weights + i));
    if (i < count)
        cnn_add_row_pair(sums, cnn_load_16_bytes(source), _mm_setzero_si128(), cnn_weight_pair(weights + i));
    __m128i low = _mm_packs_epi32(_mm_srai_epi32(sums[0], shift), _mm_srai_epi32(sums[1], shift));
    __m128i high = _mm_packs_epi32(_mm_srai_epi32(sums[2], shift), _mm_srai_epi32(sums[3], shift));
    _mm_storeu_si128((__m128i *)(void *)target, low);
    _mm_storeu_si128((__m128i *)(void *)(target + 8), high);
}

#endif

/* target[x] = the weighted sum of column x over `count` rows. `weights` ends with a zero if `count` is odd. */
static inline void cnn_sum_rows(int16_t *restrict target, const uint8_t *source, size_t stride, size_t length,
                                const int16_t *weights, size_t count)
{
    size_t x = 0;
#if defined(__x86_64__)
    for (; x + 16 <= length; x += 16)
        cnn_sum_16_columns(target + x, source + x, stride, weights, count);
    if (length >= 16 && x < length) { /* the last 16, some of them again */
        cnn_sum_16_columns(target + length - 16, source + length - 16, stride, weights, count);
        return;
    }
#endif
    for (; x < length; x++) {
        int32_t sum = 1 << (CNN_WEIGHT_BITS - CNN_ROW_SUM_BITS - 1);
        for (size_t i = 0; i < count; i++)
            sum += weights[i] * source[i * stride + x];
        target[x] = (int16_t)(sum >> (CNN_WEIGHT_BITS - CNN_ROW_SUM_BITS));
    }
}

/* The weighted sum of `pairs` pairs of pixels of a row of sums, times 2^CNN_SUM_BITS. One sum more is loaded. */
static inline cnn_float4 cnn_sum_pixels(const int16_t *source, const int16_t *weights, size_t pairs)
{
#if defined(__x86_64__)
    __m128i sum = _mm_setzero_si128();
    for (size_t i = 0; i < pairs; i++) {
        __m128i left = _mm_loadl_epi64((const __m128i *)(const void *)(source + 6 * i));
        __m128i right = _mm_loadl_epi64((const __m128i *)(const void *)(source + 6 * i + 3));
        sum = _mm_add_epi32(sum, _mm_madd_epi16(_mm_unpacklo_epi16(left, right), cnn_weight_pair(weights + 2 * i)));
    }
    return (cnn_float4)_mm_cvtepi32_ps(sum);
#else
    int32_t sums[3] = { 0 };
    for (size_t i = 0; i < 2 * pairs; i++)
        for (int channel = 0; channel < 3; channel++)
            sums[channel] += weights[i] * source[3 * i + channel];
    return (cnn_float4){ (float)sums[0], (float)sums[1], (float)sums[2], 0 };
#endif
}

#endif
