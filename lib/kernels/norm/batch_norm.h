/* Batch normalisation (S. Ioffe and C. Szegedy, arXiv:1502.03167), and what else works channel by channel: arrays of
 * `rows` rows of `channels` numbers, the pixels of images or images of features. Sums are taken over blocks of a size
 * that depends on `channels` alone, then over the blocks in order; moments of blocks are joined as Chan, Golub and
 * LeVeque do (1979). Values are floats or bfloat16, as `type` says; numbers per channel are floats. Outputs may lie
 * where the first input does.
 *
 * Read batch_norm.c (blocks and their sums), then batch_norm_ukernel.c. The layer's formulas are in
 * layers/batch_norm.c. */
#ifndef CNN_KERNELS_NORM_BATCH_NORM_H
#define CNN_KERNELS_NORM_BATCH_NORM_H

#include <stddef.h>

#include <cnn/context.h>
#include <cnn/tensor.h>

#include "kernels/activation.h"

typedef struct cnn_channels {
    cnn_dtype type;
    size_t rows, channels;
} cnn_channels;

/* Of cnn_batch_norm_moments and cnn_batch_norm_gradient_sums. */
size_t cnn_batch_norm_workspace(size_t rows, size_t channels);

/* Mean and variance (the sum of squares over `rows`) of each channel. */
void cnn_batch_norm_moments(cnn_context *context, const cnn_channels *shape, const void *input, float *mean,
                            float *variance, void *workspace);

/* Numbers per channel. */
typedef struct cnn_batch_norm_affine {
    const float *subtract, *multiply, *add;
} cnn_batch_norm_affine;

/* What else happens on the way to the output: a residual is added, and the sum is clamped. */
typedef struct cnn_batch_norm_epilogue {
    const void *residual; /* of the output's shape, or NULL */
    cnn_clamp clamp;
} cnn_batch_norm_epilogue;

/* output = (input − subtract) × multiply + add, then the epilogue; NULL: none. `output` may lie where the residual
 * does, too. */
void cnn_batch_norm_apply(cnn_context *context, const cnn_channels *shape, const cnn_batch_norm_affine *affine,
                          const cnn_batch_norm_epilogue *epilogue, const void *input, void *output);

/* Which elements of a gradient count: those where the the clamp left the output alone. Elsewhere it is 0. */
typedef struct cnn_batch_norm_mask {
    const void *output; /* NULL: is made again from the input, by */
    const cnn_batch_norm_affine *affine;
    cnn_clamp clamp;
    void *masked; /* cnn_batch_norm_gradient_sums writes the gradient that counts here, which may lie where it is read;
                     or NULL */
} cnn_batch_norm_mask;

typedef struct cnn_batch_norm_backward {
    const cnn_batch_norm_mask *mask; /* NULL: all of the gradient counts */
    const void *input, *gradient;    /* gradient: by the output */
    const float *mean;
} cnn_batch_norm_backward;

/* Per channel, the sum of the gradient and that of gradient × (input − mean). */
void cnn_batch_norm_gradient_sums(cnn_context *context, const cnn_channels *shape, const cnn_batch_norm_backward *pass,
                                  float *sum, float *product, void *workspace);

/* input_gradient = (gradient − subtract − (input − mean) × slope) × multiply, by these numbers per channel. A mask has
 * no output here; its affine subtracts the mean and multiplies by `multiply`. */
typedef struct cnn_batch_norm_slopes {
    const float *subtract, *slope, *multiply;
} cnn_batch_norm_slopes;

void cnn_batch_norm_input_gradient(cnn_context *context, const cnn_channels *shape, const cnn_batch_norm_backward *pass,
                                   const cnn_batch_norm_slopes *slopes, void *input_gradient);

/* Sums of one image: its rows are few enough for one task. */
void cnn_channel_sum(cnn_context *context, const cnn_channels *shape, const void *input, float *sum);

/* The loops, of one instruction set: over `count` numbers whose channels repeat every `period`. Sums have `period`
 * numbers, and so have the numbers per channel. */
typedef struct cnn_batch_norm_loop {
    size_t count, period;
    const void *input, *gradient, *output, *residual;
    const float *subtract, *multiply, *add, *slope;
    const float *mask_add; /* the output that masks is (input − subtract) × multiply + mask_add */
    cnn_clamp clamp;
    float *sum, *product;
    void *result, *masked;
} cnn_batch_norm_loop;

typedef enum cnn_batch_norm_masking {
    CNN_BATCH_NORM_ALL,
    CNN_BATCH_NORM_BY_INPUT,
    CNN_BATCH_NORM_BY_OUTPUT
} cnn_batch_norm_masking;

/* Of floats, and of bfloat16; where they have a second index it is the masking. */
typedef struct cnn_batch_norm_kernels {
    void (*sum[2])(const void *input, size_t count, size_t period, float *sum);
    void (*squares[2])(const void *input, size_t count, size_t period, const float *mean, float *sum);
    void (*apply[2])(const cnn_batch_norm_loop *loop);
    void (*gradient_sums[2][3])(const cnn_batch_norm_loop *loop);
    void (*input_gradient[2][2])(const cnn_batch_norm_loop *loop);
} cnn_batch_norm_kernels;

#endif
