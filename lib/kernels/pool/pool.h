/* Max and average pooling of N×H×W×C images, over windows or whole images, and their gradients. Padding never counts;
 * every window has a pixel of the image. Max-pooling of whole windows after a convolution is part of that:
 * conv/epilogue.h.
 *
 * Read pool.c (a task is a row), then pool_ukernel.c (a vector of channels of one window). */
#ifndef CNN_KERNELS_POOL_POOL_H
#define CNN_KERNELS_POOL_POOL_H

#include <stdint.h>

#include <cnn/context.h>
#include <cnn/tensor.h>

typedef struct cnn_pool_shape {
    int64_t batch;
    int64_t in_height, in_width, channels;
    int64_t out_height, out_width;
    int32_t kernel[2], stride[2]; /* down, across */
    int32_t pad_top, pad_left;
    cnn_dtype type; /* of values and gradients: CNN_FLOAT32 or CNN_BFLOAT16 */
} cnn_pool_shape;

/* `argmax`: per pooled value, the row-major number of its maximum in the window (the first of equals), for
 * cnn_max_pool_backward; NULL if not wanted. Kernels of at most 65536 pixels. */
void cnn_max_pool_forward(cnn_context *context, const cnn_pool_shape *shape, const void *input, void *output,
                          uint16_t *argmax);
void cnn_avg_pool_forward(cnn_context *context, const cnn_pool_shape *shape, const void *input, void *output);

/* These overwrite `input_gradient`. */
void cnn_max_pool_backward(cnn_context *context, const cnn_pool_shape *shape, const void *gradient,
                           const uint16_t *argmax, void *input_gradient);
void cnn_avg_pool_backward(cnn_context *context, const cnn_pool_shape *shape, const void *gradient,
                           void *input_gradient);

typedef struct cnn_global_pool_shape {
    int64_t batch, pixels, channels;
    cnn_dtype type; /* of images and gradients by them */
} cnn_global_pool_shape;

/* The mean of each channel over an image's pixels, in floats. */
void cnn_global_avg_pool_forward(cnn_context *context, const cnn_global_pool_shape *shape, const void *input,
                                 float *output);
void cnn_global_avg_pool_backward(cnn_context *context, const cnn_global_pool_shape *shape, const float *gradient,
                                  void *input_gradient);

/* The loops, of one instruction set: over a row of pooled values (`y`) of one image, or over a row of the image's
 * gradient. */
typedef struct cnn_pool_kernels {
    void (*max)(const cnn_pool_shape *shape, const void *image, int64_t y, void *row, uint16_t *argmax);
    void (*avg)(const cnn_pool_shape *shape, const void *image, int64_t y, void *row);
    void (*max_backward)(const cnn_pool_shape *shape, const void *gradient, const uint16_t *argmax, int64_t y,
                         void *row);
    void (*avg_backward)(const cnn_pool_shape *shape, const void *gradient, int64_t y, void *row);
} cnn_pool_kernels;

#endif
