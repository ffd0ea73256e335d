/* What doesn't gain from dot products of bytes: from sums to results, depthwise convolutions, and widening. */
#include "kernels/int8/int8_gemm.h"
#include "simd/vector_bytes.h"

typedef enum result_kind { RESULT_BYTES, RESULT_WITH_RESIDUAL, RESULT_FLOATS } result_kind;

static result_kind kind_of(const cnn_int8_result *result)
{
    return result->floats ? RESULT_FLOATS : result->residual ? RESULT_WITH_RESIDUAL : RESULT_BYTES;
}

/* One vector of results, of which `count` lanes are written at `to`. */
ALWAYS_INLINE void finish_vector(const cnn_int8_result *result, result_kind kind, vi sums, int64_t column, ptrdiff_t to,
                                 size_t count)
{
    vf value = vf_mul(vi_to_float(sums), vf_load(result->scale + column));
    if (kind == RESULT_FLOATS) {
        vf_store_partial(result->floats + to, value, count);
        return;
    }
    if (kind == RESULT_WITH_RESIDUAL) {
        vi residual = vi_sub(vi_load_bytes(result->residual + to, count), vi_broadcast(result->residual_zero));
        value = vf_add(value, vf_mul(vi_to_float(residual), vf_broadcast(result->residual_scale)));
    }
    value = vf_min(vf_max(value, vf_broadcast(result->clamp.min)), vf_broadcast(result->clamp.max));
    vi_store_bytes(result->bytes + to, vi_add(vf_round(value), vi_broadcast(result->zero)), count);
}

ALWAYS_INLINE size_t lanes(size_t columns, size_t first)
{
    return columns - first < VF_WIDTH ? columns - first : VF_WIDTH;
}

/* The rows of a tile whose sums are finished, and vectors in each. */
typedef struct finished_tile {
    int rows, vectors;
} finished_tile;

ALWAYS_INLINE void finish_rows(const cnn_int8_gemm *p, result_kind kind, int64_t row, finished_tile s, size_t columns,
                               const vi *sums)
{
    const cnn_int8_result result = p->result; /* a copy, which stores of bytes can't change */
    for (int r = 0; r < s.rows; r++)
        UNROLLED (v, s.vectors)
            finish_vector(&result, kind, sums[r * s.vectors + v], v * VF_WIDTH,
                          p->indirection.outputs[row + r] + v * VF_WIDTH, lanes(columns, (size_t)v * VF_WIDTH));
}

static void finish_tile(const cnn_int8_gemm *p, int64_t row, int rows, int vectors, const void *tile)
{
    const vi *sums = tile;
    const finished_tile two = { rows, 2 }, one = { rows, 1 };
    size_t columns = (size_t)p->columns;
    result_kind kind = kind_of(&p->result);
    if (kind == RESULT_BYTES && columns == 2 * VF_WIDTH)
        finish_rows(p, RESULT_BYTES, row, two, 2 * VF_WIDTH, sums);
    else if (kind == RESULT_WITH_RESIDUAL && columns == 2 * VF_WIDTH)
        finish_rows(p, RESULT_WITH_RESIDUAL, row, two, 2 * VF_WIDTH, sums);
    else if (vectors == 2)
        finish_rows(p, kind, row, two, columns, sums);
    else
        finish_rows(p, kind, row, one, columns, sums);
}

enum { CHANNEL_ROWS = 4 };

/* One vector of channels, from `column` on. */
ALWAYS_INLINE void multiply_channel_tile(const cnn_int8_gemm *p, int64_t b_stride, int64_t row, int rows,
                                         int64_t column, size_t count)
{
    vi sum[CHANNEL_ROWS];
    UNROLLED (r, rows)
        sum[r] = vi_load(p->bias + column);
    for (int64_t o = 0; o < p->terms; o++) {
        const uint8_t *a = p->a + p->indirection.taps[o] + column;
        vi factor = vi_load(p->b + (o * b_stride + column) * (ptrdiff_t)sizeof(int32_t));
        UNROLLED (r, rows)
            sum[r] = vi_add(sum[r], vi_mul_byte(vi_load_bytes(a + p->indirection.rows[row + r], count), factor));
    }
    UNROLLED (r, rows)
        finish_vector(&p->result, kind_of(&p->result), sum[r], column, p->indirection.outputs[row + r] + column, count);
}

static void multiply_channels(const cnn_int8_gemm *p, int64_t b_stride)
{
    for (int64_t column = 0; column < p->columns; column += VF_WIDTH) {
        size_t count = lanes((size_t)p->columns, (size_t)column);
        int64_t row = 0;
        for (; row + CHANNEL_ROWS <= p->rows; row += CHANNEL_ROWS)
            multiply_channel_tile(p, b_stride, row, CHANNEL_ROWS, column, count);
        for (; row < p->rows; row++)
            multiply_channel_tile(p, b_stride, row, 1, column, count);
    }
}

static void widen(const uint8_t *from, int64_t count, int16_t *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = from[i];
}

const cnn_int8_finish_kernels CNN_FOR_ISA(cnn_int8_finish_kernels) = {
    .finish = finish_tile,
    .multiply_channels = multiply_channels,
    .widen = widen,
};
