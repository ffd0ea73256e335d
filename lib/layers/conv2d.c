/* Convolution, alone and with what the fusion pass puts behind it: batch normalisation, activation and max-pooling. */
#include <math.h>

#include "core/error.h"
#include "core/memory.h"
#include "kernels/conv/conv.h"
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

static cnn_status check_residual(const cnn_layer *layer, const cnn_fused_conv2d_attributes *attributes)
{
    char text[CNN_SHAPE_TEXT_SIZE], residual[CNN_SHAPE_TEXT_SIZE];
    bool same = layer->input_count == 2 && layer->inputs[1].rank == 3 && !attributes->pool[0];
    for (int i = 0; i < 3; i++)
        same = same && layer->inputs[1].dims[i] == layer->output.dims[i];
    return same ? CNN_OK
                : cnn_fail(CNN_ERROR_SHAPE, "%s can't be added to %s", cnn_shape_text(&layer->inputs[1], residual),
                           cnn_shape_text(&layer->output, text));
}

static cnn_status fused_shape(cnn_layer *layer)
{
    cnn_fused_conv2d_attributes *attributes = layer->attributes;
    cnn_status status = shape_of(layer, &attributes->conv);
    if (!status && attributes->batch_norm)
        status = add_batch_norm(layer, attributes->conv.filters);
    if (!status && attributes->add)
        status = check_residual(layer, attributes);
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

/* A plain convolution is a fused one with nothing behind it. */
static cnn_fused_conv2d_attributes fused_of(const cnn_layer *layer)
{
    if (layer->type == &cnn_layer_fused_conv2d)
        return *(const cnn_fused_conv2d_attributes *)layer->attributes;
    return (cnn_fused_conv2d_attributes){ .conv = *(const cnn_conv2d_attributes *)layer->attributes };
}

cnn_conv_shape cnn_conv2d_shape(const cnn_conv2d_attributes *attributes, const cnn_shape *input, int64_t batch)
{
    cnn_window window = window_of(attributes);
    cnn_window_grid grid = cnn_window_placed(&window, input);
    return (cnn_conv_shape){
        .batch = batch,
        .in_height = input->dims[0],
        .in_width = input->dims[1],
        .in_channels = input->dims[2],
        .out_height = grid.count[0],
        .out_width = grid.count[1],
        .out_channels = attributes->filters,
        .kernel = { window.kernel[0], window.kernel[1] },
        .stride = { window.stride[0], window.stride[1] },
        .dilation = { window.dilation[0], window.dilation[1] },
        .pad_top = grid.padding[0],
        .pad_left = grid.padding[1],
        .groups = attributes->groups,
    };
}

static cnn_conv_shape shape_for(const cnn_layer *layer, int64_t batch, bool training)
{
    cnn_fused_conv2d_attributes fused = fused_of(layer);
    cnn_conv_shape shape = cnn_conv2d_shape(&fused.conv, &layer->inputs[0], batch);
    shape.in_batches = training;
    shape.input_type = layer->input_types[0];
    shape.output_type = layer->output_type;
    return shape;
}

static uint64_t flops(const cnn_layer *layer)
{
    cnn_conv_shape conv = shape_for(layer, 1, false);
    return 2 * (uint64_t)(conv.out_height * conv.out_width * conv.out_channels) *
           (uint64_t)(conv.in_channels / conv.groups * conv.kernel[0] * conv.kernel[1]);
}

static cnn_conv_epilogue epilogue_of(const cnn_layer *layer)
{
    cnn_fused_conv2d_attributes fused = fused_of(layer);
    return (cnn_conv_epilogue){ .activation = (cnn_activation)fused.activation,
                                .pool = { fused.pool[0], fused.pool[1] } };
}

static cnn_conv_gradient gradient_of(const cnn_layer *layer)
{
    cnn_fused_conv2d_attributes fused = fused_of(layer);
    return (cnn_conv_gradient){ .activation = (cnn_activation)fused.activation,
                                .pool = { fused.pool[0], fused.pool[1] } };
}

static size_t fused_saved_bytes(const cnn_layer *layer, int64_t batch)
{
    return fused_of(layer).pool[0] ? cnn_layer_output_count(layer, batch) : 0; /* where the maxima were */
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static const char *algorithm(cnn_context *context, const cnn_layer *layer, bool training)
{
    cnn_conv_shape conv = shape_for(layer, 1, training);
    cnn_conv_epilogue epilogue = epilogue_of(layer);
    return cnn_conv_forward_algorithm(context, &conv, &epilogue);
}

static size_t workspace_bytes(cnn_context *context, const cnn_layer *layer, int64_t batch, bool training)
{
    cnn_conv_shape conv = shape_for(layer, batch, training);
    cnn_conv_epilogue epilogue = epilogue_of(layer);
    cnn_conv_gradient gradient = gradient_of(layer);
    size_t bytes = cnn_conv_forward_workspace(context, &conv, &epilogue);
    if (training) {
        bytes = larger(bytes, cnn_conv_backward_data_workspace(context, &conv, &gradient));
        bytes = larger(bytes, cnn_conv_backward_weights_workspace(context, &conv, &gradient));
    }
    return bytes;
}

/* With batch normalisation the packed weights are followed by the folded bias, and by the weights as they are scaled
 * before they are packed. */
typedef struct packed_parts {
    size_t bias, weights, end;
} packed_parts;

static packed_parts parts_of(cnn_context *context, const cnn_layer *layer, bool training)
{
    cnn_conv_shape conv = shape_for(layer, 1, training);
    packed_parts parts = { .end = cnn_conv_packed_bytes(context, &conv) };
    if (fused_of(layer).batch_norm) {
        parts.bias = cnn_round_up(parts.end, 64);
        parts.weights = parts.bias + cnn_round_up((size_t)conv.out_channels * sizeof(float), 64);
        int64_t weights = conv.out_channels * (conv.in_channels / conv.groups) * conv.kernel[0] * conv.kernel[1];
        parts.end = parts.weights + (size_t)weights * sizeof(float);
    }
    return parts;
}

static size_t packed_bytes(cnn_context *context, const cnn_layer *layer, bool training)
{
    return parts_of(context, layer, training).end;
}

/* scale × (conv + bias - mean) / deviation + offset, as weights and a bias. */
static void fold(const cnn_layer *layer, float *const *parameters, float *weights, float *folded_bias)
{
    cnn_fused_conv2d_attributes fused = fused_of(layer);
    const float *bias = fused.conv.no_bias ? NULL : parameters[1];
    float *const *norm = parameters + (fused.conv.no_bias ? 1 : 2); /* scale, offset, mean, variance */
    size_t filters = (size_t)fused.conv.filters;
    const int64_t *dims = layer->parameters[0].dims;
    size_t rows = (size_t)(dims[0] * dims[1] * dims[2]);
    for (size_t c = 0; c < filters; c++)
        folded_bias[c] = norm[0][c] / sqrtf(norm[3][c] + fused.epsilon); /* the factor, for now */
    for (size_t row = 0; row < rows; row++)
        for (size_t c = 0; c < filters; c++)
            weights[row * filters + c] = parameters[0][row * filters + c] * folded_bias[c];
    for (size_t c = 0; c < filters; c++)
        folded_bias[c] = ((bias ? bias[c] : 0) - norm[2][c]) * folded_bias[c] + norm[1][c];
}

static void pack(cnn_context *context, const cnn_layer *layer, bool training, float *const *parameters, void *packed)
{
    cnn_conv_shape conv = shape_for(layer, 1, training);
    const float *weights = parameters[0];
    if (fused_of(layer).batch_norm) {
        packed_parts parts = parts_of(context, layer, training);
        float *folded = (float *)((char *)packed + parts.weights);
        fold(layer, parameters, folded, (float *)((char *)packed + parts.bias));
        weights = folded;
    }
    cnn_conv_pack(context, &conv, weights, packed);
}

static size_t packed_backward_bytes(cnn_context *context, const cnn_layer *layer)
{
    cnn_conv_shape conv = shape_for(layer, 1, true);
    return cnn_conv_packed_backward_bytes(context, &conv);
}

static void pack_backward(cnn_context *context, const cnn_layer *layer, float *const *parameters, void *packed)
{
    cnn_conv_shape conv = shape_for(layer, 1, true);
    cnn_conv_pack_backward(context, &conv, parameters[0], packed);
}

static const float *bias_of(const cnn_layer_pass *pass)
{
    cnn_fused_conv2d_attributes fused = fused_of(pass->layer);
    if (fused.batch_norm)
        return (const float *)((const char *)pass->packed + parts_of(pass->context, pass->layer, pass->training).bias);
    return fused.conv.no_bias ? NULL : pass->parameters[1];
}

static void forward(const cnn_layer_pass *pass)
{
    cnn_conv_shape conv = shape_for(pass->layer, pass->batch, pass->training);
    cnn_conv_epilogue epilogue = epilogue_of(pass->layer);
    epilogue.bias = bias_of(pass);
    epilogue.residual = pass->layer->input_count > 1 ? pass->inputs[1] : NULL;
    epilogue.argmax = epilogue.pool[0] ? pass->saved : NULL;
    cnn_conv_arrays arrays = { pass->inputs[0], pass->packed, pass->output, pass->workspace };
    cnn_conv_forward(pass->context, &conv, &epilogue, &arrays);
}

/* Batch normalisation is not among what is fused in training. Weights and bias are frozen together, if at all. */
static void backward(const cnn_layer_pass *pass)
{
    cnn_conv_shape conv = shape_for(pass->layer, pass->batch, pass->training);
    cnn_conv_gradient gradient = gradient_of(pass->layer);
    gradient.gradient = pass->output_gradient;
    gradient.output = pass->output;
    gradient.argmax = gradient.pool[0] ? pass->saved : NULL;
    if (pass->input_gradients[0])
        cnn_conv_backward_data(pass->context, &conv, &gradient, pass->packed_backward, pass->input_gradients[0],
                               pass->workspace);
    cnn_weight_gradient wanted = { pass->inputs[0], pass->parameter_gradients[0], pass->parameter_gradients[1],
                                   pass->workspace };
    if (wanted.weights)
        cnn_conv_backward_weights(pass->context, &conv, &gradient, &wanted);
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
    .values = CNN_LAYER_ANY_TYPES,
    .shape = shape,
    .flops = flops,
    .workspace_bytes = workspace_bytes,
    .packed_bytes = packed_bytes,
    .packed_backward_bytes = packed_backward_bytes,
    .pack = pack,
    .pack_backward = pack_backward,
    .algorithm = algorithm,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_fused_conv2d = {
    .name = "fused_conv2d",
    .min_inputs = 1,
    .max_inputs = 2,
    .attributes_size = sizeof(cnn_fused_conv2d_attributes),
    .backward_needs_inputs = true,
    .backward_needs_output = true,
    .values = CNN_LAYER_ANY_TYPES,
    .shape = fused_shape,
    .saved_bytes = fused_saved_bytes,
    .flops = flops,
    .workspace_bytes = workspace_bytes,
    .packed_bytes = packed_bytes,
    .packed_backward_bytes = packed_backward_bytes,
    .pack = pack,
    .pack_backward = pack_backward,
    .algorithm = algorithm,
    .forward = forward,
    .backward = backward,
};
