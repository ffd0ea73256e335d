/* The gradient by a depthwise convolution's weights, straight from the image: rows of a tile at a time, whose sums stay
 * in registers. */
#ifndef CNN_KERNELS_DEPTHWISE_DEPTHWISE_WEIGHTS_H
#define CNN_KERNELS_DEPTHWISE_DEPTHWISE_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows of the gradient by the result, and the image that they meet; what is outside of it is padding. Row y and pixel x
 * of the gradient meet at tap (v, u) row origin[0] + y * stride[0] + v * dilation[0] and column likewise. */
typedef struct cnn_depthwise_weights {
    int64_t rows, width, channels;
    const float *gradient;
    ptrdiff_t gradient_row, gradient_pixel; /* between its rows, between its pixels */
    const float *image;                     /* row and column 0 */
    ptrdiff_t image_row, image_pixel;
    int64_t image_height, image_width;
    int64_t origin[2], taps[2], stride[2], dilation[2];
    float *weights; /* the sums, for each tap `channels` of them, */
    ptrdiff_t tap_stride;
    bool accumulate; /* which are added to, or overwritten */
} cnn_depthwise_weights;

typedef struct cnn_depthwise_weights_kernels {
    void (*rows)(const cnn_depthwise_weights *rows);
} cnn_depthwise_weights_kernels;

#endif
