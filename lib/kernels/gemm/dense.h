/* Dense layers: what layers call. Input rows × inputs, weights inputs × units, output rows × units, of floats or
 * bfloat16; weights and gradients by them are floats, and sums are taken in floats. Calls use the context's threads,
 * and give the same bits at any number of them.
 *
 * Read dense.c (any type), then dense_float.c (how tasks are cut), then what both are made of: gemm.h (what a
 * micro-kernel computes), gemm_ukernel.c, gemm_blocking.c (any size, packing), split_k.h, matrix.h. */
#ifndef CNN_KERNELS_GEMM_DENSE_H
#define CNN_KERNELS_GEMM_DENSE_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/tensor.h>

#include "kernels/activation.h"
#include "kernels/gemm/weight_gradient.h"

typedef struct cnn_dense_shape {
    int64_t rows, inputs, units;
    cnn_dtype input_type, output_type;
} cnn_dense_shape;

/* The arrays of a forward pass. */
typedef struct cnn_dense_arrays {
    const void *input;
    const float *weights, *bias; /* bias NULL: none */
    void *output;
    void *workspace; /* aligned to 64 */
} cnn_dense_arrays;

size_t cnn_dense_forward_workspace(cnn_context *context, const cnn_dense_shape *shape);
void cnn_dense_forward(cnn_context *context, const cnn_dense_shape *shape, cnn_activation activation,
                       const cnn_dense_arrays *arrays);

/* `output_gradient` is by the layer's result before any activation. */
size_t cnn_dense_backward_data_workspace(cnn_context *context, const cnn_dense_shape *shape);
void cnn_dense_backward_data(cnn_context *context, const cnn_dense_shape *shape, const void *output_gradient,
                             const float *weights, void *input_gradient, void *workspace);
size_t cnn_dense_backward_weights_workspace(cnn_context *context, const cnn_dense_shape *shape);
void cnn_dense_backward_weights(cnn_context *context, const cnn_dense_shape *shape, const void *output_gradient,
                                const cnn_weight_gradient *wanted);

#endif
