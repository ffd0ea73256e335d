/* The inner loops of int8 inference. Every instruction set gives the same bytes. */
#ifndef CNN_KERNELS_INT8_INT8_GEMM_H
#define CNN_KERNELS_INT8_INT8_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/activation.h"
#include "kernels/gemm/indirection.h"

/* What becomes of sums: byte = round(sum * scale[j] + (residual - residual_zero) * residual_scale) + zero, the rounded
 * number clamped before `zero` is added. Each operation is one of fp32's, rounded to nearest, and so is the last, to
 * the even one of two. The same without rounding, zero and clamp is the result in floats, if those are wanted. */
typedef struct cnn_int8_result {
    const float *scale; /* whole vectors of them */
    cnn_clamp clamp;    /* before `zero` is added */
    int32_t zero;
    const uint8_t *residual; /* lies as `bytes` does; NULL: none */
    float residual_scale;
    int32_t residual_zero;
    uint8_t *bytes;
    float *floats; /* instead of bytes; has no residual */
    int32_t *sums; /* instead of both: the sums as they are, in rows of whole vectors; not with pooling */
} cnn_int8_result;

/* The same for the results that lie `offset` further. */
static inline cnn_int8_result cnn_int8_result_at(const cnn_int8_result *result, ptrdiff_t offset)
{
    cnn_int8_result moved = *result;
    moved.bytes = result->bytes ? result->bytes + offset : NULL;
    moved.floats = result->floats ? result->floats + offset : NULL;
    moved.residual = result->residual ? result->residual + offset : NULL;
    return moved;
}

/* gemm in bytes, to which convolutions and dense layers come down. The sums are
 *
 *   sum[r][j] = bias[j] + sum over i < terms of (a + rows[r] + taps[i]) * b[i][j]
 *
 * where terms are products of groups (see simd/vector_bytes.h), and b is packed: for each group a vector
 * or more of columns, in each lane the group's weights. In memory these are bytes; where a group is 2, `multiply` wants
 * them widened to 16 bits, which is done once for many rows. With `pool`, four rows that follow each other become one,
 * their maximum. */
typedef struct cnn_int8_gemm {
    int64_t rows, terms;
    int32_t columns;
    bool pool;
    const uint8_t *a;
    cnn_indirection indirection; /* of a in bytes, of outputs in elements */
    const uint8_t *b;
    bool bytes;          /* b is bytes although a group is 2: if multiply `takes_bytes` */
    const int32_t *bias; /* whole vectors of them */
    cnn_int8_result result;

    /* Writes the results of a register tile, whose sums are whole vectors: that of the finish kernels. Not
     * called where the result is sums. */
    void (*finish)(const struct cnn_int8_gemm *gemm, int64_t row, int rows, int vectors, const void *sums);
} cnn_int8_gemm;

typedef struct cnn_int8_gemm_kernels {
    int32_t width;   /* lanes of a vector */
    int32_t columns; /* that `multiply` takes at most */
    int32_t group;   /* numbers that a sum takes at a time: 2 are int16_t, 4 or 8 are bytes */
    int32_t group_bytes;
    bool signed_input; /* multiplies bytes less 128: biases make up for it, of whole sums alone */
    void (*multiply)(const cnn_int8_gemm *gemm);
    bool takes_bytes; /* `multiply` widens weights itself if need be, for a twentieth of the speed: of whole blocks of
                       * `columns`, without pooling */
    /* A single row, as of a dense layer for one image. Its `b` is bytes in any case. */
    void (*multiply_row)(const cnn_int8_gemm *gemm);
    /* `count` weights, a multiple of 2 * width, for `multiply`; NULL where it wants bytes. */
    void (*widen_weights)(const uint8_t *from, int64_t count, int16_t *to);
} cnn_int8_gemm_kernels;

/* What goes with them, for vectors of the same width. */
typedef struct cnn_int8_finish_kernels {
    void (*finish)(const cnn_int8_gemm *gemm, int64_t row, int rows, int vectors, const void *sums);

    /* Bytes to int16_t, as `a` is where a group is 2. */
    void (*widen)(const uint8_t *from, int64_t count, int16_t *to);
} cnn_int8_finish_kernels;

#endif
