#include <string.h>

#include "kernels/elementwise/elementwise.h"
#include "layers/layer_internal.h"

static cnn_status shape(cnn_layer *layer)
{
    cnn_status status = cnn_layer_check_inputs(layer);
    return status ? status : cnn_layer_set_features(layer, cnn_shape_count(&layer->inputs[0]));
}

/* In NHWC the features lie as the pixels do. */
static void forward(const cnn_layer_pass *pass)
{
    cnn_elementwise_copy(pass->context, pass->layer->output_type, pass->inputs[0], pass->output,
                         cnn_layer_output_count(pass->layer, pass->batch));
}

static void backward(const cnn_layer_pass *pass)
{
    if (pass->input_gradients[0])
        cnn_elementwise_copy(pass->context, pass->layer->output_type, pass->output_gradient, pass->input_gradients[0],
                             cnn_layer_output_count(pass->layer, pass->batch));
}

const cnn_layer_type cnn_layer_flatten = {
    .name = "flatten",
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = true,
    .values = CNN_LAYER_ONE_TYPE,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
