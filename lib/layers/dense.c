/* Fully connected layers, alone and with the activation that follows. */
#include "core/error.h"
#include "layers/layer_internal.h"

static cnn_status shape_of(cnn_layer *layer, const cnn_dense_attributes *attributes)
{
    cnn_status status = cnn_layer_check_inputs(layer);
    if (!status)
        status = cnn_check_initializer(attributes->weight_init);
    if (status)
        return status;
    char text[CNN_SHAPE_TEXT_SIZE];
    if (layer->inputs[0].rank != 1)
        return cnn_fail(
            CNN_ERROR_SHAPE,
            "dense to %lld units needs features, but its input is %s: flatten or global_avg_pool comes first",
            (long long)attributes->units, cnn_shape_text(&layer->inputs[0], text));
    if (attributes->units < 1)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%lld units are not possible; there is 1 or more",
                        (long long)attributes->units);
    int64_t inputs = layer->inputs[0].dims[0], units = attributes->units;
    status = cnn_layer_set_features(layer, units);
    if (!status)
        status = cnn_layer_add_parameter(
            layer, &(cnn_layer_parameter){ .name = "weight",
                                           .rank = 2,
                                           .dims = { inputs, units },
                                           .initializer = cnn_weight_initializer(attributes->weight_init),
                                           .fan_in = inputs,
                                           .fan_out = units,
                                           .trainable = true,
                                           .decay = true });
    if (!status && !attributes->no_bias)
        status = cnn_layer_add_constant(layer, "bias", units, 0, true);
    return status;
}

static cnn_status shape(cnn_layer *layer)
{
    return shape_of(layer, layer->attributes);
}

static cnn_status fused_shape(cnn_layer *layer)
{
    const cnn_fused_dense_attributes *attributes = layer->attributes;
    return shape_of(layer, &attributes->dense);
}

static uint64_t flops(const cnn_layer *layer)
{
    return 2 * (uint64_t)layer->inputs[0].dims[0] * (uint64_t)layer->output.dims[0];
}

static const cnn_attribute attributes_table[] = {
    { "units", CNN_ATTRIBUTE_INT64, offsetof(cnn_dense_attributes, units), 1, NULL },
    { "no_bias", CNN_ATTRIBUTE_BOOL, offsetof(cnn_dense_attributes, no_bias), 1, NULL },
    { "weight_init", CNN_ATTRIBUTE_ENUM, offsetof(cnn_dense_attributes, weight_init), 1, cnn_initializer_names },
};

const cnn_layer_type cnn_layer_dense = {
    .name = "dense",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_dense_attributes),
    .attributes = attributes_table,
    .attribute_count = sizeof attributes_table / sizeof attributes_table[0],
    .backward_needs_inputs = true,
    .shape = shape,
    .flops = flops,
};

const cnn_layer_type cnn_layer_fused_dense = {
    .name = "fused_dense",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_fused_dense_attributes),
    .backward_needs_inputs = true,
    .backward_needs_output = true,
    .shape = fused_shape,
    .flops = flops,
};
