/* Arrays of `rows` rows of `channels` numbers (the pixels of images, or images of features), worked on channel by
 * channel: what batch normalisation and global pooling are made of. Sums are taken over blocks of a size that depends
 * on `channels` alone, then over the blocks in order. Values are floats or bfloat16, as `type` says; numbers per
 * channel are floats. Outputs may lie where the first input does. */
#ifndef CNN_KERNELS_CHANNELS_H
#define CNN_KERNELS_CHANNELS_H

#include <stddef.h>

#include <cnn/context.h>
#include <cnn/tensor.h>

/* Of cnn_channel_moments and cnn_channel_products. */
size_t cnn_channel_workspace(size_t rows, size_t channels);

/* Mean and variance (the sum of squares over `rows`) of each channel. */
void cnn_channel_moments(cnn_context *context, cnn_dtype type, const void *input, size_t rows, size_t channels,
                         float *mean, float *variance, void *workspace);

/* Per channel, the sum of `gradient` and that of gradient × (input − mean). */
void cnn_channel_products(cnn_context *context, cnn_dtype type, const void *input, const void *gradient, size_t rows,
                          size_t channels, const float *mean, float *sum, float *product, void *workspace);

/* Numbers per channel. */
typedef struct cnn_channel_affine {
    const float *subtract, *multiply, *add;
} cnn_channel_affine;

/* output = (input − subtract) × multiply + add */
void cnn_channel_apply(cnn_context *context, cnn_dtype type, const cnn_channel_affine *affine, const void *input,
                       size_t rows, size_t channels, void *output);

/* input_gradient = (gradient − add − (input − subtract) × slope) × multiply */
void cnn_channel_center(cnn_context *context, cnn_dtype type, const cnn_channel_affine *affine, const float *slope,
                        const void *input, const void *gradient, size_t rows, size_t channels, void *input_gradient);

/* Sums of one image: `rows` are few enough for one task. */
void cnn_channel_sum(cnn_context *context, cnn_dtype type, const void *input, size_t rows, size_t channels, float *sum);

/* The loops, of one instruction set: over `count` numbers whose channels repeat every `period`. Sums have `period`
 * numbers, and so have the numbers per channel. Of floats,
 * and of bfloat16. */
typedef struct cnn_channel_kernels {
    void (*sum[2])(const void *input, size_t count, size_t period, float *sum);
    void (*squares[2])(const void *input, size_t count, size_t period, const float *mean, float *sum);
    void (*products[2])(const void *input, const void *gradient, size_t count, size_t period, const float *mean,
                        float *sum, float *product);
    void (*apply[2])(const void *input, size_t count, size_t period, const float *subtract, const float *multiply,
                     const float *add, void *output);
    void (*center[2])(const void *input, const void *gradient, size_t count, size_t period, const float *subtract,
                      const float *slope, const float *add, const float *multiply, void *input_gradient);
} cnn_channel_kernels;

#endif
