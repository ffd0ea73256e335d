/* A vector of channels at a time, by the tables of an indirection buffer. */
#include "kernels/depthwise/depthwise_gemm.h"
#include "simd/vector.h"

enum { CHANNEL_ROWS = 4 };

/* Results in registers: pixels of one vector of channels. */
typedef struct channel_tile {
    int rows;
    bool ragged;    /* the vector is not whole: */
    size_t columns; /* its lanes */
} channel_tile;

ALWAYS_INLINE vf load(channel_tile s, const float *from)
{
    return s.ragged ? vf_load_partial(from, s.columns) : vf_load(from);
}

ALWAYS_INLINE void store(channel_tile s, float *to, vf a)
{
    if (s.ragged)
        vf_store_partial(to, a, s.columns);
    else
        vf_store(to, a);
}

/* One vector of channels, from `column` on. */
ALWAYS_INLINE void multiply_channel_tile(const cnn_gemm *p, int64_t row, int64_t column, channel_tile s)
{
    vf first = p->bias ? load(s, p->bias + column) : vf_zero(), sum[CHANNEL_ROWS];
    UNROLLED (r, s.rows)
        sum[r] = p->residual ? vf_add(first, load(s, p->residual + p->indirection.outputs[row + r] + column)) : first;
    for (int64_t o = 0; o < p->outer; o++) {
        const float *a = p->a + p->indirection.taps[o] + column;
        vf factor = load(s, p->b + o * p->b_stride + column);
        UNROLLED (r, s.rows)
            sum[r] = vf_fmadd(load(s, a + p->indirection.rows[row + r]), factor, sum[r]);
    }
    vf min = vf_broadcast(p->clamp.min), max = vf_broadcast(p->clamp.max);
    UNROLLED (r, s.rows)
        store(s, p->c + p->indirection.outputs[row + r] + column, vf_clamp(min, max, sum[r]));
}

ALWAYS_INLINE void multiply_channel_vector(const cnn_gemm *p, int64_t column, bool ragged, size_t columns)
{
    int64_t row = 0;
    for (; row + CHANNEL_ROWS <= p->rows; row += CHANNEL_ROWS)
        multiply_channel_tile(p, row, column, (channel_tile){ CHANNEL_ROWS, ragged, columns });
    for (; row < p->rows; row++)
        multiply_channel_tile(p, row, column, (channel_tile){ 1, ragged, columns });
}

static void multiply_channels(const cnn_gemm *p)
{
    int64_t column = 0;
    for (; column + VF_WIDTH <= p->columns; column += VF_WIDTH)
        multiply_channel_vector(p, column, false, VF_WIDTH);
    if (column < p->columns)
        multiply_channel_vector(p, column, true, (size_t)(p->columns - column));
}

const cnn_depthwise_gemm_kernels CNN_FOR_ISA(cnn_depthwise_gemm_kernels) = {
    .multiply = multiply_channels,
};
