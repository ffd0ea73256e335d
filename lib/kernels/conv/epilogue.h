/* What is done to rows of pixels on their way into and out of products. */
#ifndef CNN_KERNELS_CONV_EPILOGUE_H
#define CNN_KERNELS_CONV_EPILOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Max-pooling of windows that lie side by side; a window of 1 × 1 leaves the values as they are. */
typedef struct cnn_pooling {
    const float *from;
    ptrdiff_t row_stride, pixel_stride; /* pixels between its rows, floats between its pixels */
    int32_t window[2];
    int64_t pixels, channels; /* of the result */
    float low, high;          /* that it is limited to */
    void *to;                 /* floats or, if `narrow`, bfloat16 */
    bool narrow;
    uint8_t *argmax; /* the place of the maximum in its window, of equals the first; or NULL */
    ptrdiff_t to_stride;
} cnn_pooling;

/* Pixels first to last - 1 of a row, of which windows of `window` pixels were pooled. */
typedef struct cnn_unpooling {
    const void *gradient, *output; /* of the row's first window; output may be NULL */
    const uint8_t *argmax;
    int64_t first, last;
    int32_t window, place; /* place: of the row's first pixel in its window */
    int64_t channels;
    ptrdiff_t stride, to_stride; /* between windows, between pixels of the result */
    float low, high;
    void *to; /* of pixel `first` */
} cnn_unpooling;

/* What gradients are, and what is made of them. */
typedef enum cnn_row_types {
    CNN_ROW_FLOATS,  /* floats both */
    CNN_ROW_NARROW,  /* bfloat16 both */
    CNN_ROW_WIDENED, /* floats of bfloat16 */
    CNN_ROW_TYPES
} cnn_row_types;

typedef struct cnn_row_kernels {
    void (*pool)(const cnn_pooling *pooling);

    /* to = gradient where low < output < high (output NULL: everywhere), elsewhere 0. */
    void (*mask_gradient[CNN_ROW_TYPES])(const void *gradient, const void *output, float low, float high, int64_t count,
                                         void *to);

    /* The same for a row of pixels that pooling has read: 0 too unless argmax is the pixel's place in its window. */
    void (*unpool_gradient[CNN_ROW_TYPES])(const cnn_unpooling *row);

    void (*sum_rows)(const float *from, ptrdiff_t stride, int64_t rows, int64_t columns, float *sum); /* adds to sum */

    void (*limit)(float *values, int64_t count, float low, float high);

    /* to[r * to_stride + c] = the pair of bfloat16 nearest to from[2 * r * row_stride + c * column_stride] and
     * from[(2 * r + 1) * row_stride + c * column_stride]. NULL where there is no product of pairs. */
    void (*pack_pairs)(const float *from, ptrdiff_t row_stride, ptrdiff_t column_stride, int64_t rows, int64_t columns,
                       float *to, ptrdiff_t to_stride);

    /* to[c * to_stride + r] = from[r * from_stride + c] */
    void (*transpose)(const float *from, ptrdiff_t from_stride, int64_t rows, int64_t columns, float *to,
                      ptrdiff_t to_stride);
} cnn_row_kernels;

#endif
