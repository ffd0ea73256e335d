#include "kernels/gemm/matrix.h"
#include "simd/vector.h"

/* Several vectors at once, for the additions to one wait for each other. */
ALWAYS_INLINE void sum_columns(const float *from, ptrdiff_t stride, int64_t rows, float *sum, int vectors, size_t lanes)
{
    vf total[4];
    for (int v = 0; v < vectors; v++)
        total[v] = vf_load_lanes(sum + v * VF_WIDTH, lanes);
    for (int64_t row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++)
            total[v] = vf_add(total[v], vf_load_lanes(from + row * stride + v * VF_WIDTH, lanes));
    for (int v = 0; v < vectors; v++)
        vf_store_lanes(sum + v * VF_WIDTH, total[v], lanes);
}

static void sum_rows(const cnn_matrix *from, float *sum)
{
    const float *values = from->values;
    int64_t stride = from->row_stride, rows = from->rows, columns = from->columns;
    int64_t i = 0;
    for (; i + 4 * VF_WIDTH <= columns; i += 4 * VF_WIDTH)
        sum_columns(values + i, stride, rows, sum + i, 4, VF_WIDTH);
    for (; i + 2 * VF_WIDTH <= columns; i += 2 * VF_WIDTH)
        sum_columns(values + i, stride, rows, sum + i, 2, VF_WIDTH);
    for (; i < columns; i += VF_WIDTH)
        sum_columns(values + i, stride, rows, sum + i, 1, vf_lanes_left(columns - i));
}

static void clamp(float *values, int64_t count, cnn_clamp limits)
{
    vf min = vf_broadcast(limits.min), max = vf_broadcast(limits.max);
    for (int64_t i = 0; i < count; i += VF_WIDTH) {
        size_t lanes = vf_lanes_left(count - i);
        vf_store_lanes(values + i, vf_clamp(min, max, vf_load_lanes(values + i, lanes)), lanes);
    }
}

/* By squares that fit the first-level cache. */
static void transpose(const cnn_matrix *matrix, float *to, ptrdiff_t to_stride)
{
    enum { SIDE = 16 };
    const float *from = matrix->values;
    const ptrdiff_t from_stride = matrix->row_stride;
    const int64_t rows = matrix->rows, columns = matrix->columns;
    for (int64_t row = 0; row < rows; row += SIDE)
        for (int64_t column = 0; column < columns; column += SIDE) {
            int64_t last_row = row + SIDE < rows ? row + SIDE : rows;
            int64_t last_column = column + SIDE < columns ? column + SIDE : columns;
            for (int64_t c = column; c < last_column; c++)
                for (int64_t r = row; r < last_row; r++)
                    to[c * to_stride + r] = from[r * from_stride + c];
        }
}

#if defined(VF_HAS_BF16_DOT)
static void pack_bf16_pairs(const cnn_matrix *matrix, float *to, ptrdiff_t to_stride)
{
    enum { ROWS = 16 }; /* fit the first-level cache with a stride between columns */
    const float *from = matrix->values;
    const ptrdiff_t row_stride = matrix->row_stride, column_stride = matrix->column_stride;
    const int64_t rows = matrix->rows / 2, columns = matrix->columns;
    float upper[VF_WIDTH] = { 0 }, lower[VF_WIDTH] = { 0 };
    for (int64_t first = 0; first < rows; first += ROWS)
        for (int64_t column = 0; column < columns; column += VF_WIDTH) {
            size_t lanes = vf_lanes_left(columns - column);
            int64_t last = first + ROWS < rows ? first + ROWS : rows;
            for (int64_t row = first; row < last; row++) {
                const float *pair = from + 2 * row * row_stride + column * column_stride;
                for (size_t i = 0; i < lanes; i++) {
                    lower[i] = pair[(ptrdiff_t)i * column_stride];
                    upper[i] = pair[row_stride + (ptrdiff_t)i * column_stride];
                }
                vf_store_lanes(to + row * to_stride + column, vf_bf16_pairs_of(vf_load(lower), vf_load(upper)), lanes);
            }
        }
}

static void pair_bf16_rows(const cnn_bf16_matrix *matrix, float *to, ptrdiff_t to_stride)
{
    for (int64_t row = 0; row < matrix->rows; row += 2, to += to_stride) {
        const cnn_bf16 *upper = matrix->values + row * matrix->row_stride, *lower = upper + matrix->row_stride;
        for (int64_t c = 0; c < matrix->columns; c += VF_WIDTH) {
            size_t lanes = vf_lanes_left(matrix->columns - c);
            vf first = vf_load_values(true, upper, c, lanes);
            vf second = row + 1 < matrix->rows ? vf_load_values(true, lower, c, lanes) : vf_zero();
            vf_store_lanes(to + c, vf_bf16_pairs_of(first, second), lanes);
        }
    }
}
#endif

const cnn_matrix_kernels CNN_FOR_ISA(cnn_matrix_kernels) = {
    .sum_rows = sum_rows,
    .clamp = clamp,
    .transpose = transpose,
#if defined(VF_HAS_BF16_DOT)
    .pack_bf16_pairs = pack_bf16_pairs,
    .pair_bf16_rows = pair_bf16_rows,
#endif
};
