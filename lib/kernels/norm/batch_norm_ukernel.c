#include "kernels/elementwise/convert_bf16.h"
#include "kernels/norm/batch_norm.h"
#include "simd/autovectorize.h"

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

ALWAYS_INLINE size_t lanes_at(size_t i, size_t width)
{
    return width - i < VF_WIDTH ? width - i : VF_WIDTH;
}

ALWAYS_INLINE vf load_number(const float *numbers, size_t i, size_t lanes)
{
    return vf_load_values(false, numbers, (ptrdiff_t)i, lanes);
}

/* Row by row of channels. */
ALWAYS_INLINE void apply(bool narrow, const cnn_channel_loop *l)
{
    vf low = vf_broadcast(l->low), high = vf_broadcast(l->high);
    for (size_t at = 0; at < l->count; at += l->period) {
        size_t width = l->count - at < l->period ? l->count - at : l->period;
        for (size_t i = 0; i < width; i += VF_WIDTH) {
            size_t lanes = lanes_at(i, width);
            ptrdiff_t place = (ptrdiff_t)(at + i);
            vf x = vf_sub(vf_load_values(narrow, l->input, place, lanes), load_number(l->subtract, i, lanes));
            vf y = vf_add(vf_mul(x, load_number(l->multiply, i, lanes)), load_number(l->add, i, lanes));
            if (l->addend)
                y = vf_add(y, vf_load_values(narrow, l->addend, place, lanes));
            vf_store_values(narrow, l->result, place, vf_min(high, vf_max(low, y)), lanes); /* so that NaN passes */
        }
    }
}

enum { COLUMN_VECTORS = VF_REGISTERS == 32 ? 4 : 2 };

/* Numbers of one vector of channels. */
typedef struct column {
    vf subtract, multiply, mask_add, low, high;
} column;

ALWAYS_INLINE column load_column(cnn_channel_masking masking, const cnn_channel_loop *l, size_t i, size_t lanes)
{
    column c = { .subtract = load_number(l->subtract, i, lanes) };
    if (masking == CNN_CHANNEL_BY_INPUT) {
        c.multiply = load_number(l->multiply, i, lanes);
        c.mask_add = load_number(l->mask_add, i, lanes);
    }
    c.low = vf_broadcast(l->low);
    c.high = vf_broadcast(l->high);
    return c;
}

/* The gradient at `place`, or 0 where it doesn't count; `x` is the input less the mean. */
ALWAYS_INLINE vf masked_gradient(bool narrow, cnn_channel_masking masking, const cnn_channel_loop *l, const column *c,
                                 ptrdiff_t place, vf x, size_t lanes)
{
    vf gradient = vf_load_values(narrow, l->gradient, place, lanes);
    if (masking == CNN_CHANNEL_ALL)
        return gradient;
    vf output = masking == CNN_CHANNEL_BY_OUTPUT ? vf_load_values(narrow, l->output, place, lanes)
                                                 : vf_add(vf_mul(x, c->multiply), c->mask_add);
    return vf_select(vf_both(vf_greater(output, c->low), vf_greater(c->high, output)), gradient, vf_zero());
}

/* A vector of channels: numbers and sums in registers. */
typedef struct sums {
    column c;
    vf sum, product;
} sums;

ALWAYS_INLINE void add_products(bool narrow, cnn_channel_masking masking, const cnn_channel_loop *l, sums *s,
                                size_t place, size_t lanes)
{
    vf x = vf_sub(vf_load_values(narrow, l->input, (ptrdiff_t)place, lanes), s->c.subtract);
    vf gradient = masked_gradient(narrow, masking, l, &s->c, (ptrdiff_t)place, x, lanes);
    if (masking == CNN_CHANNEL_BY_OUTPUT && l->masked)
        vf_store_values(narrow, l->masked, (ptrdiff_t)place, gradient, lanes);
    s->sum = vf_add(s->sum, gradient);
    s->product = vf_fmadd(gradient, x, s->product);
}

