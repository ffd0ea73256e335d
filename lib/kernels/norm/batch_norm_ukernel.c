#include "kernels/norm/batch_norm.h"
#include "simd/autovectorize.h"
#include "simd/bf16.h"

/* Four rows at a time: a sum then waits for memory once in four rows. */

/* Value `i`; bfloat16 if `bf16`, a constant. */
ALWAYS_INLINE float value(bool bf16, const void *values, size_t i)
{
    return bf16 ? cnn_bf16_widen(((const cnn_bf16 *)values)[i]) : ((const float *)values)[i];
}

ALWAYS_INLINE void sum_rows(bool bf16, const void *restrict input, size_t count, size_t period, float *restrict sum)
{
    memset(sum, 0, period * sizeof *sum);
    size_t at = 0;
    for (; at + 4 * period <= count; at += 4 * period) {
        size_t b = at + period, c = b + period, d = c + period;
        for (size_t i = 0; i < period; i++)
            sum[i] += (value(bf16, input, at + i) + value(bf16, input, b + i)) +
                      (value(bf16, input, c + i) + value(bf16, input, d + i));
    }
    for (; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        for (size_t i = 0; i < width; i++)
            sum[i] += value(bf16, input, at + i);
    }
}

ALWAYS_INLINE float square(float x)
{
    return x * x;
}

ALWAYS_INLINE void squares(bool bf16, const void *restrict input, size_t count, size_t period,
                           const float *restrict mean, float *restrict sum)
{
    memset(sum, 0, period * sizeof *sum);
    size_t at = 0;
    for (; at + 4 * period <= count; at += 4 * period) {
        size_t b = at + period, c = b + period, d = c + period;
        for (size_t i = 0; i < period; i++)
            sum[i] += (square(value(bf16, input, at + i) - mean[i]) + square(value(bf16, input, b + i) - mean[i])) +
                      (square(value(bf16, input, c + i) - mean[i]) + square(value(bf16, input, d + i) - mean[i]));
    }
    for (; at < count; at += period) {
        size_t width = count - at < period ? count - at : period;
        for (size_t i = 0; i < width; i++)
            sum[i] += square(value(bf16, input, at + i) - mean[i]);
    }
}

ALWAYS_INLINE size_t lanes_at(size_t i, size_t width)
{
    return width - i < VF_WIDTH ? width - i : VF_WIDTH;
}

ALWAYS_INLINE vf load_number(const float *numbers, size_t i, size_t lanes)
{
    return vf_load_values(false, numbers, (ptrdiff_t)i, lanes);
}

/* Row by row of channels. */
ALWAYS_INLINE void apply(bool bf16, const cnn_batch_norm_loop *l)
{
    vf min = vf_broadcast(l->clamp.min), max = vf_broadcast(l->clamp.max);
    for (size_t at = 0; at < l->count; at += l->period) {
        size_t width = l->count - at < l->period ? l->count - at : l->period;
        for (size_t i = 0; i < width; i += VF_WIDTH) {
            size_t lanes = lanes_at(i, width);
            ptrdiff_t place = (ptrdiff_t)(at + i);
            vf x = vf_sub(vf_load_values(bf16, l->input, place, lanes), load_number(l->subtract, i, lanes));
            vf y = vf_add(vf_mul(x, load_number(l->multiply, i, lanes)), load_number(l->add, i, lanes));
            if (l->residual)
                y = vf_add(y, vf_load_values(bf16, l->residual, place, lanes));
            vf_store_values(bf16, l->result, place, vf_clamp(min, max, y), lanes); /* so that NaN passes */
        }
    }
}

enum { COLUMN_VECTORS = VF_REGISTERS == 32 ? 4 : 2 };

/* Numbers of one vector of channels. */
typedef struct column {
    vf subtract, multiply, mask_add, min, max;
} column;

