#include "kernels/channels.h"
#include "kernels/loops.h"

/* Four rows at a time: a sum then waits for memory once in four rows. */

static void sum_rows(const float *restrict input, size_t count, size_t period, float *restrict sum)
{
    memset(sum, 0, period * sizeof *sum);
    size_t at = 0;
    for (; at + 4 * period <= count; at += 4 * period) {
        const float *a = input + at, *b = a + period, *c = b + period, *d = c + period;
        for (size_t i = 0; i < period; i++)
            sum[i] += (a[i] + b[i]) + (c[i] + d[i]);
    }
    for (; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        for (size_t i = 0; i < width; i++)
            sum[i] += input[at + i];
    }
}

static inline float square(float x)
{
    return x * x;
}

static void squares(const float *restrict input, size_t count, size_t period, const float *restrict mean,
                    float *restrict sum)
{
    memset(sum, 0, period * sizeof *sum);
    size_t at = 0;
    for (; at + 4 * period <= count; at += 4 * period) {
        const float *a = input + at, *b = a + period, *c = b + period, *d = c + period;
        for (size_t i = 0; i < period; i++)
            sum[i] +=
                (square(a[i] - mean[i]) + square(b[i] - mean[i])) + (square(c[i] - mean[i]) + square(d[i] - mean[i]));
    }
    for (; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        for (size_t i = 0; i < width; i++)
            sum[i] += square(input[at + i] - mean[i]);
    }
}

static void products(const float *restrict input, const float *restrict gradient, size_t count, size_t period,
                     const float *restrict mean, float *restrict sum, float *restrict product)
{
    memset(sum, 0, period * sizeof *sum);
    memset(product, 0, period * sizeof *product);
    size_t at = 0;
    for (; at + 2 * period <= count; at += 2 * period) {
        const float *a = input + at, *b = a + period, *g = gradient + at, *h = g + period;
        for (size_t i = 0; i < period; i++) {
            sum[i] += g[i] + h[i];
            product[i] += g[i] * (a[i] - mean[i]) + h[i] * (b[i] - mean[i]);
        }
    }
    for (; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        for (size_t i = 0; i < width; i++) {
            sum[i] += gradient[at + i];
            product[i] += gradient[at + i] * (input[at + i] - mean[i]);
        }
    }
}

static void apply(const float *input, size_t count, size_t period, const float *subtract, const float *multiply,
                  const float *add, float *output)
{
    for (size_t at = 0; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        CNN_INDEPENDENT
        for (size_t i = 0; i < width; i++)
            output[at + i] = (input[at + i] - subtract[i]) * multiply[i] + add[i];
    }
}

static void center(const float *input, const float *gradient, size_t count, size_t period, const float *subtract,
                   const float *slope, const float *add, const float *multiply, float *input_gradient)
{
    for (size_t at = 0; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        CNN_INDEPENDENT
        for (size_t i = 0; i < width; i++)
            input_gradient[at + i] =
                (gradient[at + i] - add[i] - (input[at + i] - subtract[i]) * slope[i]) * multiply[i];
    }
}

const cnn_channel_kernels CNN_FOR_ISA(cnn_channel_kernels) = {
    .sum = sum_rows,
    .squares = squares,
    .products = products,
    .apply = apply,
    .center = center,
};
