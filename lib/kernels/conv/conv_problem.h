/* What the forward pass of a convolution and its gradient by the input have in common: each pixel of the result is a
 * sum over taps, pixels of the source at fixed distances, of the tap's channels times a matrix.
 *
 *   result[y][x] = sum over taps (v, u) of source[origin[0] + y * stride[0] + v * dilation[0]]
 *                                                [origin[1] + x * stride[1] + u * dilation[1]] * weights[v][u]
 *
 * conv_algorithm.h computes it. */
#ifndef CNN_KERNELS_CONV_CONV_PROBLEM_H
#define CNN_KERNELS_CONV_CONV_PROBLEM_H

#include <stdbool.h>

#include "kernels/conv/conv.h"
#include "kernels/conv/padded_tile.h"
#include "kernels/kernels.h"

typedef struct cnn_conv_problem {
    int64_t batch;
    int64_t source_height, source_width, source_channels;
    int64_t height, width, channels; /* of the result */
    int64_t origin[2], stride[2], taps[2], dilation[2];
    int64_t groups;
    bool source_bf16, result_bf16; /* they are bfloat16 */
    bool bf16_dot;                 /* of bfloat16: `source_channels` are pairs of channels */
    bool in_batches;               /* speed for batches counts, not that for single images */
} cnn_conv_problem;

/* The problem of a forward pass. */
cnn_conv_problem cnn_conv_problem_of(const cnn_conv_shape *shape);

/* Chooses dot products of bfloat16 where the source is that and the instruction set can. Comes before all that follows.
 */
void cnn_conv_problem_choose_type(const cnn_kernels *kernels, cnn_conv_problem *problem);

/* The weights as they are in memory: where the first is, and the floats between groups, taps and (single) channels. */
typedef struct cnn_conv_weights {
    const float *first;
    ptrdiff_t group, tap[2], source_channel, channel;
} cnn_conv_weights;

/* Values between neighbours in an array of images; with bf16_dot, pairs of them. */
typedef struct cnn_pixel_strides {
    int64_t pixel, row, image;
} cnn_pixel_strides;

static inline int64_t cnn_pixel_offset(cnn_pixel_strides strides, int64_t image, int64_t y, int64_t x)
{
    return image * strides.image + y * strides.row + x * strides.pixel;
}

/* One call. */
typedef struct cnn_conv_call {
    cnn_context *context;
    cnn_conv_problem problem;
    cnn_tile_source source;
    const float *packed;
    const float *bias;     /* or NULL */
    const float *residual; /* is added to the result, and lies as that does; or NULL */
    cnn_clamp clamp;
    int32_t pool[2]; /* 0: none; the result's size is a multiple of it */
    uint8_t *argmax;
    void *result;              /* pooled and dense, or */
    cnn_pixel_strides strides; /* with these strides */
} cnn_conv_call;

/* What the algorithms ask. */

/* Each channel by itself; not with bf16_dot. */
bool cnn_conv_is_depthwise(const cnn_conv_problem *problem);

/* Whether a tap meets padding. */
bool cnn_conv_reads_outside(const cnn_conv_problem *problem);

/* Rows and columns of the source that meet `rows` rows of the result, or all of its columns. */
int64_t cnn_conv_source_rows(const cnn_conv_problem *problem, int64_t rows);
int64_t cnn_conv_source_columns(const cnn_conv_problem *problem);

/* Rows of taps, first to last - 1, that don't meet padding alone, for a row of the result. */
typedef struct cnn_tap_rows {
    int64_t first, last;
} cnn_tap_rows;

cnn_tap_rows cnn_conv_tap_rows(const cnn_conv_problem *problem, int64_t row);

/* Pixels as a task takes them, row by row and in each all images, `step` apart: their offsets, into a table of an
 * indirection buffer. */
typedef struct cnn_task_pixels {
    int64_t images, rows, width;
} cnn_task_pixels;

void cnn_fill_pixels(const cnn_task_pixels *pixels, const int64_t step[2], cnn_pixel_strides strides,
                     ptrdiff_t *offsets);

#endif
