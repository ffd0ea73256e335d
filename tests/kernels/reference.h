/* The definition of lib/kernels/conv.h in plain C, one loop per index. */
#ifndef CNN_TESTS_REFERENCE_H
#define CNN_TESTS_REFERENCE_H

#include "kernels/conv/conv.h"
#include "kernels/gemm/dense.h"

/* `result`: room for the convolution before pooling. */
void reference_conv_forward(const cnn_conv_shape *shape, const float *input, const float *weights,
                            const cnn_conv_epilogue *epilogue, float *output, float *result);

/* The gradient by the convolution's result: pooling and activation undone. */
void reference_conv_expand(const cnn_conv_shape *shape, const cnn_conv_gradient *gradient, float *expanded);

/* `expanded` comes from reference_conv_expand. */
void reference_conv_backward_data(const cnn_conv_shape *shape, const float *expanded, const float *weights,
                                  float *input_gradient);
void reference_conv_backward_weights(const cnn_conv_shape *shape, const float *expanded, const float *input,
                                     float *weight_gradient, float *bias_gradient);

void reference_dense_forward(const cnn_dense_shape *shape, const float *input, const float *weights, const float *bias,
                             cnn_activation activation, float *output);
void reference_dense_backward_data(const cnn_dense_shape *shape, const float *output_gradient, const float *weights,
                                   float *input_gradient);
void reference_dense_backward_weights(const cnn_dense_shape *shape, const float *input, const float *output_gradient,
                                      float *weight_gradient, float *bias_gradient);

#endif
