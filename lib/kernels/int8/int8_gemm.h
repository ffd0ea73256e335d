/* The inner loops of int8 inference. Every instruction set gives the same bytes. */
#ifndef CNN_KERNELS_INT8_INT8_GEMM_H
#define CNN_KERNELS_INT8_INT8_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What becomes of sums: byte = round(sum * scale[j] + (residual - residual_zero) * residual_scale) + zero, limited to
 * low..high. Each operation is one of fp32's, rounded to nearest, and so is the last, to the even one of two. The same
 * without rounding, zero and limits is the result in floats, if those are wanted. */
typedef struct cnn_int8_result {
    const float *scale; /* whole vectors of them */
    float low, high;    /* before `zero` is added */
    int32_t zero;
    const uint8_t *residual; /* lies as `bytes` does; NULL: none */
    float residual_scale;
    int32_t residual_zero;
    uint8_t *bytes;
    float *floats; /* instead of bytes; has no residual */
} cnn_int8_result;

/* A product of matrices, to which convolutions and dense layers come down. The sums are
 *
 *   sum[r][j] = bias[j] + sum over i < terms of (a + a_rows[r] + a_offsets[i]) * b[i][j]
 *
 * where terms are products of groups (32 bits of a, see simd/vector_bytes.h), and b is packed: for each group a vector
 * or more of columns, in each lane the group's weights. With `pool`, four rows that follow each other become one, their
 * maximum. */
typedef struct cnn_int8_product {
    int64_t rows, terms;
    int32_t columns;
    bool pool;
    const uint8_t *a;
    const ptrdiff_t *a_rows, *a_offsets; /* in bytes */
    const uint8_t *b;
    const int32_t *bias;     /* whole vectors of them */
    const ptrdiff_t *c_rows; /* of results: in elements */
    cnn_int8_result result;
} cnn_int8_product;

typedef struct cnn_int8_kernels {
    int32_t width;   /* lanes of a vector */
    int32_t columns; /* that `multiply` takes at most */
    int32_t group;   /* numbers in 32 bits: 4 are bytes, 2 are int16_t */
    void (*multiply)(const cnn_int8_product *product);

    /* The same channel by channel, for depthwise convolutions: a is bytes and has columns, b is int32_t, b_step of them
     * for each tap, any number of columns.
     *   sum[r][j] = bias[j] + sum over i < terms of (a + a_rows[r] + a_offsets[i])[j] * b[i * b_step + j] */
    void (*multiply_channels)(const cnn_int8_product *product, int64_t b_step);

    /* Bytes to int16_t. */
    void (*widen)(const uint8_t *from, int64_t count, int16_t *to);

    /* byte = round(value * inverse_scale) + zero, limited to 0..255; value = scale * (byte - zero) */
    void (*quantize)(const float *from, int64_t count, float inverse_scale, int32_t zero, uint8_t *to);
    void (*dequantize)(const uint8_t *from, int64_t count, float scale, int32_t zero, float *to);

    /* (byte - zero) * scale, added to the sums or put into their place. */
    void (*add_scaled)(const uint8_t *from, int64_t count, float scale, int32_t zero, float *sums, bool first);
    /* round(sum) + zero, limited to low..high after that. */
    void (*round_sums)(const float *sums, int64_t count, int32_t zero, int32_t low, int32_t high, uint8_t *to);

    /* The greatest of each channel in a window: `size` pixels down and across, bytes between rows. */
    void (*max_window)(const uint8_t *from, const int64_t size[2], int64_t row, int64_t channels, uint8_t *to);
    /* Bytes added to sums. */
    void (*accumulate)(const uint8_t *from, int64_t count, int32_t *sums);
} cnn_int8_kernels;

#endif
