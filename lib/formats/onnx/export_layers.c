/* From layers to ONNX operators, one function a type. Values are batch × channels × height × width in the file. */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/tensor_internal.h"
#include "formats/onnx/export.h"
#include "layers/window.h"

/* A layer that is being written. */
typedef struct site {
    cnn_onnx_export *file;
    cnn_node node;
    const cnn_layer *layer;
    const char *name;   /* the layer's */
    const char *input;  /* the value of its first input */
    const char *output; /* its own value */
} site;

/* The parameter of that name, NULL if the layer has none such. */
static const cnn_tensor *parameter_of(const site *s, const char *name)
{
    const cnn_model *model = s->file->model;
    int32_t index = 0;
    for (cnn_node i = 0; i < s->node; i++)
        index += model->graph->nodes[i].layer.parameter_count;
    for (int32_t k = 0; k < s->layer->parameter_count; k++)
        if (!strcmp(s->layer->parameters[k].name, name))
            return model->weights[index + k].value;
    return NULL;
}

/* Adds a parameter as it is, and returns its name; NULL if there is none. */
static const char *add_parameter(const site *s, const char *name)
{
    const cnn_tensor *value = parameter_of(s, name);
    const char *title = value ? cnn_onnx_export_name(s->file, s->name, name) : NULL;
    if (title)
        cnn_onnx_export_floats(s->file, title, value->rank, value->dims, value->data);
    return title;
}

/* Adds constants: for each channel, or (count 0) one for all. */
static const char *add_constant(const site *s, const char *name, const float *values, int64_t count)
{
    size_t size = count ? (size_t)count : 1;
    const char *title = cnn_onnx_export_name(s->file, s->name, name);
    float *copy = cnn_onnx_export_memory(s->file, size, sizeof *copy);
    const int64_t dims[3] = { count, 1, 1 };
    if (!copy)
        return NULL;
    memcpy(copy, values, size * sizeof *copy);
    cnn_onnx_export_floats(s->file, title, !count ? 0 : s->layer->output.rank == 3 ? 3 : 1, dims, copy);
    return title;
}

static CnnOnnx__Node *add_node(const site *s, const char *type, const char *second, const char *third)
{
    return cnn_onnx_export_node(s->file, type, (const char *const[]){ s->input, second, second ? third : NULL, NULL },
                                s->output);
}

static void write_as(const site *s, const char *type)
{
    add_node(s, type, NULL, NULL);
}

static void write_input(const site *s)
{
    s->file->values[s->node] = "input";
}

static void write_nothing(const site *s)
{
    s->file->values[s->node] = s->input;
}

static void write_relu(const site *s)
{
    write_as(s, "Relu");
}

static void write_sigmoid(const site *s)
{
    write_as(s, "Sigmoid");
}

static void write_tanh(const site *s)
{
    write_as(s, "Tanh");
}

static void write_leaky_relu(const site *s)
{
    const cnn_leaky_relu_attributes *attributes = s->layer->attributes;
    CnnOnnx__Node *node = add_node(s, "LeakyRelu", NULL, NULL);
    if (node)
        cnn_onnx_export_float(s->file, node, "alpha", attributes->slope);
}

static void clip_to(const site *s, float min, float max)
{
    const char *low = add_constant(s, "low", &min, 0), *high = add_constant(s, "high", &max, 0);
    add_node(s, "Clip", low, high);
}

static void write_relu6(const site *s)
{
    clip_to(s, 0, 6);
}

static void write_clip(const site *s)
{
    const cnn_clip_attributes *attributes = s->layer->attributes;
    clip_to(s, attributes->min, attributes->max);
}

static void write_hard_sigmoid(const site *s)
{
    const cnn_hard_sigmoid_attributes *attributes = s->layer->attributes;
    CnnOnnx__Node *node = add_node(s, "HardSigmoid", NULL, NULL);
    if (node)
        cnn_onnx_export_float(s->file, node, "alpha", attributes->slope);
    if (node)
        cnn_onnx_export_float(s->file, node, "beta", attributes->offset);
}

static void write_hard_swish(const site *s)
{
    write_as(s, "HardSwish");
}

