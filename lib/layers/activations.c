/* Activations, element by element. */
#include <math.h>

#include "core/error.h"
#include "layers/layer_internal.h"

/* The gradient is told by the sign of the output, which a negative slope would lose. */
static cnn_status leaky_relu_shape(cnn_layer *layer)
{
    const cnn_leaky_relu_attributes *attributes = layer->attributes;
    if (!(attributes->slope >= 0) || !isfinite(attributes->slope))
        return cnn_fail(CNN_ERROR_ARGUMENT, "a slope of %g is not possible; it is 0 or more",
                        (double)attributes->slope);
    return cnn_layer_keep_shape(layer);
}

static const cnn_attribute leaky_relu_attributes[] = {
    { "slope", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_leaky_relu_attributes, slope), 1, NULL },
};

const cnn_layer_type cnn_layer_relu = {
    .name = "relu",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
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
};

const cnn_layer_type cnn_layer_relu6 = {
    .name = "relu6",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
};

const cnn_layer_type cnn_layer_sigmoid = {
    .name = "sigmoid",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
};

const cnn_layer_type cnn_layer_tanh = {
    .name = "tanh",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
};
