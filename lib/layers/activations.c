/* Activations, element by element. */
#include <math.h>

#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/layer_internal.h"

/* The gradient is told by the sign of the output, which a negative slope would lose. */
static cnn_status leaky_relu_shape(cnn_layer *layer)
{
    const cnn_leaky_relu_attributes *attributes = layer->attributes;
    if (!(attributes->slope >= 0) || !isfinite(attributes->slope))
        return cnn_fail(CNN_ERROR_ARGUMENT, "a slope of %g is not possible; it is 0 or more, and finite",
                        (double)attributes->slope);
    return cnn_layer_keep_shape(layer);
}

static const cnn_attribute leaky_relu_attributes[] = {
    { "slope", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_leaky_relu_attributes, slope), 1, NULL },
};

static void forward_of(const cnn_layer_pass *pass, cnn_elementwise operation, const float *constants)
{
    cnn_elementwise_call call = { operation, constants, pass->layer->output_type,
                                  cnn_layer_output_count(pass->layer, pass->batch) };
    cnn_elementwise_forward(pass->context, &call, pass->inputs[0], pass->output);
}

static void backward_of(const cnn_layer_pass *pass, cnn_elementwise operation, const float *constants)
{
    cnn_elementwise_call call = { operation, constants, pass->layer->output_type,
                                  cnn_layer_output_count(pass->layer, pass->batch) };
    if (pass->input_gradients[0])
        cnn_elementwise_backward(pass->context, &call, pass->output, pass->output_gradient, pass->input_gradients[0]);
}

static const float *slope_of(const cnn_layer_pass *pass)
{
    const cnn_leaky_relu_attributes *attributes = pass->layer->attributes;
    return &attributes->slope;
}

static void relu_forward(const cnn_layer_pass *pass)
{
    forward_of(pass, CNN_ELEMENTWISE_RELU, NULL);
}

static void relu_backward(const cnn_layer_pass *pass)
{
    backward_of(pass, CNN_ELEMENTWISE_RELU, NULL);
}

static void leaky_relu_forward(const cnn_layer_pass *pass)
{
    forward_of(pass, CNN_ELEMENTWISE_LEAKY_RELU, slope_of(pass));
}

static void leaky_relu_backward(const cnn_layer_pass *pass)
{
    backward_of(pass, CNN_ELEMENTWISE_LEAKY_RELU, slope_of(pass));
}

static void relu6_forward(const cnn_layer_pass *pass)
{
    forward_of(pass, CNN_ELEMENTWISE_RELU6, NULL);
}

static void relu6_backward(const cnn_layer_pass *pass)
{
    backward_of(pass, CNN_ELEMENTWISE_RELU6, NULL);
}

static void sigmoid_forward(const cnn_layer_pass *pass)
{
    forward_of(pass, CNN_ELEMENTWISE_SIGMOID, NULL);
}

static void sigmoid_backward(const cnn_layer_pass *pass)
{
    backward_of(pass, CNN_ELEMENTWISE_SIGMOID, NULL);
}

static void tanh_forward(const cnn_layer_pass *pass)
{
    forward_of(pass, CNN_ELEMENTWISE_TANH, NULL);
}

static void tanh_backward(const cnn_layer_pass *pass)
{
    backward_of(pass, CNN_ELEMENTWISE_TANH, NULL);
}

const cnn_layer_type cnn_layer_relu = {
    .name = "relu",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .values = CNN_LAYER_ONE_TYPE,
    .shape = cnn_layer_keep_shape,
    .forward = relu_forward,
    .backward = relu_backward,
};

const cnn_layer_type cnn_layer_leaky_relu = {
    .name = "leaky_relu",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_leaky_relu_attributes),
    .attributes = leaky_relu_attributes,
    .attribute_count = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = leaky_relu_shape,
    .forward = leaky_relu_forward,
    .backward = leaky_relu_backward,
};

const cnn_layer_type cnn_layer_relu6 = {
    .name = "relu6",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .values = CNN_LAYER_ONE_TYPE,
    .shape = cnn_layer_keep_shape,
    .forward = relu6_forward,
    .backward = relu6_backward,
};

const cnn_layer_type cnn_layer_sigmoid = {
    .name = "sigmoid",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
};

const cnn_layer_type cnn_layer_tanh = {
    .name = "tanh",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
    .forward = tanh_forward,
    .backward = tanh_backward,
};