static void write_elu(const site *s)
{
    const cnn_elu_attributes *attributes = s->layer->attributes;
    CnnOnnx__Node *node = add_node(s, "Elu", NULL, NULL);
    if (node)
        cnn_onnx_export_float(s->file, node, "alpha", attributes->alpha);
}

static void write_selu(const site *s)
{
    write_as(s, "Selu");
}

static void write_softplus(const site *s)
{
    write_as(s, "Softplus");
}

/* A node between the layer's input and its value; `second` NULL: it has one input. Returns its value's name. */
static const char *add_part(const site *s, const char *type, const char *first, const char *second, const char *name)
{
    const char *value = cnn_onnx_export_name(s->file, s->name, name);
    if (!s->file->status)
        cnn_onnx_export_node(s->file, type, (const char *const[]){ first, second, NULL }, value);
    return value;
}

static const char *add_part_by(const site *s, const char *type, const char *first, float constant, const char *name)
{
    char title[32];
    snprintf(title, sizeof title, "%s by", name);
    return add_part(s, type, first, add_constant(s, title, &constant, 0), name);
}

static void write_silu(const site *s)
{
    add_node(s, "Mul", add_part(s, "Sigmoid", s->input, NULL, "sigmoid"), NULL);
}

/* erf(x / sqrt(2)): opset 17 has no Gelu. */
static const char *add_erf(const site *s)
{
    return add_part(s, "Erf", add_part_by(s, "Div", s->input, 1.41421356f, "scaled"), NULL, "erf");
}

/* tanh(sqrt(2 / pi) (x + 0.044715 x^3)) */
static const char *add_gelu_tanh(const site *s)
{
    const char *cube = add_part_by(s, "Pow", s->input, 3, "cube");
    const char *sum = add_part(s, "Add", s->input, add_part_by(s, "Mul", cube, 0.044715f, "small cube"), "sum");
    return add_part(s, "Tanh", add_part_by(s, "Mul", sum, 0.797884561f, "scaled"), NULL, "tanh");
}

static void write_gelu(const site *s)
{
    const cnn_gelu_attributes *attributes = s->layer->attributes;
    const char *function = attributes->approximate == CNN_GELU_TANH ? add_gelu_tanh(s) : add_erf(s);
    const char *gate = add_part_by(s, "Add", function, 1, "gate");
    const char *half = add_part_by(s, "Mul", s->input, 0.5f, "half");
    if (!s->file->status)
        cnn_onnx_export_node(s->file, "Mul", (const char *const[]){ half, gate, NULL }, s->output);
}

static void write_softmax(const site *s)
{
    CnnOnnx__Node *node = add_node(s, "Softmax", NULL, NULL);
    if (node)
        cnn_onnx_export_int(s->file, node, "axis", 1);
}

/* Height × width × in × filters to filters × in × height × width. */
static const char *add_filters(const site *s)
{
    const cnn_tensor *weight = parameter_of(s, "weight");
    const char *title = cnn_onnx_export_name(s->file, s->name, "weight");
    float *copy = cnn_onnx_export_memory(s->file, (size_t)weight->count, sizeof *copy);
    if (!copy)
        return NULL;
    int64_t area = weight->dims[0] * weight->dims[1], channels = weight->dims[2], filters = weight->dims[3];
    const float *from = weight->data;
    for (int64_t pixel = 0; pixel < area; pixel++)
        for (int64_t c = 0; c < channels; c++)
            for (int64_t f = 0; f < filters; f++)
                copy[(f * channels + c) * area + pixel] = *from++;
    const int64_t dims[4] = { filters, channels, weight->dims[0], weight->dims[1] };
    cnn_onnx_export_floats(s->file, title, 4, dims, copy);
    return title;
}

/* Kernel, strides, and the padding that our kind of it comes to. */
static void add_window(const site *s, CnnOnnx__Node *node, const cnn_window *window)
{
    const cnn_shape *input = &s->layer->inputs[0];
    cnn_window_grid grid = cnn_window_placed(window, input);
    int64_t kernel[2], stride[2], pads[4];
    for (int axis = 0; axis < 2; axis++) {
        int64_t extent = (int64_t)(window->kernel[axis] - 1) * window->dilation[axis] + 1;
        int64_t end = (grid.count[axis] - 1) * window->stride[axis] + extent - input->dims[axis] - grid.padding[axis];
        kernel[axis] = window->kernel[axis];
        stride[axis] = window->stride[axis];
        pads[axis] = grid.padding[axis];
        pads[axis + 2] = end > 0 ? end : 0;
    }
    cnn_onnx_export_ints(s->file, node, "kernel_shape", kernel, 2);
    cnn_onnx_export_ints(s->file, node, "strides", stride, 2);
    cnn_onnx_export_ints(s->file, node, "pads", pads, 4);
}