ALWAYS_INLINE column load_column(cnn_batch_norm_masking masking, const cnn_batch_norm_loop *l, size_t i, size_t lanes)
{
    column c = { .subtract = load_number(l->subtract, i, lanes) };
    if (masking == CNN_BATCH_NORM_BY_INPUT) {
        c.multiply = load_number(l->multiply, i, lanes);
        c.mask_add = load_number(l->mask_add, i, lanes);
    }
    c.min = vf_broadcast(l->clamp.min);
    c.max = vf_broadcast(l->clamp.max);
    return c;
}

/* What a loop is compiled for. */
typedef struct variant {
    bool bf16;
    cnn_batch_norm_masking masking;
} variant;

/* The gradient at `place`, or 0 where it doesn't count; `x` is the input less the mean. */
ALWAYS_INLINE vf masked_gradient(variant v, const cnn_batch_norm_loop *l, const column *c, ptrdiff_t place, vf x,
                                 size_t lanes)
{
    vf gradient = vf_load_values(v.bf16, l->gradient, place, lanes);
    if (v.masking == CNN_BATCH_NORM_ALL)
        return gradient;
    vf output = v.masking == CNN_BATCH_NORM_BY_OUTPUT ? vf_load_values(v.bf16, l->output, place, lanes)
                                                      : vf_add(vf_mul(x, c->multiply), c->mask_add);
    return vf_select(vf_both(vf_greater(output, c->min), vf_greater(c->max, output)), gradient, vf_zero());
}

/* A vector of channels: numbers and sums in registers. */
typedef struct sums {
    column c;
    vf sum, product;
} sums;

ALWAYS_INLINE void add_gradient(bool bf16, cnn_batch_norm_masking masking, const cnn_batch_norm_loop *l, sums *s,
                                size_t place, size_t lanes)
{
    vf x = vf_sub(vf_load_values(bf16, l->input, (ptrdiff_t)place, lanes), s->c.subtract);
    vf gradient = masked_gradient((variant){ bf16, masking }, l, &s->c, (ptrdiff_t)place, x, lanes);
    if (masking == CNN_BATCH_NORM_BY_OUTPUT && l->masked)
        vf_store_values(bf16, l->masked, (ptrdiff_t)place, gradient, lanes);
    s->sum = vf_add(s->sum, gradient);
    s->product = vf_fmadd(gradient, x, s->product);
}

/* Some vectors down all rows, of which the last may be cut. */
ALWAYS_INLINE void gradient_sums_of_columns(bool bf16, cnn_batch_norm_masking masking, const cnn_batch_norm_loop *l,
                                            size_t first, int vectors, size_t lanes)
{
    sums s[COLUMN_VECTORS];
    UNROLLED (v, vectors)
        s[v] = (sums){ load_column(masking, l, first + (size_t)v * VF_WIDTH, lanes), vf_zero(), vf_zero() };
    size_t whole = l->count / l->period * l->period;
    for (size_t at = first; at < whole; at += l->period)
        UNROLLED (v, vectors)
            add_gradient(bf16, masking, l, &s[v], at + (size_t)v * VF_WIDTH, lanes);
    UNROLLED (v, vectors) {
        size_t place = whole + first + (size_t)v * VF_WIDTH;
        if (place < l->count)
            add_gradient(bf16, masking, l, &s[v], place, l->count - place < lanes ? l->count - place : lanes);
        vf_store_values(false, l->sum, (ptrdiff_t)(place - whole), s[v].sum, lanes);
        vf_store_values(false, l->product, (ptrdiff_t)(place - whole), s[v].product, lanes);
    }
}

ALWAYS_INLINE void gradient_sums(bool bf16, cnn_batch_norm_masking masking, const cnn_batch_norm_loop *l)
{
    size_t i = 0;
    for (; i + COLUMN_VECTORS * VF_WIDTH <= l->period; i += COLUMN_VECTORS * VF_WIDTH)
        gradient_sums_of_columns(bf16, masking, l, i, COLUMN_VECTORS, VF_WIDTH);
    for (; i < l->period; i += VF_WIDTH)
        gradient_sums_of_columns(bf16, masking, l, i, 1, lanes_at(i, l->period));
}

