/* Arrays of `rows` rows of `channels` numbers (the pixels of images, or images of features), worked on channel by
 * channel: what batch normalisation and global pooling are made of. Sums are taken over blocks of a size that depends
 * on `channels` alone, then over the blocks in order. Outputs may lie where the first input does. */
#ifndef CNN_KERNELS_CHANNELS_H
#define CNN_KERNELS_CHANNELS_H

#include <stddef.h>

#include <cnn/context.h>

/* Of cnn_channel_moments and cnn_channel_products. */
size_t cnn_channel_workspace(size_t rows, size_t channels);

/* Mean and variance (the sum of squares over `rows`) of each channel. */
void cnn_channel_moments(cnn_context *context, const float *input, size_t rows, size_t channels, float *mean,
                         float *variance, void *workspace);

/* Per channel, the sum of `gradient` and that of gradient × (input − mean). */
void cnn_channel_products(cnn_context *context, const float *input, const float *gradient, size_t rows, size_t channels,
                          const float *mean, float *sum, float *product, void *workspace);

/* Numbers per channel. */
typedef struct cnn_channel_affine {
    const float *subtract, *multiply, *add;
} cnn_channel_affine;

/* output = (input − subtract) × multiply + add */
void cnn_channel_apply(cnn_context *context, const cnn_channel_affine *affine, const float *input, size_t rows,
                       size_t channels, float *output);

/* input_gradient = (gradient − add − (input − subtract) × slope) × multiply */
void cnn_channel_center(cnn_context *context, const cnn_channel_affine *affine, const float *slope, const float *input,
                        const float *gradient, size_t rows, size_t channels, float *input_gradient);

/* Sums of one image: `rows` are few enough for one task. */
void cnn_channel_sum(cnn_context *context, const float *input, size_t rows, size_t channels, float *sum);

/* The loops, of one instruction set: over `count` numbers whose channels repeat every `period`. Sums have `period`
 * numbers, and so have the numbers per channel. */
typedef struct cnn_channel_kernels {
    void (*sum)(const float *input, size_t count, size_t period, float *sum);
    void (*squares)(const float *input, size_t count, size_t period, const float *mean, float *sum);
    void (*products)(const float *input, const float *gradient, size_t count, size_t period, const float *mean,
                     float *sum, float *product);
    void (*apply)(const float *input, size_t count, size_t period, const float *subtract, const float *multiply,
                  const float *add, float *output);
    void (*center)(const float *input, const float *gradient, size_t count, size_t period, const float *subtract,
                   const float *slope, const float *add, const float *multiply, float *input_gradient);
} cnn_channel_kernels;

#endif
