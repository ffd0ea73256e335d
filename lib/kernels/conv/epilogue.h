/* What follows a convolution's sums, for rows of pixels in a staging buffer: max-pooling, clamp, rounding to bfloat16.
 * And its gradient: from that by the result to that by the sums. */
#ifndef CNN_KERNELS_CONV_EPILOGUE_H
#define CNN_KERNELS_CONV_EPILOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/activation.h"

/* Max-pooling of windows that lie side by side; a window of 1 × 1 leaves the values as they are. */
typedef struct cnn_pooling {
    const float *from;
    ptrdiff_t row_stride, pixel_stride; /* pixels between its rows, floats between its pixels */
    int32_t window[2];
    int64_t pixels, channels; /* of the result */
    cnn_clamp clamp;          /* of the result */
    void *to;                 /* floats or, if `bf16`, bfloat16 */
    bool bf16;
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
    cnn_clamp clamp;
    void *to; /* of pixel `first` */
} cnn_unpooling;

/* What gradients are, and what is made of them. */
typedef enum cnn_gradient_types {
    CNN_GRADIENT_FLOATS,         /* floats both */
    CNN_GRADIENT_BF16,           /* bfloat16 both */
    CNN_GRADIENT_BF16_TO_FLOATS, /* floats of bfloat16 */
    CNN_GRADIENT_TYPES
} cnn_gradient_types;

typedef struct cnn_epilogue_kernels {
    void (*pool)(const cnn_pooling *pooling);

    /* to = gradient where clamp.min < output < clamp.max (output NULL: everywhere), elsewhere 0. */
    void (*mask_gradient[CNN_GRADIENT_TYPES])(const void *gradient, const void *output, cnn_clamp clamp, int64_t count,
                                              void *to);

    /* The same for a row of pixels that pooling has read: 0 too unless argmax is the pixel's place in its window. */
    void (*unpool_gradient[CNN_GRADIENT_TYPES])(const cnn_unpooling *row);
} cnn_epilogue_kernels;

#endif
