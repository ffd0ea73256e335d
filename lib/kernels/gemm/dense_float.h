/* Dense layers whose values are floats: the functions of dense.h, which come here with everything widened. */
#ifndef CNN_KERNELS_GEMM_DENSE_FLOAT_H
#define CNN_KERNELS_GEMM_DENSE_FLOAT_H

#include "kernels/gemm/dense.h"

size_t cnn_dense_floats_forward_workspace(cnn_context *context, const cnn_dense_shape *shape);
void cnn_dense_floats_forward(cnn_context *context, const cnn_dense_shape *shape, cnn_activation activation,
                              const cnn_dense_arrays *arrays);

size_t cnn_dense_floats_backward_data_workspace(cnn_context *context, const cnn_dense_shape *shape);
void cnn_dense_floats_backward_data(cnn_context *context, const cnn_dense_shape *shape, const float *output_gradient,
                                    const float *weights, float *input_gradient, void *workspace);
size_t cnn_dense_floats_backward_weights_workspace(cnn_context *context, const cnn_dense_shape *shape);
void cnn_dense_floats_backward_weights(cnn_context *context, const cnn_dense_shape *shape, const float *output_gradient,
                                       const cnn_weight_gradient *wanted);

#endif
