/* Convolutions of any kernel, stride, dilation, padding and number of groups, with what follows them (bias, residual,
 * activation, max-pooling), and their gradients: what layers call. All images are N×H×W×C; calls use the context's
 * threads, and give the same bits at any number of them.
 *
 * Values are floats or bfloat16; sums are taken in floats. Where the instruction set has dot products of bfloat16 and a
 * shape gains by it, the factors are rounded to it (weights always, gradients by results that are bfloat16 are so
 * already), elsewhere they are widened.
 *
 * Weights and gradients by them are floats. Weights are kept as kernel height × kernel width × input channels / groups
 * × output channels, and packed for the context's instruction set before use.
 *
 * Read conv_forward.c and conv_backward_data.c: both make a conv_problem.h of their shape. conv_algorithm.c chooses
 * the algorithm: Winograd's (winograd/), the one for depthwise convolutions (depthwise/), or direct_conv.h, by indirect
 * gemm. padded_tile.h prepares the source, epilogue.h finishes results. conv_backward_weights.c is a gemm of its own.
 */
#ifndef CNN_KERNELS_CONV_CONV_H
#define CNN_KERNELS_CONV_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/tensor.h>

#include "kernels/activation.h"
#include "kernels/gemm/weight_gradient.h"

typedef struct cnn_conv_shape {
    int64_t batch;
    int64_t in_height, in_width, in_channels;
    int64_t out_height, out_width, out_channels; /* of the convolution, before any pooling */
    int32_t kernel[2], stride[2], dilation[2];   /* down, across */
    int32_t pad_top, pad_left;                   /* those at the other ends follow from the output's size */
    int32_t groups;
    cnn_dtype input_type, output_type; /* CNN_FLOAT32 or CNN_BFLOAT16; of the gradients by them too */
    bool in_batches; /* of the forward pass: speed for batches counts, and bits needn't be those of single images */
} cnn_conv_shape;

/* What is done to a convolution's result before it is written: bias, another value added, activation, then max-pooling
 * without padding whose stride is its kernel's size (windows that don't fit whole are dropped). */
typedef struct cnn_conv_epilogue {
    const float *bias; /* out_channels, or NULL */
    cnn_activation activation;
    int32_t pool[2]; /* window; 0: none */
    uint8_t *argmax; /* for training: per pooled value, the row-major number of its maximum in the window (the first of
                        equals); NULL if not wanted */
    const float *residual; /* of the output's shape, or NULL; only if all are floats, and not with pooling */
} cnn_conv_epilogue;

/* The arrays of a forward pass. */
typedef struct cnn_conv_arrays {
    const void *input;
    const void *packed; /* comes from cnn_conv_pack */
    void *output;       /* N × out_height × out_width × out_channels, or the pooled map where the epilogue pools */
    void *workspace;    /* cnn_conv_forward_workspace bytes, aligned to 64 */
} cnn_conv_arrays;

size_t cnn_conv_packed_bytes(cnn_context *context, const cnn_conv_shape *shape);
void cnn_conv_pack(cnn_context *context, const cnn_conv_shape *shape, const float *weights, void *packed);
/* The name of the algorithm that computes it, for people. */
const char *cnn_conv_forward_algorithm(cnn_context *context, const cnn_conv_shape *shape,
                                       const cnn_conv_epilogue *epilogue);
size_t cnn_conv_forward_workspace(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_epilogue *epilogue);
void cnn_conv_forward(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_epilogue *epilogue,
                      const cnn_conv_arrays *arrays);

/* The gradient by the convolution's result, given as that by the epilogue's output: the kernels undo pooling and
 * activation on the fly, for the tile that they work on. */
typedef struct cnn_conv_gradient {
    const void *gradient; /* by the epilogue's output */
    const void *output;   /* the epilogue's output; needed if there is an activation */
    cnn_activation activation;
    int32_t pool[2];
    const uint8_t *argmax; /* needed if there is pooling */
} cnn_conv_gradient;

/* Gradient by the input. `packed` comes from cnn_conv_pack_backward. Overwrites `input_gradient`. */
size_t cnn_conv_packed_backward_bytes(cnn_context *context, const cnn_conv_shape *shape);
void cnn_conv_pack_backward(cnn_context *context, const cnn_conv_shape *shape, const float *weights, void *packed);
size_t cnn_conv_backward_data_workspace(cnn_context *context, const cnn_conv_shape *shape,
                                        const cnn_conv_gradient *gradient);
void cnn_conv_backward_data(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_gradient *gradient,
                            const void *packed, void *input_gradient, void *workspace);

/* Gradients by weights and bias, which are overwritten. */
size_t cnn_conv_backward_weights_workspace(cnn_context *context, const cnn_conv_shape *shape,
                                           const cnn_conv_gradient *gradient);
void cnn_conv_backward_weights(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_gradient *gradient,
                               const cnn_weight_gradient *wanted);

#endif
