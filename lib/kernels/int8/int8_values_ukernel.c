/* Loops that compilers make vectors of. Each step is exact or rounded once, so that all instruction sets agree. */
#include "kernels/int8/int8_values.h"
#include "simd/vector_bytes.h"

ALWAYS_INLINE float clamp(float value, float min, float max)
{
    value = value > min ? value : min; /* NaN becomes `min` */
    return value < max ? value : max;
}

/* To the nearest, to the even one of two: added to 1.5 × 2²³, a number has no bits left after its ones. */
ALWAYS_INLINE int32_t round_to_int(float value)
{
    const float large = 12582912;
    float sum = value + large;
    int32_t bits, large_bits;
    memcpy(&bits, &sum, sizeof bits);
    memcpy(&large_bits, &large, sizeof large_bits);
    return bits - large_bits;
}

static void quantize(const float *from, int64_t count, float inverse_scale, int32_t zero, uint8_t *to)
{
    float min = (float)-zero, max = (float)(255 - zero);
    for (int64_t i = 0; i < count; i++)
        to[i] = (uint8_t)(round_to_int(clamp(from[i] * inverse_scale, min, max)) + zero);
}

static void dequantize(const uint8_t *from, int64_t count, float scale, int32_t zero, float *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = (float)(from[i] - zero) * scale;
}

static void add_scaled(const uint8_t *from, int64_t count, float scale, int32_t zero, float *sums, bool first)
{
    if (first)
        dequantize(from, count, scale, zero, sums);
    else
        for (int64_t i = 0; i < count; i++)
            sums[i] += (float)(from[i] - zero) * scale;
}

static void round_sums(const float *sums, int64_t count, int32_t zero, cnn_int8_clamp limits, uint8_t *to)
{
    float min = (float)(limits.min - zero), max = (float)(limits.max - zero);
    for (int64_t i = 0; i < count; i++)
        to[i] = (uint8_t)(round_to_int(clamp(sums[i], min, max)) + zero);
}

static void max_window(const uint8_t *from, const int64_t size[2], int64_t row, int64_t channels, uint8_t *to)
{
    int64_t c = 0;
    for (; c + VB_WIDTH <= channels; c += VB_WIDTH) {
        vb greatest = vb_load(from + c);
        for (int64_t y = 0; y < size[0]; y++)
            for (int64_t x = 0; x < size[1]; x++)
                greatest = vb_max(greatest, vb_load(from + y * row + x * channels + c));
        vb_store(to + c, greatest);
    }
    for (; c < channels; c++) {
        uint8_t greatest = 0;
        for (int64_t y = 0; y < size[0]; y++)
            for (int64_t x = 0; x < size[1]; x++) {
                uint8_t value = from[y * row + x * channels + c];
                greatest = value > greatest ? value : greatest;
            }
        to[c] = greatest;
    }
}

static void accumulate(const uint8_t *from, int64_t count, int32_t *sums)
{
    for (int64_t i = 0; i < count; i++)
        sums[i] += from[i];
}

const cnn_int8_values_kernels CNN_FOR_ISA(cnn_int8_values_kernels) = {
    .quantize = quantize,
    .dequantize = dequantize,
    .add_scaled = add_scaled,
    .round_sums = round_sums,
    .max_window = max_window,
    .accumulate = accumulate,
};
