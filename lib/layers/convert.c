#include "kernels/elementwise/convert_bf16.h"
#include "layers/layer_internal.h"

static void convert(const cnn_layer_pass *pass, cnn_dtype type, const void *from, void *to)
{
    size_t count = cnn_layer_output_count(pass->layer, pass->batch);
    if (type == CNN_BFLOAT16)
        cnn_bf16_widen_array(pass->context, from, to, count);
    else
        cnn_bf16_round_array(pass->context, from, to, count);
}

static void forward(const cnn_layer_pass *pass)
{
    convert(pass, pass->layer->input_types[0], pass->inputs[0], pass->output);
}

static void backward(const cnn_layer_pass *pass)
{
    if (pass->input_gradients[0])
        convert(pass, pass->layer->output_type, pass->output_gradient, pass->input_gradients[0]);
}

const cnn_layer_type cnn_layer_convert = {
    .name = "convert",
    .min_inputs = 1,
    .max_inputs = 1,
    .values = CNN_LAYER_ANY_TYPES,
    .shape = cnn_layer_keep_shape,
    .forward = forward,
    .backward = backward,
};
