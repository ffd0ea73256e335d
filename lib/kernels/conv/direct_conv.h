/* What the forward pass of a convolution and its gradient by the input have in common: each pixel of the result is a
 * sum over taps, pixels of the source at fixed distances, of the tap's channels times a matrix.
 *
 *   result[y][x] = sum over taps (v, u) of source[origin[0] + y * step[0] + v * tap_step[0]]
 *                                                [origin[1] + x * step[1] + u * tap_step[1]] * weights[v][u]
 */
#ifndef CNN_KERNELS_CONV_DIRECT_CONV_H
#define CNN_KERNELS_CONV_DIRECT_CONV_H

#include <stdbool.h>

#include "kernels/conv/conv.h"
#include "kernels/conv/padded_tile.h"
#include "kernels/kernels.h"

typedef struct cnn_correlation {
    int64_t batch;
    int64_t source_height, source_width, source_channels;
    int64_t height, width, channels; /* of the result */
    int64_t origin[2], step[2], taps[2], tap_step[2];
    int64_t groups;
    bool source_narrow, result_narrow; /* they are bfloat16 */
    bool pairs;                        /* products are of bfloat16: of pairs of source channels, of which there are
                                          `source_channels` */
    bool in_batches;                   /* speed for batches counts, not that for single images */
} cnn_correlation;

/* The weights as they are in memory: where the first is, and the floats between groups, taps and (single) channels. */
typedef struct cnn_correlation_weights {
    const float *first;
    ptrdiff_t group, tap[2], source_channel, channel;
} cnn_correlation_weights;

/* Makes products of bfloat16 where the source is that and the instruction set can. Comes first. */
void cnn_correlation_choose(const cnn_kernels *kernels, cnn_correlation *shape);

size_t cnn_correlation_packed_bytes(const cnn_kernels *kernels, const cnn_correlation *shape);
void cnn_correlation_pack(cnn_context *context, const cnn_correlation *shape, const cnn_correlation_weights *weights,
                          float *packed);

/* One call. */
typedef struct cnn_correlation_call {
    cnn_context *context;
    cnn_correlation shape;
    cnn_strip_source source;
    const float *packed;
    const float *bias;   /* or NULL */
    const float *addend; /* is added to the result, and lies as that does; or NULL */
    float low, high;     /* what results are limited to */
    int32_t pool[2];     /* 0: none; the result's size is a multiple of it */
    uint8_t *argmax;
    void *result; /* pooled and dense, or with these values between pixels, rows and images */
    int64_t pixel_stride, row_stride, image_stride;
} cnn_correlation_call;

size_t cnn_correlation_workspace(const cnn_correlation_call *call);
void cnn_correlation_run(const cnn_correlation_call *call, void *workspace);

#endif
