/* From a case to a model and images for it. */
#include <string.h>

#include "case.h"
#include "runtime/model_internal.h"

const case_layer_form case_layer_forms[CASE_LAYER_KINDS] = {
    [CASE_CONV] = { "conv", 1, 14 },
    [CASE_MAX_POOL] = { "max_pool", 1, 9 },
    [CASE_AVG_POOL] = { "avg_pool", 1, 9 },
    [CASE_GLOBAL_AVG_POOL] = { "global_avg_pool", 1, 0 },
    [CASE_DENSE] = { "dense", 1, 2 },
    [CASE_FLATTEN] = { "flatten", 1, 0 },
    [CASE_BATCH_NORM] = { "batch_norm", 1, 2 }, /* hundredths of momentum, millionths of epsilon */
    [CASE_DROPOUT] = { "dropout", 1, 1 },       /* per cent */
    [CASE_RELU] = { "relu", 1, 0 },
    [CASE_LEAKY_RELU] = { "leaky_relu", 1, 1 }, /* hundredths */
    [CASE_RELU6] = { "relu6", 1, 0 },
    [CASE_SIGMOID] = { "sigmoid", 1, 0 },
    [CASE_TANH] = { "tanh", 1, 0 },
    [CASE_SILU] = { "silu", 1, 0 },
    [CASE_HARD_SWISH] = { "hard_swish", 1, 0 },
    [CASE_HARD_SIGMOID] = { "hard_sigmoid", 1, 2 }, /* hundredths of slope and offset */
    [CASE_GELU] = { "gelu", 1, 1 },                 /* form */
    [CASE_ELU] = { "elu", 1, 1 },                   /* hundredths of alpha */
    [CASE_SELU] = { "selu", 1, 0 },
    [CASE_SOFTPLUS] = { "softplus", 1, 0 },
    [CASE_CLIP] = { "clip", 1, 2 }, /* hundredths */
    [CASE_SOFTMAX] = { "softmax", 1, 0 },
    [CASE_ADD] = { "add", 2, 0 },
    [CASE_CONCAT] = { "concat", 0, 0 },
    [CASE_RESCALE] = { "rescale", 1, 2 }, /* hundredths of scale and offset */
    [CASE_NORMALIZE] = { "normalize", 1, 0 },
};

int32_t case_tiers(cnn_tier tiers[CNN_TIER_COUNT])
{
    int32_t count = 0;
    for (int i = 0; i < CNN_TIER_COUNT; i++)
        if (cnn_cpu_tier((cnn_tier)i) == (cnn_tier)i)
            tiers[count++] = (cnn_tier)i;
    return count;
}

static cnn_node add_conv(cnn_graph *graph, cnn_node input, const int32_t *numbers)
{
    cnn_conv2d_options options = {
        .struct_size = sizeof options,
        .groups = numbers[CONV_GROUPS],
        .padding = (cnn_padding)numbers[CONV_PADDING],
        .no_bias = numbers[CONV_NO_BIAS],
    };
    memcpy(options.kernel, &numbers[CONV_KERNEL], sizeof options.kernel);
    memcpy(options.stride, &numbers[CONV_STRIDE], sizeof options.stride);
    memcpy(options.dilation, &numbers[CONV_DILATION], sizeof options.dilation);
    memcpy(options.pads, &numbers[CONV_PADS], sizeof options.pads);
    return cnn_conv2d(graph, input, numbers[CONV_FILTERS], &options);
}

static cnn_node add_pool(cnn_graph *graph, cnn_node input, const case_layer *layer)
{
    cnn_pool2d_options options = { .struct_size = sizeof options,
                                   .padding = (cnn_padding)layer->numbers[POOL_PADDING] };
    memcpy(options.kernel, &layer->numbers[POOL_KERNEL], sizeof options.kernel);
    memcpy(options.stride, &layer->numbers[POOL_STRIDE], sizeof options.stride);
    memcpy(options.pads, &layer->numbers[POOL_PADS], sizeof options.pads);
    return layer->kind == CASE_MAX_POOL ? cnn_max_pool2d(graph, input, &options)
                                        : cnn_avg_pool2d(graph, input, &options);
}

static cnn_node add_normalize(cnn_graph *graph, cnn_node input)
{
    float mean[16], deviation[16];
    for (int i = 0; i < 16; i++) {
        mean[i] = 0.1f * (float)(i % 5) - 0.2f;
        deviation[i] = 0.5f + 0.25f * (float)(i % 4);
    }
    return cnn_normalize(graph, input, mean, deviation);
}

