/* What doesn't gain from dot products of bytes: from sums to results, and widening. */
#include "kernels/int8/int8_finish.h"

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

static void widen(const uint8_t *from, int64_t count, int16_t *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = from[i];
}

const cnn_int8_finish_kernels CNN_FOR_ISA(cnn_int8_finish_kernels) = {
    .finish = finish_tile,
    .widen = widen,
};