static void write_conv2d(const site *s)
{
    const cnn_conv2d_attributes *conv = s->layer->attributes;
    const char *weight = add_filters(s), *bias = add_parameter(s, "bias");
    const cnn_window window = { { conv->kernel[0], conv->kernel[1] },
                                { conv->stride[0], conv->stride[1] },
                                { conv->dilation[0], conv->dilation[1] },
                                conv->padding,
                                conv->pads };
    CnnOnnx__Node *node = add_node(s, "Conv", weight, bias);
    if (!node)
        return;
    add_window(s, node, &window);
    cnn_onnx_export_ints(s->file, node, "dilations", (const int64_t[]){ conv->dilation[0], conv->dilation[1] }, 2);
    cnn_onnx_export_int(s->file, node, "group", conv->groups);
}

static void write_pool(const site *s)
{
    const cnn_pool2d_attributes *pool = s->layer->attributes;
    const cnn_window window = {
        { pool->kernel[0], pool->kernel[1] }, { pool->stride[0], pool->stride[1] }, { 1, 1 }, pool->padding, pool->pads
    };
    CnnOnnx__Node *node = add_node(s, s->layer->type == &cnn_layer_max_pool2d ? "MaxPool" : "AveragePool", NULL, NULL);
    if (node)
        add_window(s, node, &window);
}

static void write_global_avg_pool(const site *s)
{
    const char *pooled = cnn_onnx_export_name(s->file, s->name, "pooled");
    cnn_onnx_export_node(s->file, "GlobalAveragePool", (const char *const[]){ s->input, NULL }, pooled);
    cnn_onnx_export_node(s->file, "Flatten", (const char *const[]){ pooled, NULL }, s->output);
}

static void write_dense(const site *s)
{
    const char *weight = add_parameter(s, "weight"), *bias = add_parameter(s, "bias");
    add_node(s, "Gemm", weight, bias);
}

/* In our order, channels last, so that the weights behind it stay as they are. */
static void write_flatten(const site *s)
{
    const cnn_shape *shape = &s->layer->inputs[0];
    const char *from = s->input;
    if (shape->rank == 3 && shape->dims[0] * shape->dims[1] > 1) {
        const char *last = cnn_onnx_export_name(s->file, s->name, "channels_last");
        CnnOnnx__Node *node = cnn_onnx_export_node(s->file, "Transpose", (const char *const[]){ from, NULL }, last);
        if (node)
            cnn_onnx_export_ints(s->file, node, "perm", (const int64_t[]){ 0, 2, 3, 1 }, 4);
        from = last;
    }
    cnn_onnx_export_node(s->file, "Flatten", (const char *const[]){ from, NULL }, s->output);
}

static void write_batch_norm(const site *s)
{
    const cnn_batch_norm_attributes *attributes = s->layer->attributes;
    const char *inputs[] = { s->input,
                             add_parameter(s, "scale"),
                             add_parameter(s, "offset"),
                             add_parameter(s, "running_mean"),
                             add_parameter(s, "running_variance"),
                             NULL };
    if (s->file->status)
        return;
    CnnOnnx__Node *node = cnn_onnx_export_node(s->file, "BatchNormalization", inputs, s->output);
    if (node)
        cnn_onnx_export_float(s->file, node, "epsilon", attributes->epsilon);
    if (node)
        cnn_onnx_export_float(s->file, node, "momentum", attributes->momentum);
}

/* All inputs of the layer. */
static CnnOnnx__Node *add_joining(const site *s, const char *type)
{
    const char *inputs[CNN_MAX_INPUTS + 1] = { NULL };
    for (int32_t i = 0; i < s->layer->input_count; i++)
        inputs[i] = s->file->values[s->file->model->graph->nodes[s->node].inputs[i]];
    return cnn_onnx_export_node(s->file, type, inputs, s->output);
}