static cnn_node add_layer(cnn_graph *graph, const case_layer *layer)
{
    const int32_t *inputs = layer->inputs, *numbers = layer->numbers;
    const cnn_dense_options dense = { .struct_size = sizeof dense, .no_bias = numbers[1] };
    const cnn_batch_norm_options norm = { .struct_size = sizeof norm,
                                          .momentum = (float)numbers[0] / 100,
                                          .epsilon = (float)numbers[1] / 1e6f };
    switch (layer->kind) {
    case CASE_CONV: return add_conv(graph, inputs[0], numbers);
    case CASE_MAX_POOL:
    case CASE_AVG_POOL: return add_pool(graph, inputs[0], layer);
    case CASE_GLOBAL_AVG_POOL: return cnn_global_avg_pool(graph, inputs[0]);
    case CASE_DENSE: return cnn_dense(graph, inputs[0], numbers[0], &dense);
    case CASE_FLATTEN: return cnn_flatten(graph, inputs[0]);
    case CASE_BATCH_NORM: return cnn_batch_norm(graph, inputs[0], &norm);
    case CASE_DROPOUT: return cnn_dropout(graph, inputs[0], (float)numbers[0] / 100);
    case CASE_RELU: return cnn_relu(graph, inputs[0]);
    case CASE_LEAKY_RELU: return cnn_leaky_relu(graph, inputs[0], (float)numbers[0] / 100);
    case CASE_RELU6: return cnn_relu6(graph, inputs[0]);
    case CASE_SIGMOID: return cnn_sigmoid(graph, inputs[0]);
    case CASE_TANH: return cnn_tanh(graph, inputs[0]);
    case CASE_SILU: return cnn_silu(graph, inputs[0]);
    case CASE_HARD_SWISH: return cnn_hard_swish(graph, inputs[0]);
    case CASE_HARD_SIGMOID: return cnn_hard_sigmoid(graph, inputs[0], (float)numbers[0] / 100, (float)numbers[1] / 100);
    case CASE_GELU: return cnn_gelu(graph, inputs[0], (cnn_gelu_form)numbers[0]);
    case CASE_ELU: return cnn_elu(graph, inputs[0], (float)numbers[0] / 100);
    case CASE_SELU: return cnn_selu(graph, inputs[0]);
    case CASE_SOFTPLUS: return cnn_softplus(graph, inputs[0]);
    case CASE_CLIP: return cnn_clip(graph, inputs[0], (float)numbers[0] / 100, (float)numbers[1] / 100);
    case CASE_SOFTMAX: return cnn_softmax(graph, inputs[0]);
    case CASE_ADD: return cnn_add(graph, inputs[0], inputs[1]);
    case CASE_CONCAT: return cnn_concat(graph, inputs, layer->input_count);
    case CASE_RESCALE: return cnn_rescale(graph, inputs[0], (float)numbers[0] / 100, (float)numbers[1] / 100);
    case CASE_NORMALIZE: return add_normalize(graph, inputs[0]);
    case CASE_LAYER_KINDS: break;
    }
    return CNN_NODE_ERROR;
}

static cnn_status named_graph(const int32_t *named, cnn_context *context, cnn_graph **graph)
{
    cnn_net_options options;
    cnn_net_options_init(&options);
    options.size = (uint32_t)named[1];
    options.width = (float)named[2] / 100;
    options.outputs = (uint32_t)named[3];
    return cnn_graph_create_net(context, cnn_net_name((uint32_t)named[0] - 1), &options, graph);
}

cnn_status case_graph(const random_case *built, cnn_context *context, cnn_graph **graph)
{
    if (built->named[0])
        return named_graph(built->named, context, graph);
    cnn_status status = cnn_graph_create(context, graph);
    if (status)
        return status;
    cnn_input(*graph, built->input[0], built->input[1], built->input[2]);
    for (int32_t i = 0; i < built->layer_count; i++)
        add_layer(*graph, &built->layers[i]);
    status = cnn_graph_status(*graph);
    if (status)
        cnn_graph_destroy(*graph);
    return status;
}

static void fill(draw *source, const char *name, float *values, int64_t count)
{
    const char *kind = strrchr(name, '.');
    float low = -0.5f, high = 0.5f; /* biases, offsets, running means */
    if (kind && !strcmp(kind, ".running_variance"))
        low = 0.3f, high = 3;
    else if (kind && !strcmp(kind, ".scale"))
        low = 0.5f, high = 1.5f;
    for (int64_t i = 0; i < count; i++)
        values[i] = draw_float(source, low, high);
}

void case_fill_weights(cnn_model *model, uint64_t seed)
{
    draw source = { seed ^ 0x5eed };
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        cnn_model_parameter(model, i, &parameter);
        const char *kind = strrchr(parameter.name, '.');
        if (!kind || strcmp(kind, ".weight") != 0)
            fill(&source, parameter.name, cnn_tensor_data(parameter.value), cnn_tensor_count(parameter.value));
    }
    cnn_model_changed(model);
}

static cnn_status shipped_model(int32_t size, cnn_context *context, cnn_model **model)
{
    cnn_status status = cnn_model_load(context, SOURCE_ROOT "/examples/catdog/models/cats-and-dogs.safetensors", model);
    return status ? status : cnn_model_resize(*model, size, size);
}

cnn_status case_model(const random_case *built, cnn_context *context, cnn_model **model)
{
    cnn_graph *graph;
    if (built->named[0] == CASE_SHIPPED)
        return shipped_model(built->named[1], context, model);
    cnn_status status = case_graph(built, context, &graph);
    if (status)
        return status;
    status = cnn_model_create(context, graph, built->seed, model);
    cnn_graph_destroy(graph);
    if (!status)
        case_fill_weights(*model, built->seed);
    return status;
}

cnn_status case_images(const random_case *built, cnn_context *context, cnn_shape shape, int64_t count,
                       cnn_tensor **images)
{
    int64_t dims[4] = { count, shape.dims[0], shape.dims[1], shape.dims[2] };
    cnn_status status = cnn_tensor_create(context, CNN_FLOAT32, shape.rank + 1, dims, images);
    if (status)
        return status;
    draw source = { built->seed ^ 0x1a6e };
    float *values = cnn_tensor_data(*images);
    for (int64_t i = 0; i < cnn_tensor_count(*images); i++)
        values[i] = draw_float(&source, -1, 1);
    return CNN_OK;
}
