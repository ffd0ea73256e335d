#include "kernels/norm/softmax.h"
#include "layers/layer_internal.h"

static size_t rows(const cnn_layer_pass *pass)
{
    return cnn_layer_output_count(pass->layer, pass->batch) / (size_t)cnn_shape_channels(&pass->layer->output);
}

static void forward(const cnn_layer_pass *pass)
{
    cnn_softmax_forward(pass->context, pass->inputs[0], pass->output, rows(pass),
                        (size_t)cnn_shape_channels(&pass->layer->output));
}

static void backward(const cnn_layer_pass *pass)
{
    if (pass->input_gradients[0])
        cnn_softmax_backward(pass->context, pass->output, pass->output_gradient, pass->input_gradients[0], rows(pass),
                             (size_t)cnn_shape_channels(&pass->layer->output));
}

const cnn_layer_type cnn_layer_softmax = {
    .name = "softmax",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
    .forward = forward,
    .backward = backward,
};
