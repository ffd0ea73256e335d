/* gemm, of the indirect kind (M. Dukhan, "The indirect convolution algorithm", arXiv:1907.02129): the product of
 * matrices to which convolutions, their gradients and dense layers come down, and its micro-kernels.
 *
 * Rows of the result are pixels (or rows of a dense layer's input), columns are channels. The sum runs over `outer`
 * taps, of each of which `inner` numbers lie together.
 *
 * Read indirection.h (where the rows of `a` lie), gemm_ukernel.c (a register tile), gemm_blocking.h (packed weights,
 * and gemm of any size). */
#ifndef CNN_KERNELS_GEMM_GEMM_H
#define CNN_KERNELS_GEMM_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/activation.h"
#include "kernels/gemm/indirection.h"

/*   c[outputs[r] + j] = sum over o < outer, i < inner of
 *                       a[rows[r] + taps[o] + i * a_stride] * b[(o * inner + i) * b_stride + j]
 *
 * for each row r and column j, where rows, taps and outputs are the indirection buffer's; to it `bias` and `residual`
 * or, to accumulate, the old c is added; then it is clamped. */
typedef struct cnn_gemm {
    bool bf16_dot; /* a and b are pairs of bfloat16, each counted as one float, whose dot products are added */
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
} cnn_gemm_kernels;

/* Of instruction sets with dot products of bfloat16. Width and columns are those of the gemm kernels. */
typedef struct cnn_bf16_dot_kernels {
    void (*multiply)(const cnn_gemm *gemm);
} cnn_bf16_dot_kernels;

#endif
