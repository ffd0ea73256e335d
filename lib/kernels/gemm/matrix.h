/* What is done to matrices before and after they are multiplied. */
#ifndef CNN_KERNELS_GEMM_MATRIX_H
#define CNN_KERNELS_GEMM_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/activation.h"
#include "simd/bf16.h"

/* Element (r, c) is values[r * row_stride + c * column_stride]. */
typedef struct cnn_matrix {
    const float *values;
    int64_t rows, columns;
    ptrdiff_t row_stride, column_stride;
} cnn_matrix;

/* The same of bfloat16, whose columns are neighbours. */
typedef struct cnn_bf16_matrix {
    const cnn_bf16 *values;
    int64_t rows, columns;
    ptrdiff_t row_stride;
} cnn_bf16_matrix;

typedef struct cnn_matrix_kernels {
    /* Adds the rows to `sum`, in order. column_stride is 1, here and in `transpose`. */
    void (*sum_rows)(const cnn_matrix *from, float *sum);

    void (*clamp)(float *values, int64_t count, cnn_clamp clamp);

    /* to[c * to_stride + r] = (r, c) */
    void (*transpose)(const cnn_matrix *from, float *to, ptrdiff_t to_stride);

    /* to[r * to_stride + c] = the pair of bfloat16 nearest to (2 * r, c) and (2 * r + 1, c). NULL where there is no dot
     * product of bfloat16. */
    void (*pack_bf16_pairs)(const cnn_matrix *from, float *to, ptrdiff_t to_stride);

    /* The same of what is bfloat16 already; zeros are paired with an odd last row. */
    void (*pair_bf16_rows)(const cnn_bf16_matrix *from, float *to, ptrdiff_t to_stride);
} cnn_matrix_kernels;

#endif
