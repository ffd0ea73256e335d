/* Activations, element by element. */
#include <float.h>
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

static cnn_status hard_sigmoid_shape(cnn_layer *layer)
{
    cnn_hard_sigmoid_attributes *attributes = layer->attributes;
    if (attributes->slope == 0 && attributes->offset == 0)
        *attributes = (cnn_hard_sigmoid_attributes){ 1.0f / 6, 0.5f };
    if (!(attributes->slope > 0) || !isfinite(attributes->slope) || !isfinite(attributes->offset))
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "a slope of %g and an offset of %g are not possible: both are finite, and the slope is above 0",
                        (double)attributes->slope, (double)attributes->offset);
    return cnn_layer_keep_shape(layer);
}

static cnn_status gelu_shape(cnn_layer *layer)
{
    const cnn_gelu_attributes *attributes = layer->attributes;
    if (attributes->approximate != CNN_GELU_EXACT && attributes->approximate != CNN_GELU_TANH)
        return cnn_fail(CNN_ERROR_ARGUMENT, "there is no form %d of GELU: use CNN_GELU_EXACT or CNN_GELU_TANH",
                        (int)attributes->approximate);
    return cnn_layer_keep_shape(layer);
}

static cnn_status elu_shape(cnn_layer *layer)
{
    cnn_elu_attributes *attributes = layer->attributes;
    if (attributes->alpha == 0)
        attributes->alpha = 1;
    attributes->scale = 1;
    if (!(attributes->alpha > 0) || !isfinite(attributes->alpha))
        return cnn_fail(CNN_ERROR_ARGUMENT, "an alpha of %g is not possible; it is above 0, and finite",
                        (double)attributes->alpha);
    return cnn_layer_keep_shape(layer);
}

static cnn_status selu_shape(cnn_layer *layer)
{
    *(cnn_elu_attributes *)layer->attributes = (cnn_elu_attributes){ CNN_SELU_ALPHA, CNN_SELU_SCALE };
    return cnn_layer_keep_shape(layer);
}

/* Files can't hold infinite bounds: the largest floats stand for them. */
static cnn_status clip_shape(cnn_layer *layer)
{
    cnn_clip_attributes *attributes = layer->attributes;
    attributes->min = attributes->min == -INFINITY ? -FLT_MAX : attributes->min;
    attributes->max = attributes->max == INFINITY ? FLT_MAX : attributes->max;
    if (!(attributes->min < attributes->max))
        return cnn_fail(CNN_ERROR_ARGUMENT, "clipping to %g ... %g is not possible: min is below max",
                        (double)attributes->min, (double)attributes->max);
    return cnn_layer_keep_shape(layer);
}

static const cnn_attribute leaky_relu_attributes[] = {
    { "slope", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_leaky_relu_attributes, slope), 1, NULL },
};

static const cnn_attribute hard_sigmoid_attributes[] = {
    { "slope", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_hard_sigmoid_attributes, slope), 1, NULL },
    { "offset", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_hard_sigmoid_attributes, offset), 1, NULL },
};

static const char *const gelu_forms[] = { "none", "tanh", NULL };

static const cnn_attribute gelu_attributes[] = {
    { "approximate", CNN_ATTRIBUTE_ENUM, offsetof(cnn_gelu_attributes, approximate), 1, gelu_forms },
};

static const cnn_attribute elu_attributes[] = {
    { "alpha", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_elu_attributes, alpha), 1, NULL },
};

static const cnn_attribute clip_attributes[] = {
    { "min", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_clip_attributes, min), 1, NULL },
    { "max", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_clip_attributes, max), 1, NULL },
};

