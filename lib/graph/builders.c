/* The public functions that add layers: options become attributes; the layer's type checks them. */
#include <string.h>

#include "core/error.h"
#include "core/options.h"
#include "graph/graph_internal.h"

static cnn_node add(cnn_graph *graph, const cnn_layer_type *type, cnn_node input, const void *attributes)
{
    return cnn_graph_add(graph, type, &input, 1, attributes, NULL);
}

/* Options that can't be read stick to the graph as any error does. */
static bool read_options(cnn_graph *graph, void *options, size_t size, const void *given, const char *type)
{
    cnn_status status = cnn_options_read(options, size, given, type);
    if (status)
        cnn_graph_fail(graph, status, cnn_last_error());
    return !status;
}

cnn_node cnn_input(cnn_graph *graph, int64_t height, int64_t width, int64_t channels)
{
    cnn_input_attributes attributes = { .shape = { height, width, channels } };
    return cnn_graph_add(graph, &cnn_layer_input, NULL, 0, &attributes, NULL);
}

cnn_node cnn_conv2d(cnn_graph *graph, cnn_node input, int64_t filters, const cnn_conv2d_options *given)
{
    cnn_conv2d_options options = { 0 };
    if (!read_options(graph, &options, sizeof options, given, "cnn_conv2d_options"))
        return CNN_NODE_ERROR;
    cnn_conv2d_attributes attributes = {
        .filters = filters,
        .groups = options.groups,
        .padding = (int32_t)options.padding,
        .no_bias = options.no_bias != 0,
        .weight_init = (int32_t)options.weight_init,
    };
    memcpy(attributes.kernel, options.kernel, sizeof attributes.kernel);
    memcpy(attributes.stride, options.stride, sizeof attributes.stride);
    memcpy(attributes.dilation, options.dilation, sizeof attributes.dilation);
    memcpy(attributes.pads, options.pads, sizeof attributes.pads);
    return add(graph, &cnn_layer_conv2d, input, &attributes);
}

static cnn_node add_pool(cnn_graph *graph, const cnn_layer_type *type, cnn_node input, const cnn_pool2d_options *given)
{
    cnn_pool2d_options options = { 0 };
    if (!read_options(graph, &options, sizeof options, given, "cnn_pool2d_options"))
        return CNN_NODE_ERROR;
    cnn_pool2d_attributes attributes = { .padding = (int32_t)options.padding };
    memcpy(attributes.kernel, options.kernel, sizeof attributes.kernel);
    memcpy(attributes.stride, options.stride, sizeof attributes.stride);
    memcpy(attributes.pads, options.pads, sizeof attributes.pads);
    return add(graph, type, input, &attributes);
}

cnn_node cnn_max_pool2d(cnn_graph *graph, cnn_node input, const cnn_pool2d_options *options)
{
    return add_pool(graph, &cnn_layer_max_pool2d, input, options);
}

cnn_node cnn_avg_pool2d(cnn_graph *graph, cnn_node input, const cnn_pool2d_options *options)
{
    return add_pool(graph, &cnn_layer_avg_pool2d, input, options);
}

cnn_node cnn_global_avg_pool(cnn_graph *graph, cnn_node input)
{
    return add(graph, &cnn_layer_global_avg_pool, input, NULL);
}

cnn_node cnn_dense(cnn_graph *graph, cnn_node input, int64_t units, const cnn_dense_options *given)
{
    cnn_dense_options options = { 0 };
    if (!read_options(graph, &options, sizeof options, given, "cnn_dense_options"))
        return CNN_NODE_ERROR;
    cnn_dense_attributes attributes = {
        .units = units,
        .no_bias = options.no_bias != 0,
        .weight_init = (int32_t)options.weight_init,
    };
    return add(graph, &cnn_layer_dense, input, &attributes);
}

cnn_node cnn_flatten(cnn_graph *graph, cnn_node input)
{
    return add(graph, &cnn_layer_flatten, input, NULL);
}

cnn_node cnn_batch_norm(cnn_graph *graph, cnn_node input, const cnn_batch_norm_options *given)
{
    cnn_batch_norm_options options;
    cnn_batch_norm_options_init(&options);
    if (!read_options(graph, &options, sizeof options, given, "cnn_batch_norm_options"))
        return CNN_NODE_ERROR;
    if (options.momentum == 0 || options.epsilon == 0) { /* which in a file stand for the defaults */
        cnn_status status = cnn_fail(CNN_ERROR_ARGUMENT,
                                     "cnn_batch_norm: a momentum of %g and an epsilon of %g are not possible: both are "
                                     "above 0, and the momentum is below 1",
                                     (double)options.momentum, (double)options.epsilon);
        return cnn_graph_fail(graph, status, cnn_last_error());
    }
    cnn_batch_norm_attributes attributes = { .momentum = options.momentum, .epsilon = options.epsilon };
    return add(graph, &cnn_layer_batch_norm, input, &attributes);
}

