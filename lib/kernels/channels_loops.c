#include "kernels/bf16.h"
#include "kernels/channels.h"
#include "kernels/loops.h"

/* Four rows at a time: a sum then waits for memory once in four rows. */

/* Value `i`; bfloat16 if `narrow`, a constant. */
ALWAYS_INLINE float value(bool narrow, const void *values, size_t i)
{
    return narrow ? cnn_bf16_widen(((const cnn_bf16 *)values)[i]) : ((const float *)values)[i];
}

ALWAYS_INLINE void sum_rows(bool narrow, const void *restrict input, size_t count, size_t period, float *restrict sum)
{
    memset(sum, 0, period * sizeof *sum);
    size_t at = 0;
    for (; at + 4 * period <= count; at += 4 * period) {
        size_t b = at + period, c = b + period, d = c + period;
        for (size_t i = 0; i < period; i++)
            sum[i] += (value(narrow, input, at + i) + value(narrow, input, b + i)) +
                      (value(narrow, input, c + i) + value(narrow, input, d + i));
    }
    for (; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        for (size_t i = 0; i < width; i++)
            sum[i] += value(narrow, input, at + i);
    }
}

ALWAYS_INLINE float square(float x)
{
    return x * x;
}

ALWAYS_INLINE void squares(bool narrow, const void *restrict input, size_t count, size_t period,
                           const float *restrict mean, float *restrict sum)
{
    memset(sum, 0, period * sizeof *sum);
    size_t at = 0;
    for (; at + 4 * period <= count; at += 4 * period) {
        size_t b = at + period, c = b + period, d = c + period;
        for (size_t i = 0; i < period; i++)
            sum[i] += (square(value(narrow, input, at + i) - mean[i]) + square(value(narrow, input, b + i) - mean[i])) +
                      (square(value(narrow, input, c + i) - mean[i]) + square(value(narrow, input, d + i) - mean[i]));
    }
    for (; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        for (size_t i = 0; i < width; i++)
            sum[i] += square(value(narrow, input, at + i) - mean[i]);
    }
}

ALWAYS_INLINE void products(bool narrow, const void *restrict input, const void *restrict gradient, size_t count,
                            size_t period, const float *restrict mean, float *restrict sum, float *restrict product)
{
    memset(sum, 0, period * sizeof *sum);
    memset(product, 0, period * sizeof *product);
    size_t at = 0;
    for (; at + 2 * period <= count; at += 2 * period) {
        size_t next = at + period;
        for (size_t i = 0; i < period; i++) {
            float g = value(narrow, gradient, at + i), h = value(narrow, gradient, next + i);
            sum[i] += g + h;
            product[i] += g * (value(narrow, input, at + i) - mean[i]) + h * (value(narrow, input, next + i) - mean[i]);
        }
    }
    for (; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        for (size_t i = 0; i < width; i++) {
            sum[i] += value(narrow, gradient, at + i);
            product[i] += value(narrow, gradient, at + i) * (value(narrow, input, at + i) - mean[i]);
        }
    }
}

ALWAYS_INLINE size_t lanes_at(size_t i, size_t width)
{
    return width - i < VF_WIDTH ? width - i : VF_WIDTH;
}

ALWAYS_INLINE void apply(bool narrow, const void *input, size_t count, size_t period, const float *subtract,
                         const float *multiply, const float *add, void *output)
{
    for (size_t at = 0; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        for (size_t i = 0; i < width; i += VF_WIDTH) {
            size_t lanes = lanes_at(i, width);
            vf x = vf_sub(vf_load_values(narrow, input, (ptrdiff_t)(at + i), lanes),
                          vf_load_values(false, subtract, (ptrdiff_t)i, lanes));
            vf y = vf_add(vf_mul(x, vf_load_values(false, multiply, (ptrdiff_t)i, lanes)),
                          vf_load_values(false, add, (ptrdiff_t)i, lanes));
            vf_store_values(narrow, output, (ptrdiff_t)(at + i), y, lanes);
        }
    }
}

ALWAYS_INLINE void center(bool narrow, const void *input, const void *gradient, size_t count, size_t period,
                          const float *subtract, const float *slope, const float *add, const float *multiply,
                          void *input_gradient)
{
    for (size_t at = 0; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        for (size_t i = 0; i < width; i += VF_WIDTH) {
            size_t lanes = lanes_at(i, width);
            vf x = vf_sub(vf_load_values(narrow, input, (ptrdiff_t)(at + i), lanes),
                          vf_load_values(false, subtract, (ptrdiff_t)i, lanes));
            vf g = vf_sub(vf_load_values(narrow, gradient, (ptrdiff_t)(at + i), lanes),
                          vf_load_values(false, add, (ptrdiff_t)i, lanes));
            vf y = vf_mul(vf_sub(g, vf_mul(x, vf_load_values(false, slope, (ptrdiff_t)i, lanes))),
                          vf_load_values(false, multiply, (ptrdiff_t)i, lanes));
            vf_store_values(narrow, input_gradient, (ptrdiff_t)(at + i), y, lanes);
        }
    }
}

#define LOOPS(name, narrow)                                                                                       \
    static void sum_##name(const void *input, size_t count, size_t period, float *sum)                            \
    {                                                                                                             \
        sum_rows(narrow, input, count, period, sum);                                                              \
    }                                                                                                             \
    static void squares_##name(const void *input, size_t count, size_t period, const float *mean, float *sum)     \
    {                                                                                                             \
        squares(narrow, input, count, period, mean, sum);                                                         \
    }                                                                                                             \
    static void products_##name(const void *input, const void *gradient, size_t count, size_t period,             \
                                const float *mean, float *sum, float *product)                                    \
    {                                                                                                             \
        products(narrow, input, gradient, count, period, mean, sum, product);                                     \
    }                                                                                                             \
    static void apply_##name(const void *input, size_t count, size_t period, const float *subtract,               \
                             const float *multiply, const float *add, void *output)                               \
    {                                                                                                             \
        apply(narrow, input, count, period, subtract, multiply, add, output);                                     \
    }                                                                                                             \
    static void center_##name(const void *input, const void *gradient, size_t count, size_t period,               \
                              const float *subtract, const float *slope, const float *add, const float *multiply, \
                              void *input_gradient)                                                               \
    {                                                                                                             \
        center(narrow, input, gradient, count, period, subtract, slope, add, multiply, input_gradient);           \
    }

LOOPS(floats, false)
LOOPS(narrow, true)

const cnn_channel_kernels CNN_FOR_ISA(cnn_channel_kernels) = {
    .sum = { sum_floats, sum_narrow },
    .squares = { squares_floats, squares_narrow },
    .products = { products_floats, products_narrow },
    .apply = { apply_floats, apply_narrow },
    .center = { center_floats, center_narrow },
};