static cnn_elementwise operation_of(const cnn_layer *layer)
{
    static const struct {
        const cnn_layer_type *type;
        cnn_elementwise operation;
    } operations[] = {
        { &cnn_layer_relu, CNN_ELEMENTWISE_RELU },
        { &cnn_layer_leaky_relu, CNN_ELEMENTWISE_LEAKY_RELU },
        { &cnn_layer_relu6, CNN_ELEMENTWISE_RELU6 },
        { &cnn_layer_clip, CNN_ELEMENTWISE_CLIP },
        { &cnn_layer_sigmoid, CNN_ELEMENTWISE_SIGMOID },
        { &cnn_layer_hard_sigmoid, CNN_ELEMENTWISE_HARD_SIGMOID },
        { &cnn_layer_tanh, CNN_ELEMENTWISE_TANH },
        { &cnn_layer_elu, CNN_ELEMENTWISE_ELU },
        { &cnn_layer_selu, CNN_ELEMENTWISE_ELU },
        { &cnn_layer_silu, CNN_ELEMENTWISE_SILU },
        { &cnn_layer_hard_swish, CNN_ELEMENTWISE_HARD_SWISH },
        { &cnn_layer_softplus, CNN_ELEMENTWISE_SOFTPLUS },
    };
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (operations[i].type == layer->type)
            return operations[i].operation;
    const cnn_gelu_attributes *gelu = layer->attributes;
    return gelu->approximate == CNN_GELU_TANH ? CNN_ELEMENTWISE_GELU_TANH : CNN_ELEMENTWISE_GELU;
}

/* Those attributes that are floats are the operation's constants. */
static cnn_elementwise_call call_of(const cnn_layer_pass *pass)
{
    return (cnn_elementwise_call){ operation_of(pass->layer), pass->layer->attributes, pass->layer->output_type,
                                   cnn_layer_output_count(pass->layer, pass->batch) };
}

static void forward(const cnn_layer_pass *pass)
{
    cnn_elementwise_call call = call_of(pass);
    cnn_elementwise_forward(pass->context, &call, pass->inputs[0], pass->output);
}

static void backward(const cnn_layer_pass *pass)
{
    cnn_elementwise_call call = call_of(pass);
    const void *value = pass->layer->type->backward_needs_inputs ? pass->inputs[0] : pass->output;
    if (pass->input_gradients[0])
        cnn_elementwise_backward(pass->context, &call, value, pass->output_gradient, pass->input_gradients[0]);
}

const cnn_layer_type cnn_layer_relu = {
    .name = "relu",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .values = CNN_LAYER_ONE_TYPE,
    .shape = cnn_layer_keep_shape,
    .forward = forward,
    .backward = backward,
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
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_relu6 = {
    .name = "relu6",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .values = CNN_LAYER_ONE_TYPE,
    .shape = cnn_layer_keep_shape,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_sigmoid = {
    .name = "sigmoid",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_tanh = {
    .name = "tanh",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_silu = {
    .name = "silu",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_inputs = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_hard_swish = {
    .name = "hard_swish",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_inputs = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_hard_sigmoid = {
    .name = "hard_sigmoid",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_hard_sigmoid_attributes),
    .attributes = hard_sigmoid_attributes,
    .attribute_count = 2,
    .backward_needs_output = true,
    .in_place = true,
    .shape = hard_sigmoid_shape,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_gelu = {
    .name = "gelu",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_gelu_attributes),
    .attributes = gelu_attributes,
    .attribute_count = 1,
    .backward_needs_inputs = true,
    .in_place = true,
    .shape = gelu_shape,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_elu = {
    .name = "elu",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_elu_attributes),
    .attributes = elu_attributes,
    .attribute_count = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = elu_shape,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_selu = {
    .name = "selu",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_elu_attributes),
    .backward_needs_output = true,
    .in_place = true,
    .shape = selu_shape,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_softplus = {
    .name = "softplus",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_inputs = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_clip = {
    .name = "clip",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_clip_attributes),
    .attributes = clip_attributes,
    .attribute_count = 2,
    .backward_needs_output = true,
    .in_place = true,
    .shape = clip_shape,
    .forward = forward,
    .backward = backward,
};
