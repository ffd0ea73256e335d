/* Depthwise convolutions of bytes: each channel by itself. A group of simd/vector_bytes.h has numbers of one column of
 * the input, from as many rows as a group has numbers: rows are interleaved, and the sums are dot products down and
 * additions across.
 *
 * Read int8_depthwise.c (tasks), then int8_depthwise_ukernel.c. */
#ifndef CNN_KERNELS_INT8_INT8_DEPTHWISE_H
#define CNN_KERNELS_INT8_INT8_DEPTHWISE_H

#include "kernels/int8/int8_gemm.h"
#include "kernels/int8/int8_plan.h"

/* Rows that `interleave` takes at most, and what it may write behind the last group. */
enum { CNN_INT8_MAX_GROUP = 4, CNN_INT8_INTERLEAVED_BEHIND = 256 };

/* Neighbouring results. sum[x][c] = bias[c] + sum over i < tap_count of
 * (group at source + x * step + taps[i] + c * group_bytes) · (group at weights + i * weight_stride + c * group_bytes)
 */
typedef struct cnn_int8_depthwise_row {
    int64_t pixels, channels;
    const uint8_t *source;
    ptrdiff_t step; /* distances are in bytes */
    const ptrdiff_t *taps;
    int64_t tap_count;
    const uint8_t *weights;
    ptrdiff_t weight_stride;
    const int32_t *bias;     /* whole vectors of them */
    ptrdiff_t result_stride; /* elements between neighbouring results */
    cnn_int8_result result;
} cnn_int8_depthwise_row;

typedef struct cnn_int8_depthwise_kernels {
    int32_t group; /* numbers that a sum takes at a time: 2 are int16_t, 4 are bytes */
    int32_t group_bytes;
    /* The groups of `count` bytes of each row. */
    void (*interleave)(const uint8_t *const rows[CNN_INT8_MAX_GROUP], int64_t count, uint8_t *to);
    void (*multiply)(const cnn_int8_depthwise_row *row);
} cnn_int8_depthwise_kernels;

size_t cnn_int8_depthwise_workspace(cnn_context *context, const cnn_conv_shape *shape);

/* One call. */
typedef struct cnn_int8_depthwise_call {
    cnn_context *context;
    const cnn_conv_shape *shape;
    int32_t zero; /* of the input */
    const uint8_t *input;
    const char *packed;
    cnn_int8_result result; /* from the first channel of the first pixel on */
} cnn_int8_depthwise_call;

void cnn_int8_depthwise_run(const cnn_int8_depthwise_call *call, void *workspace);

#endif
