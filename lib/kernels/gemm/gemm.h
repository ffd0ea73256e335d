/* The inner loops of convolutions and dense layers. gemm_blocking.h has them for any size. */
#ifndef CNN_KERNELS_GEMM_GEMM_H
#define CNN_KERNELS_GEMM_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A product of matrices, to which convolutions and dense layers come down:
 *
 *   c[c_rows[r] + j] = sum over o < outer, i < inner of
 *                      a[a_rows[r] + a_offsets[o] + i * a_step] * b[(o * inner + i) * b_step + j]
 *
 * for each row r and column j, to which `bias` and `addend` or, to accumulate, the old c is added; then limited to
 * low..high. */
typedef struct cnn_product {
    bool pairs; /* a and b are pairs of bfloat16, each counted as one float: products are the sums of two */
    int64_t rows, columns, outer, inner;
    const float *a;
    const ptrdiff_t *a_rows, *a_offsets;
    ptrdiff_t a_step;
    const float *b;
    ptrdiff_t b_step;
    const float *next; /* packed as b is, wanted after it, and fetched into the second-level cache meanwhile; or NULL */
    float *c;
    const ptrdiff_t *c_rows;
    bool accumulate;
    const float *bias;   /* `columns` of them, or NULL */
    const float *addend; /* lies as c does; or NULL */
    float low, high;
} cnn_product;

typedef struct cnn_product_kernels {
    int32_t width;   /* floats in a vector */
    int32_t columns; /* that `multiply` takes at most */
    void (*multiply)(const cnn_product *product);

    /* The same channel by channel, for depthwise convolutions: a has columns, inner is 1.
     *   c[c_rows[r] + j] = sum over o of a[a_rows[r] + a_offsets[o] + j] * b[o * b_step + j] */
    void (*multiply_channels)(const cnn_product *product);

    /* And its gradient by b, without bias and limits:
     *   c[c_rows[o] + j] = sum over r of a[a_rows[r] + a_offsets[o] + j] * b[r * b_step + j] */
    void (*correlate_channels)(const cnn_product *product);
} cnn_product_kernels;

/* Of instruction sets that multiply pairs of bfloat16. Vectors and columns are as of the product kernels beside it. */
typedef struct cnn_pair_kernels {
    void (*multiply)(const cnn_product *product);
} cnn_pair_kernels;

#endif