static void write_add(const site *s)
{
    add_joining(s, "Add");
}

static void write_concat(const site *s)
{
    CnnOnnx__Node *node = add_joining(s, "Concat");
    if (node)
        cnn_onnx_export_int(s->file, node, "axis", 1);
}

/* Two operators with a constant each. */
static void add_pair(const site *s, const char *first, const char *constant, const char *second, const char *other)
{
    const char *between = cnn_onnx_export_name(s->file, s->name, "between");
    if (s->file->status)
        return;
    cnn_onnx_export_node(s->file, first, (const char *const[]){ s->input, constant, NULL }, between);
    cnn_onnx_export_node(s->file, second, (const char *const[]){ between, other, NULL }, s->output);
}

static void write_rescale(const site *s)
{
    const cnn_rescale_attributes *attributes = s->layer->attributes;
    const char *scale = add_constant(s, "scale", &attributes->scale, 0);
    add_pair(s, "Mul", scale, "Add", add_constant(s, "offset", &attributes->offset, 0));
}

static void write_normalize(const site *s)
{
    const cnn_normalize_attributes *attributes = s->layer->attributes;
    int64_t channels = s->layer->output.dims[s->layer->output.rank - 1];
    const char *mean = add_constant(s, "mean", attributes->mean, channels);
    add_pair(s, "Sub", mean, "Div", add_constant(s, "deviation", attributes->deviation, channels));
}

typedef struct writer {
    const cnn_layer_type *type;
    void (*write)(const site *s);
} writer;

static const writer writers[] = {
    { &cnn_layer_input, write_input },
    { &cnn_layer_conv2d, write_conv2d },
    { &cnn_layer_max_pool2d, write_pool },
    { &cnn_layer_avg_pool2d, write_pool },
    { &cnn_layer_global_avg_pool, write_global_avg_pool },
    { &cnn_layer_dense, write_dense },
    { &cnn_layer_flatten, write_flatten },
    { &cnn_layer_batch_norm, write_batch_norm },
    { &cnn_layer_dropout, write_nothing },
    { &cnn_layer_relu, write_relu },
    { &cnn_layer_leaky_relu, write_leaky_relu },
    { &cnn_layer_relu6, write_relu6 },
    { &cnn_layer_sigmoid, write_sigmoid },
    { &cnn_layer_tanh, write_tanh },
    { &cnn_layer_silu, write_silu },
    { &cnn_layer_hard_swish, write_hard_swish },
    { &cnn_layer_hard_sigmoid, write_hard_sigmoid },
    { &cnn_layer_gelu, write_gelu },
    { &cnn_layer_elu, write_elu },
    { &cnn_layer_selu, write_selu },
    { &cnn_layer_softplus, write_softplus },
    { &cnn_layer_clip, write_clip },
    { &cnn_layer_softmax, write_softmax },
    { &cnn_layer_add, write_add },
    { &cnn_layer_concat, write_concat },
    { &cnn_layer_rescale, write_rescale },
    { &cnn_layer_normalize, write_normalize },
};

/* The node that gives the layer's value is named as the layer is, so that a reader names its layer so, too. */
static void name_node(const site *s)
{
    const CnnOnnx__Graph *graph = &s->file->graph;
    CnnOnnx__Node *last = graph->n_node ? graph->node[graph->n_node - 1] : NULL;
    if (!s->file->status && last && last->output[0] == s->output)
        last->name = (char *)s->name;
}

void cnn_onnx_export_layer(cnn_onnx_export *file, cnn_node node)
{
    const cnn_graph_node *from = &file->model->graph->nodes[node];
    site s = { .file = file, .node = node, .layer = &from->layer, .name = from->name };
    s.input = from->layer.input_count ? file->values[from->inputs[0]] : NULL;
    s.output = file->values[node] = cnn_onnx_export_name(file, from->name, "value");
    for (size_t i = 0; i < sizeof writers / sizeof *writers && !file->status; i++)
        if (writers[i].type == from->layer.type) {
            writers[i].write(&s);
            name_node(&s);
            return;
        }
    if (!file->status)
        file->status = cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: a layer of type %s can't be written to ONNX", from->name,
                                from->layer.type->name);
}
