/* Depthwise convolutions of floats with kernels 3 or 5 pixels wide and strides of 1 or 2: each channel by itself,
 * straight from the image, a row or two of the result at a time. All else goes by depthwise_gemm.h; the gradient by
 * weights by depthwise_weights.h.
 *
 * Read depthwise.c (tasks), then depthwise_ukernel.c (a register tile of 7 pixels), depthwise_gemm_ukernel.c. */
#ifndef CNN_KERNELS_DEPTHWISE_DEPTHWISE_H
#define CNN_KERNELS_DEPTHWISE_DEPTHWISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/conv/conv_problem.h"

/* Whether a call is one of those. It needs no workspace then. */
bool cnn_depthwise_fits(const cnn_conv_call *call);
void cnn_depthwise_run(const cnn_conv_call *call);

/* A row of the result, or two that begin `stride` rows of the source apart. The source's rows are those that meet rows
 * of taps, numbered from the first that the first row of the result meets. */
typedef struct cnn_depthwise_rows {
    int64_t rows;        /* of the result */
    int64_t first, last; /* the source's rows first to last - 1 are inside the image; the others are padding */
    const float *from;   /* row `first` */
    ptrdiff_t row_stride, pixel_stride;
    int64_t source_width, origin; /* origin: the source's column that meets the first pixel's first tap */
    int64_t taps[2], stride;      /* taps: down and across */
    const float *weights;         /* of the first tap of taps[0] × taps[1] */
    ptrdiff_t tap_stride;         /* between taps */
    const float *bias;            /* or NULL */
    const float *residual;        /* lies as `to` does; or NULL */
    cnn_clamp clamp;
    int64_t width, channels;
    float *to;
    ptrdiff_t to_row_stride, to_stride; /* between rows, between pixels */
} cnn_depthwise_rows;

typedef struct cnn_depthwise_kernels {
    int64_t most_rows; /* of the result that `rows` takes */
    void (*rows)(const cnn_depthwise_rows *rows);
} cnn_depthwise_kernels;

#endif
