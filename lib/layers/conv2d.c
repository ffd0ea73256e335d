/* Convolution, alone and with what the fusion pass puts behind it: batch normalisation, activation and max-pooling. */
#include "core/error.h"
#include "layers/layer_internal.h"
#include "layers/window.h"

static void set_defaults(cnn_conv2d_attributes *attributes)
{
    for (int axis = 0; axis < 2; axis++) {
        attributes->kernel[axis] = attributes->kernel[axis] ? attributes->kernel[axis] : 3;
        attributes->stride[axis] = attributes->stride[axis] ? attributes->stride[axis] : 1;
        attributes->dilation[axis] = attributes->dilation[axis] ? attributes->dilation[axis] : 1;
    }
    attributes->groups = attributes->groups ? attributes->groups : 1;
}

static cnn_window window_of(const cnn_conv2d_attributes *attributes)
{
    return (cnn_window){
        .kernel = { attributes->kernel[0], attributes->kernel[1] },
        .stride = { attributes->stride[0], attributes->stride[1] },
        .dilation = { attributes->dilation[0], attributes->dilation[1] },
        .padding = attributes->padding,
        .pads = attributes->pads,
    };
}

static cnn_status check_channels(const cnn_layer *layer, const cnn_conv2d_attributes *attributes)
{
    if (attributes->filters < 1)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%lld filters are not possible; there is 1 or more",
                        (long long)attributes->filters);
    char text[CNN_SHAPE_TEXT_SIZE];
    int32_t groups = attributes->groups;
    if (groups < 1 || layer->inputs[0].dims[2] % groups || attributes->filters % groups)
        return cnn_fail(CNN_ERROR_SHAPE,
                        "%d groups don't divide both the channels of the input %s and the %lld filters", (int)groups,
                        cnn_shape_text(&layer->inputs[0], text), (long long)attributes->filters);
    return CNN_OK;
}

static cnn_status add_weights(cnn_layer *layer, const cnn_conv2d_attributes *attributes)
{
    int64_t area = (int64_t)attributes->kernel[0] * attributes->kernel[1];
    int64_t channels = layer->inputs[0].dims[2] / attributes->groups;
    cnn_status status = cnn_layer_add_parameter(
        layer,
        &(cnn_layer_parameter){ .name = "weight",
                                .rank = 4,
                                .dims = { attributes->kernel[0], attributes->kernel[1], channels, attributes->filters },
                                .initializer = cnn_weight_initializer(attributes->weight_init),
                                .fan_in = area * channels,
                                .fan_out = area * attributes->filters,
                                .trainable = true,
                                .decay = true });
    if (!status && !attributes->no_bias)
        status = cnn_layer_add_constant(layer, "bias", attributes->filters, 0, true);
    return status;
}

/* Sets the output to the convolution's. */
static cnn_status shape_of(cnn_layer *layer, cnn_conv2d_attributes *attributes)
{
    cnn_status status = cnn_layer_check_image(layer);
    if (status)
        return status;
    set_defaults(attributes);
    cnn_window window = window_of(attributes);
    cnn_window_grid grid;
    status = cnn_check_initializer(attributes->weight_init);
    if (!status)
        status = check_channels(layer, attributes);
    if (!status)
        status = cnn_window_place(&window, &layer->inputs[0], &grid);
    if (!status)
        status = cnn_layer_set_output(layer, &(cnn_shape){ 3, { grid.count[0], grid.count[1], attributes->filters } });
    return status ? status : add_weights(layer, attributes);
}

static cnn_status shape(cnn_layer *layer)
{
    return shape_of(layer, layer->attributes);
}

static cnn_status add_batch_norm(cnn_layer *layer, int64_t channels)
{
    cnn_status status = cnn_layer_add_constant(layer, "scale", channels, 1, true);
    if (!status)
        status = cnn_layer_add_constant(layer, "offset", channels, 0, true);
    if (!status)
        status = cnn_layer_add_constant(layer, "running_mean", channels, 0, false);
    return status ? status : cnn_layer_add_constant(layer, "running_variance", channels, 1, false);
}

static cnn_status fused_shape(cnn_layer *layer)
{
    cnn_fused_conv2d_attributes *attributes = layer->attributes;
    cnn_status status = shape_of(layer, &attributes->conv);
    if (!status && attributes->batch_norm)
        status = add_batch_norm(layer, attributes->conv.filters);
    if (status || !attributes->pool[0])
        return status;
    char text[CNN_SHAPE_TEXT_SIZE];
    cnn_shape pooled = layer->output;
    for (int axis = 0; axis < 2; axis++)
        pooled.dims[axis] /= attributes->pool[axis] > 0 ? attributes->pool[axis] : 1;
    if (attributes->pool[0] < 0 || attributes->pool[1] < 1 || attributes->pool[0] * attributes->pool[1] > 256 ||
        !pooled.dims[0] || !pooled.dims[1])
        return cnn_fail(CNN_ERROR_SHAPE, "pooling by %d\xC3\x97%d is not possible on %s", (int)attributes->pool[0],
                        (int)attributes->pool[1], cnn_shape_text(&layer->output, text));
    return cnn_layer_set_output(layer, &pooled);
}

static const cnn_attribute attributes_table[] = {
    { "filters", CNN_ATTRIBUTE_INT64, offsetof(cnn_conv2d_attributes, filters), 1, NULL },
    { "kernel", CNN_ATTRIBUTE_INT32, offsetof(cnn_conv2d_attributes, kernel), 2, NULL },
    { "stride", CNN_ATTRIBUTE_INT32, offsetof(cnn_conv2d_attributes, stride), 2, NULL },
    { "dilation", CNN_ATTRIBUTE_INT32, offsetof(cnn_conv2d_attributes, dilation), 2, NULL },
    { "groups", CNN_ATTRIBUTE_INT32, offsetof(cnn_conv2d_attributes, groups), 1, NULL },
    { "padding", CNN_ATTRIBUTE_ENUM, offsetof(cnn_conv2d_attributes, padding), 1, cnn_padding_names },
    { "pads", CNN_ATTRIBUTE_INT32, offsetof(cnn_conv2d_attributes, pads), 4, NULL },
    { "no_bias", CNN_ATTRIBUTE_BOOL, offsetof(cnn_conv2d_attributes, no_bias), 1, NULL },
    { "weight_init", CNN_ATTRIBUTE_ENUM, offsetof(cnn_conv2d_attributes, weight_init), 1, cnn_initializer_names },
};

const cnn_layer_type cnn_layer_conv2d = {
    .name = "conv2d",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_conv2d_attributes),
    .attributes = attributes_table,
    .attribute_count = sizeof attributes_table / sizeof attributes_table[0],
    .backward_needs_inputs = true,
    .shape = shape,
};

const cnn_layer_type cnn_layer_fused_conv2d = {
    .name = "fused_conv2d",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_fused_conv2d_attributes),
    .backward_needs_inputs = true,
    .backward_needs_output = true,
    .shape = fused_shape,
};