/* Some vectors down all rows, of which the last may be cut. */
ALWAYS_INLINE void products_of_columns(bool narrow, cnn_channel_masking masking, const cnn_channel_loop *l,
                                       size_t first, int vectors, size_t lanes)
{
    sums s[COLUMN_VECTORS];
    UNROLLED (v, vectors)
        s[v] = (sums){ load_column(masking, l, first + (size_t)v * VF_WIDTH, lanes), vf_zero(), vf_zero() };
    size_t whole = l->count / l->period * l->period;
    for (size_t at = first; at < whole; at += l->period)
        UNROLLED (v, vectors)
            add_products(narrow, masking, l, &s[v], at + (size_t)v * VF_WIDTH, lanes);
    UNROLLED (v, vectors) {
        size_t place = whole + first + (size_t)v * VF_WIDTH;
        if (place < l->count)
            add_products(narrow, masking, l, &s[v], place, l->count - place < lanes ? l->count - place : lanes);
        vf_store_values(false, l->sum, (ptrdiff_t)(place - whole), s[v].sum, lanes);
        vf_store_values(false, l->product, (ptrdiff_t)(place - whole), s[v].product, lanes);
    }
}

ALWAYS_INLINE void products(bool narrow, cnn_channel_masking masking, const cnn_channel_loop *l)
{
    size_t i = 0;
    for (; i + COLUMN_VECTORS * VF_WIDTH <= l->period; i += COLUMN_VECTORS * VF_WIDTH)
        products_of_columns(narrow, masking, l, i, COLUMN_VECTORS, VF_WIDTH);
    for (; i < l->period; i += VF_WIDTH)
        products_of_columns(narrow, masking, l, i, 1, lanes_at(i, l->period));
}

ALWAYS_INLINE void center(bool narrow, cnn_channel_masking masking, const cnn_channel_loop *l)
{
    for (size_t at = 0; at < l->count; at += l->period) {
        size_t width = l->count - at < l->period ? l->count - at : l->period;
        for (size_t i = 0; i < width; i += VF_WIDTH) {
            size_t lanes = lanes_at(i, width);
            ptrdiff_t place = (ptrdiff_t)(at + i);
            column c = load_column(masking, l, i, lanes);
            vf x = vf_sub(vf_load_values(narrow, l->input, place, lanes), c.subtract);
            vf gradient = masked_gradient(narrow, masking, l, &c, place, x, lanes);
            vf g = vf_sub(gradient, load_number(l->add, i, lanes));
            vf y = vf_mul(vf_sub(g, vf_mul(x, load_number(l->slope, i, lanes))), load_number(l->multiply, i, lanes));
            vf_store_values(narrow, l->result, place, y, lanes);
        }
    }
}

#define LOOPS(name, narrow)                                                                                   \
    static void sum_##name(const void *input, size_t count, size_t period, float *sum)                        \
    {                                                                                                         \
        sum_rows(narrow, input, count, period, sum);                                                          \
    }                                                                                                         \
    static void squares_##name(const void *input, size_t count, size_t period, const float *mean, float *sum) \
    {                                                                                                         \
        squares(narrow, input, count, period, mean, sum);                                                     \
    }                                                                                                         \
    static void apply_##name(const cnn_channel_loop *l)                                                       \
    {                                                                                                         \
        apply(narrow, l);                                                                                     \
    }                                                                                                         \
    static void products_##name(const cnn_channel_loop *l)                                                    \
    {                                                                                                         \
        products(narrow, CNN_CHANNEL_ALL, l);                                                                 \
    }                                                                                                         \
    static void products_by_input_##name(const cnn_channel_loop *l)                                           \
    {                                                                                                         \
        products(narrow, CNN_CHANNEL_BY_INPUT, l);                                                            \
    }                                                                                                         \
    static void products_by_output_##name(const cnn_channel_loop *l)                                          \
    {                                                                                                         \
        products(narrow, CNN_CHANNEL_BY_OUTPUT, l);                                                           \
    }                                                                                                         \
    static void center_##name(const cnn_channel_loop *l)                                                      \
    {                                                                                                         \
        center(narrow, CNN_CHANNEL_ALL, l);                                                                   \
    }                                                                                                         \
    static void center_by_input_##name(const cnn_channel_loop *l)                                             \
    {                                                                                                         \
        center(narrow, CNN_CHANNEL_BY_INPUT, l);                                                              \
    }

LOOPS(floats, false)
LOOPS(narrow, true)

const cnn_channel_kernels CNN_FOR_ISA(cnn_channel_kernels) = {
    .sum = { sum_floats, sum_narrow },
    .squares = { squares_floats, squares_narrow },
    .apply = { apply_floats, apply_narrow },
    .products = { { products_floats, products_by_input_floats, products_by_output_floats },
                  { products_narrow, products_by_input_narrow, products_by_output_narrow } },
    .center = { { center_floats, center_by_input_floats }, { center_narrow, center_by_input_narrow } },
};