ALWAYS_INLINE void input_gradient(bool bf16, cnn_batch_norm_masking masking, const cnn_batch_norm_loop *l)
{
    for (size_t at = 0; at < l->count; at += l->period) {
        size_t width = l->count - at < l->period ? l->count - at : l->period;
        for (size_t i = 0; i < width; i += VF_WIDTH) {
            size_t lanes = lanes_at(i, width);
            ptrdiff_t place = (ptrdiff_t)(at + i);
            column c = load_column(masking, l, i, lanes);
            vf x = vf_sub(vf_load_values(bf16, l->input, place, lanes), c.subtract);
            vf gradient = masked_gradient((variant){ bf16, masking }, l, &c, place, x, lanes);
            vf g = vf_sub(gradient, load_number(l->add, i, lanes));
            vf y = vf_mul(vf_sub(g, vf_mul(x, load_number(l->slope, i, lanes))), load_number(l->multiply, i, lanes));
            vf_store_values(bf16, l->result, place, y, lanes);
        }
    }
}

#define LOOPS(name, bf16)                                                                                     \
    static void sum_##name(const void *input, size_t count, size_t period, float *sum)                        \
    {                                                                                                         \
        sum_rows(bf16, input, count, period, sum);                                                            \
    }                                                                                                         \
    static void squares_##name(const void *input, size_t count, size_t period, const float *mean, float *sum) \
    {                                                                                                         \
        squares(bf16, input, count, period, mean, sum);                                                       \
    }                                                                                                         \
    static void apply_##name(const cnn_batch_norm_loop *l)                                                    \
    {                                                                                                         \
        apply(bf16, l);                                                                                       \
    }                                                                                                         \
    static void gradient_sums_##name(const cnn_batch_norm_loop *l)                                            \
    {                                                                                                         \
        gradient_sums(bf16, CNN_BATCH_NORM_ALL, l);                                                           \
    }                                                                                                         \
    static void gradient_sums_by_input_##name(const cnn_batch_norm_loop *l)                                   \
    {                                                                                                         \
        gradient_sums(bf16, CNN_BATCH_NORM_BY_INPUT, l);                                                      \
    }                                                                                                         \
    static void gradient_sums_by_output_##name(const cnn_batch_norm_loop *l)                                  \
    {                                                                                                         \
        gradient_sums(bf16, CNN_BATCH_NORM_BY_OUTPUT, l);                                                     \
    }                                                                                                         \
    static void input_gradient_##name(const cnn_batch_norm_loop *l)                                           \
    {                                                                                                         \
        input_gradient(bf16, CNN_BATCH_NORM_ALL, l);                                                          \
    }                                                                                                         \
    static void input_gradient_by_input_##name(const cnn_batch_norm_loop *l)                                  \
    {                                                                                                         \
        input_gradient(bf16, CNN_BATCH_NORM_BY_INPUT, l);                                                     \
    }

LOOPS(floats, false)
LOOPS(bf16, true)

const cnn_batch_norm_kernels CNN_FOR_ISA(cnn_batch_norm_kernels) = {
    .sum = { sum_floats, sum_bf16 },
    .squares = { squares_floats, squares_bf16 },
    .apply = { apply_floats, apply_bf16 },
    .gradient_sums = { { gradient_sums_floats, gradient_sums_by_input_floats, gradient_sums_by_output_floats },
                       { gradient_sums_bf16, gradient_sums_by_input_bf16, gradient_sums_by_output_bf16 } },
    .input_gradient = { { input_gradient_floats, input_gradient_by_input_floats },
                        { input_gradient_bf16, input_gradient_by_input_bf16 } },
};
