/* Pooling of N×H×W×C images. Padding never counts; every window has a pixel of the image. */
#ifndef CNN_KERNELS_POOLING_H
#define CNN_KERNELS_POOLING_H

#include <stdint.h>

#include <cnn/context.h>

typedef struct cnn_pool_shape {
    int64_t batch;
    int64_t in_height, in_width, channels;
    int64_t out_height, out_width;
    int32_t kernel[2], stride[2]; /* down, across */
    int32_t pad_top, pad_left;
} cnn_pool_shape;

/* `argmax`: per pooled value, the row-major number of its maximum in the window (the first of equals), for
 * cnn_max_pool_backward; NULL if not wanted. Kernels of at most 65536 pixels. */
void cnn_max_pool_forward(cnn_context *context, const cnn_pool_shape *shape, const float *input, float *output,
                          uint16_t *argmax);
void cnn_avg_pool_forward(cnn_context *context, const cnn_pool_shape *shape, const float *input, float *output);

/* These overwrite `input_gradient`. */
void cnn_max_pool_backward(cnn_context *context, const cnn_pool_shape *shape, const float *gradient,
                           const uint16_t *argmax, float *input_gradient);
void cnn_avg_pool_backward(cnn_context *context, const cnn_pool_shape *shape, const float *gradient,
                           float *input_gradient);

/* The mean of each channel over an image's `pixels`. */
void cnn_global_avg_pool_forward(cnn_context *context, const float *input, int64_t batch, int64_t pixels,
                                 int64_t channels, float *output);
void cnn_global_avg_pool_backward(cnn_context *context, const float *gradient, int64_t batch, int64_t pixels,
                                  int64_t channels, float *input_gradient);

/* The loops, of one instruction set: over a row of pooled values (`y`) of one image, or over a row of the image's
 * gradient. */
typedef struct cnn_pool_kernels {
    void (*max)(const cnn_pool_shape *shape, const float *image, int64_t y, float *row, uint16_t *argmax);
    void (*avg)(const cnn_pool_shape *shape, const float *image, int64_t y, float *row);
    void (*max_backward)(const cnn_pool_shape *shape, const float *gradient, const uint16_t *argmax, int64_t y,
                         float *row);
    void (*avg_backward)(const cnn_pool_shape *shape, const float *gradient, int64_t y, float *row);
} cnn_pool_kernels;

#endif
