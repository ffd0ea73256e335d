/* The inner loops of convolutions and dense layers. gemm_blocking.h has them for any size. */
#ifndef CNN_KERNELS_GEMM_GEMM_H
#define CNN_KERNELS_GEMM_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/activation.h"
#include "kernels/gemm/indirection.h"

/* A product of matrices, to which convolutions and dense layers come down:
 *
 *   c[outputs[r] + j] = sum over o < outer, i < inner of
 *                       a[rows[r] + taps[o] + i * a_stride] * b[(o * inner + i) * b_stride + j]
 *
 * for each row r and column j, to which `bias` and `residual` or, to accumulate, the old c is added; then clamped. */
typedef struct cnn_gemm {
    bool bf16_dot; /* a and b are pairs of bfloat16, each counted as one float: products are the sums of two */
    int64_t rows, columns, outer, inner;
    const float *a;
    cnn_indirection indirection;
    ptrdiff_t a_stride;
    const float *b;
    ptrdiff_t b_stride;
    const float *next; /* packed as b is, wanted after it, and fetched into the second-level cache meanwhile; or NULL */
    float *c;
    bool accumulate;
    const float *bias;     /* `columns` of them, or NULL */
    const float *residual; /* lies as c does; or NULL */
    cnn_clamp clamp;
} cnn_gemm;

typedef struct cnn_gemm_kernels {
    int32_t width;   /* floats in a vector */
    int32_t columns; /* that `multiply` takes at most */
    void (*multiply)(const cnn_gemm *gemm);

    /* The same channel by channel, for depthwise convolutions: a has columns, inner is 1.
     *   c[outputs[r] + j] = sum over o of a[rows[r] + taps[o] + j] * b[o * b_stride + j] */
    void (*multiply_channels)(const cnn_gemm *gemm);

    /* And its gradient by b, without bias and clamp:
     *   c[outputs[o] + j] = sum over r of a[rows[r] + taps[o] + j] * b[r * b_stride + j] */
    void (*correlate_channels)(const cnn_gemm *gemm);
} cnn_gemm_kernels;

/* Of instruction sets that multiply pairs of bfloat16. Vectors and columns are as of the product kernels beside it. */
typedef struct cnn_bf16_dot_kernels {
    void (*multiply)(const cnn_gemm *gemm);
} cnn_bf16_dot_kernels;

#endif
