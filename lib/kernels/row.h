/* What is done to rows of pixels on their way into and out of products. */
#ifndef CNN_KERNELS_ROW_H
#define CNN_KERNELS_ROW_H

#include <stddef.h>
#include <stdint.h>

/* Max-pooling of windows that lie side by side. */
typedef struct cnn_pooling {
    const float *from;
    ptrdiff_t row_stride, pixel_stride; /* pixels between its rows, floats between its pixels */
    int32_t window[2];
    int64_t pixels, channels; /* of the result */
    float low, high;          /* that it is limited to */
    float *to;
    uint8_t *argmax; /* the place of the maximum in its window, of equals the first; or NULL */
    ptrdiff_t to_stride;
} cnn_pooling;

/* Pixels first to last - 1 of a row, of which windows of `window` pixels were pooled. */
typedef struct cnn_unpooling {
    const float *gradient, *output; /* of the row's first window; output may be NULL */
    const uint8_t *argmax;
    int64_t first, last;
    int32_t window, place; /* place: of the row's first pixel in its window */
    int64_t channels;
    ptrdiff_t stride, to_stride; /* between windows, between pixels of the result */
    float low, high;
    float *to; /* of pixel `first` */
} cnn_unpooling;

typedef struct cnn_row_kernels {
    void (*pool)(const cnn_pooling *pooling);

    /* to = gradient where low < output < high (output NULL: everywhere), elsewhere 0. */
    void (*mask_gradient)(const float *gradient, const float *output, float low, float high, int64_t count, float *to);

    /* The same for a row of pixels that pooling has read: 0 too unless argmax is the pixel's place in its window. */
    void (*unpool_gradient)(const cnn_unpooling *row);

    void (*sum_rows)(const float *from, ptrdiff_t stride, int64_t rows, int64_t columns, float *sum); /* adds to sum */

    void (*limit)(float *values, int64_t count, float low, float high);

    /* to[c * to_stride + r] = from[r * from_stride + c] */
    void (*transpose)(const float *from, ptrdiff_t from_stride, int64_t rows, int64_t columns, float *to,
                      ptrdiff_t to_stride);
} cnn_row_kernels;

#endif
