/* Depthwise correlations of floats with windows of 3 or 5 pixels across, by steps of 1 or 2: each channel by itself,
 * straight from the image, a row of the result at a time. */
#ifndef CNN_KERNELS_DEPTHWISE_H
#define CNN_KERNELS_DEPTHWISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/correlation.h"

/* Whether a call is one of those. It needs no workspace then. */
bool cnn_depthwise_fits(const cnn_correlation_call *call);
void cnn_depthwise_run(const cnn_correlation_call *call);

/* A row of the result. */
typedef struct cnn_depthwise_row {
    const float *from; /* the source's row that meets the first row of taps */
    ptrdiff_t row_stride, pixel_stride;
    int64_t source_width, origin; /* origin: the source's column that meets the first pixel's first tap */
    int64_t taps, tap_rows;       /* across, and rows of them that are inside the source */
    int64_t step;
    const float *weights; /* tap_rows × taps × channels, */
    ptrdiff_t tap_stride; /* between taps */
    const float *bias;    /* or NULL */
    const float *addend;  /* lies as `to` does; or NULL */
    float low, high;
    int64_t width, channels;
    float *to;
    ptrdiff_t to_stride; /* between pixels */
} cnn_depthwise_row;

typedef struct cnn_depthwise_kernels {
    void (*row)(const cnn_depthwise_row *row);
} cnn_depthwise_kernels;

#endif
