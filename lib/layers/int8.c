/* Layers of a quantised model's steps. Their weights are int8, and lie in the model as those of other layers do. */
#include "kernels/int8/int8.h"

#include "core/parallel.h"
#include "layers/layer_internal.h"

bool cnn_int8_can_compute(const cnn_layer *layer)
{
    bool conv = layer->type == &cnn_layer_conv2d, dense = layer->type == &cnn_layer_dense;
    if (!conv && !dense)
        return false;
    const int64_t *dims = layer->parameters[0].dims;
    return (conv ? dims[0] * dims[1] * dims[2] : dims[0]) <= CNN_INT8_MAX_TERMS;
}

static void quantize(const cnn_layer_pass *pass)
{
    const cnn_int8_attributes *attributes = pass->layer->attributes;
    cnn_int8_quantize(pass->context, pass->inputs[0], cnn_layer_output_count(pass->layer, pass->batch),
                      attributes->output, pass->output);
}

static void dequantize(const cnn_layer_pass *pass)
{
    const cnn_int8_attributes *attributes = pass->layer->attributes;
    cnn_int8_dequantize(pass->context, pass->inputs[0], cnn_layer_output_count(pass->layer, pass->batch),
                        attributes->inputs[0], pass->output);
}

static cnn_conv_shape conv_shape(const cnn_layer *layer, int64_t batch)
{
    const cnn_int8_attributes *attributes = layer->attributes;
    cnn_shape input = layer->inputs[0];
    if (input.rank == 1)
        input = (cnn_shape){ 3, { 1, 1, input.dims[0] } };
    return cnn_conv2d_shape(&attributes->conv, &input, batch);
}

static cnn_int8_epilogue epilogue_of(const cnn_layer *layer)
{
    const cnn_int8_attributes *attributes = layer->attributes;
    return (cnn_int8_epilogue){ .input = attributes->inputs[0],
                                .output = attributes->output,
                                .activation = (cnn_activation)attributes->activation,
                                .pool = attributes->pool,
                                .residual_quantization = attributes->inputs[1] };
}

static size_t conv_workspace(cnn_context *context, const cnn_layer *layer, int64_t batch, bool training)
{
    (void)training;
    cnn_conv_shape shape = conv_shape(layer, batch);
    cnn_int8_epilogue epilogue = epilogue_of(layer);
    return cnn_int8_conv_workspace(context, &shape, &epilogue);
}

static size_t conv_packed_bytes(cnn_context *context, const cnn_layer *layer, bool training)
{
    (void)training;
    cnn_conv_shape shape = conv_shape(layer, 1);
    return cnn_int8_conv_packed_bytes(context, &shape);
}

static void conv_pack(cnn_context *context, const cnn_layer *layer, bool training, float *const *parameters,
                      void *packed)
{
    (void)training;
    const cnn_int8_attributes *attributes = layer->attributes;
    cnn_conv_shape shape = conv_shape(layer, 1);
    cnn_int8_epilogue epilogue = epilogue_of(layer);
    cnn_int8_weights weights = { .values = (const int8_t *)(const void *)parameters[0],
                                 .scales = attributes->weight_scales,
                                 .bias = attributes->conv.no_bias ? NULL : parameters[1] };
    cnn_int8_conv_pack(context, &shape, &weights, &epilogue, packed);
}

static void conv(const cnn_layer_pass *pass)
{
    cnn_conv_shape shape = conv_shape(pass->layer, pass->batch);
    cnn_int8_epilogue epilogue = epilogue_of(pass->layer);
    epilogue.residual = pass->layer->input_count > 1 ? pass->inputs[1] : NULL;
    cnn_int8_conv(pass->context, &shape, &epilogue,
                  &(cnn_conv_arrays){ pass->inputs[0], pass->packed, pass->output, pass->workspace });
}

static void max_pool(const cnn_layer_pass *pass)
{
    const cnn_int8_attributes *attributes = pass->layer->attributes;
    cnn_pool_shape shape = cnn_pool2d_shape(&attributes->pooling, &pass->layer->inputs[0], pass->batch);
    cnn_int8_max_pool(pass->context, &shape, pass->inputs[0], pass->output);
}

static void global_avg_pool(const cnn_layer_pass *pass)
{
    const cnn_int8_attributes *attributes = pass->layer->attributes;
    const int64_t *dims = pass->layer->inputs[0].dims;
    cnn_global_pool_shape shape = { .batch = pass->batch, .pixels = dims[0] * dims[1], .channels = dims[2] };
    cnn_int8_term input = { pass->inputs[0], attributes->inputs[0] };
    cnn_int8_global_avg_pool(pass->context, &shape, &input, pass->output);
}

static void add(const cnn_layer_pass *pass)
{
    const cnn_int8_attributes *attributes = pass->layer->attributes;
    cnn_int8_term terms[CNN_MAX_INPUTS];
    for (int32_t i = 0; i < pass->layer->input_count; i++)
        terms[i] = (cnn_int8_term){ pass->inputs[i], attributes->inputs[i] };
    cnn_int8_sum sum = { terms, pass->layer->input_count, (cnn_activation)attributes->activation, attributes->output };
    cnn_int8_add(pass->context, &sum, cnn_layer_output_count(pass->layer, pass->batch), pass->output);
}

static void concat(const cnn_layer_pass *pass)
{
    const cnn_layer *layer = pass->layer;
    const cnn_int8_attributes *attributes = layer->attributes;
    int64_t channels = cnn_shape_channels(&layer->output);
    int64_t pixels = pass->batch * cnn_shape_count(&layer->output) / channels;
    uint8_t *to = pass->output;
    for (int32_t i = 0; i < layer->input_count; i++) {
        cnn_int8_term term = { pass->inputs[i], attributes->inputs[i] };
        int64_t from_channels = cnn_shape_channels(&layer->inputs[i]);
        cnn_int8_copy copy = { term, pixels, from_channels, channels, attributes->output };
        cnn_int8_copy_channels(pass->context, &copy, to);
        to += from_channels;
    }
}

const cnn_layer_type cnn_layer_quantize = { .name = "quantize", .forward = quantize };
const cnn_layer_type cnn_layer_dequantize = { .name = "dequantize", .forward = dequantize };
const cnn_layer_type cnn_layer_int8_conv2d = {
    .name = "int8_conv2d",
    .workspace_bytes = conv_workspace,
    .packed_bytes = conv_packed_bytes,
    .pack = conv_pack,
    .forward = conv,
};
const cnn_layer_type cnn_layer_int8_max_pool2d = { .name = "int8_max_pool2d", .forward = max_pool };
const cnn_layer_type cnn_layer_int8_global_avg_pool = { .name = "int8_global_avg_pool", .forward = global_avg_pool };
const cnn_layer_type cnn_layer_int8_add = { .name = "int8_add", .in_place = true, .forward = add };
const cnn_layer_type cnn_layer_int8_concat = { .name = "int8_concat", .forward = concat };
