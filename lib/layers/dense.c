/* Fully connected layers, alone and with the activation that follows. */
#include "kernels/gemm/dense.h"
#include "core/error.h"
#include "core/memory.h"
#include "kernels/elementwise/elementwise.h"
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

static cnn_dense_shape shape_for(const cnn_layer *layer, int64_t batch)
{
    return (cnn_dense_shape){ .rows = batch,
                              .inputs = layer->inputs[0].dims[0],
                              .units = layer->output.dims[0],
                              .input_type = layer->input_types[0],
                              .output_type = layer->output_type };
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t workspace_bytes(cnn_context *context, const cnn_layer *layer, int64_t batch, bool training)
{
    cnn_dense_shape dense = shape_for(layer, batch);
    size_t bytes = cnn_dense_forward_workspace(context, &dense);
    if (training) {
        bytes = larger(bytes, cnn_dense_backward_data_workspace(context, &dense));
        bytes = larger(bytes, cnn_dense_backward_weights_workspace(context, &dense));
    }
    return bytes;
}

/* The gradient by the result before the activation comes first. */
static size_t gradient_bytes(const cnn_layer *layer, int64_t batch)
{
    return cnn_round_up(cnn_layer_output_count(layer, batch) * cnn_dtype_size(layer->output_type), 64);
}

static size_t fused_workspace_bytes(cnn_context *context, const cnn_layer *layer, int64_t batch, bool training)
{
    size_t bytes = workspace_bytes(context, layer, batch, training);
    return training ? bytes + gradient_bytes(layer, batch) : bytes;
}

static void forward_with(const cnn_layer_pass *pass, int32_t activation)
{
    cnn_dense_shape dense = shape_for(pass->layer, pass->batch);
    cnn_dense_arrays arrays = { .input = pass->inputs[0],
                                .weights = pass->parameters[0],
                                .bias = pass->layer->parameter_count > 1 ? pass->parameters[1] : NULL,
                                .output = pass->output,
                                .workspace = pass->workspace };
    cnn_dense_forward(pass->context, &dense, (cnn_activation)activation, &arrays);
}

static void backward_from(const cnn_layer_pass *pass, const void *gradient, void *workspace)
{
    cnn_dense_shape dense = shape_for(pass->layer, pass->batch);
    cnn_weight_gradient wanted = { pass->inputs[0], pass->parameter_gradients[0], pass->parameter_gradients[1],
                                   workspace };
    if (pass->input_gradients[0])
        cnn_dense_backward_data(pass->context, &dense, gradient, pass->parameters[0], pass->input_gradients[0],
                                workspace);
    if (pass->parameter_gradients[0])
        cnn_dense_backward_weights(pass->context, &dense, gradient, &wanted);
}

static void forward(const cnn_layer_pass *pass)
{
    forward_with(pass, CNN_ACTIVATION_NONE);
}

static void backward(const cnn_layer_pass *pass)
{
    backward_from(pass, pass->output_gradient, pass->workspace);
}

static void fused_forward(const cnn_layer_pass *pass)
{
    const cnn_fused_dense_attributes *attributes = pass->layer->attributes;
    forward_with(pass, attributes->activation);
}

static void fused_backward(const cnn_layer_pass *pass)
{
    const cnn_fused_dense_attributes *attributes = pass->layer->attributes;
    if (attributes->activation == CNN_ACTIVATION_NONE) {
        backward_from(pass, pass->output_gradient, pass->workspace);
        return;
    }
    void *gradient = pass->workspace;
    bool relu = attributes->activation == CNN_ACTIVATION_RELU;
    cnn_elementwise_call call = { relu ? CNN_ELEMENTWISE_RELU : CNN_ELEMENTWISE_RELU6, NULL, pass->layer->output_type,
                                  cnn_layer_output_count(pass->layer, pass->batch) };
    cnn_elementwise_backward(pass->context, &call, pass->output, pass->output_gradient, gradient);
    backward_from(pass, gradient, (char *)pass->workspace + gradient_bytes(pass->layer, pass->batch));
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
    .values = CNN_LAYER_ANY_TYPES,
    .shape = shape,
    .flops = flops,
    .workspace_bytes = workspace_bytes,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_fused_dense = {
    .name = "fused_dense",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_fused_dense_attributes),
    .backward_needs_inputs = true,
    .backward_needs_output = true,
    .values = CNN_LAYER_ANY_TYPES,
    .shape = fused_shape,
    .flops = flops,
    .workspace_bytes = fused_workspace_bytes,
    .forward = fused_forward,
    .backward = fused_backward,
};