cnn_node cnn_dropout(cnn_graph *graph, cnn_node input, float rate)
{
    cnn_dropout_attributes attributes = { .rate = rate };
    return add(graph, &cnn_layer_dropout, input, &attributes);
}

cnn_node cnn_relu(cnn_graph *graph, cnn_node input)
{
    return add(graph, &cnn_layer_relu, input, NULL);
}

cnn_node cnn_leaky_relu(cnn_graph *graph, cnn_node input, float slope)
{
    cnn_leaky_relu_attributes attributes = { .slope = slope };
    return add(graph, &cnn_layer_leaky_relu, input, &attributes);
}

cnn_node cnn_relu6(cnn_graph *graph, cnn_node input)
{
    return add(graph, &cnn_layer_relu6, input, NULL);
}

cnn_node cnn_sigmoid(cnn_graph *graph, cnn_node input)
{
    return add(graph, &cnn_layer_sigmoid, input, NULL);
}

cnn_node cnn_tanh(cnn_graph *graph, cnn_node input)
{
    return add(graph, &cnn_layer_tanh, input, NULL);
}

cnn_node cnn_softmax(cnn_graph *graph, cnn_node input)
{
    return add(graph, &cnn_layer_softmax, input, NULL);
}

cnn_node cnn_silu(cnn_graph *graph, cnn_node input)
{
    return add(graph, &cnn_layer_silu, input, NULL);
}

cnn_node cnn_hard_swish(cnn_graph *graph, cnn_node input)
{
    return add(graph, &cnn_layer_hard_swish, input, NULL);
}

cnn_node cnn_hard_sigmoid(cnn_graph *graph, cnn_node input, float slope, float offset)
{
    cnn_hard_sigmoid_attributes attributes = { .slope = slope, .offset = offset };
    return add(graph, &cnn_layer_hard_sigmoid, input, &attributes);
}

cnn_node cnn_gelu(cnn_graph *graph, cnn_node input, cnn_gelu_form form)
{
    cnn_gelu_attributes attributes = { .approximate = (int32_t)form };
    return add(graph, &cnn_layer_gelu, input, &attributes);
}

cnn_node cnn_elu(cnn_graph *graph, cnn_node input, float alpha)
{
    cnn_elu_attributes attributes = { .alpha = alpha };
    return add(graph, &cnn_layer_elu, input, &attributes);
}

cnn_node cnn_selu(cnn_graph *graph, cnn_node input)
{
    return add(graph, &cnn_layer_selu, input, NULL);
}

cnn_node cnn_softplus(cnn_graph *graph, cnn_node input)
{
    return add(graph, &cnn_layer_softplus, input, NULL);
}

cnn_node cnn_clip(cnn_graph *graph, cnn_node input, float min, float max)
{
    cnn_clip_attributes attributes = { .min = min, .max = max };
    return add(graph, &cnn_layer_clip, input, &attributes);
}

cnn_node cnn_add(cnn_graph *graph, cnn_node a, cnn_node b)
{
    return cnn_graph_add(graph, &cnn_layer_add, (cnn_node[]){ a, b }, 2, NULL, NULL);
}

cnn_node cnn_concat(cnn_graph *graph, const cnn_node *inputs, int32_t count)
{
    if (!inputs)
        return cnn_graph_fail(graph, CNN_ERROR_ARGUMENT, "cnn_concat: the inputs are NULL");
    return cnn_graph_add(graph, &cnn_layer_concat, inputs, count, NULL, NULL);
}

cnn_node cnn_rescale(cnn_graph *graph, cnn_node input, float scale, float offset)
{
    cnn_rescale_attributes attributes = { .scale = scale, .offset = offset };
    return add(graph, &cnn_layer_rescale, input, &attributes);
}

cnn_node cnn_normalize(cnn_graph *graph, cnn_node input, const float *mean, const float *deviation)
{
    if (!mean || !deviation)
        return cnn_graph_fail(graph, CNN_ERROR_ARGUMENT, "cnn_normalize: mean or deviation is NULL");
    cnn_normalize_attributes attributes = { 0 };
    cnn_shape shape = cnn_graph_node_shape(graph, input);
    int64_t channels = shape.rank ? shape.dims[shape.rank - 1] : 0;
    for (int64_t i = 0; i < channels && i < 16; i++) { /* more are refused by the layer's type */
        attributes.mean[i] = mean[i];
        attributes.deviation[i] = deviation[i];
    }
    return add(graph, &cnn_layer_normalize, input, &attributes);
}
