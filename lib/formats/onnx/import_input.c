/* The input of an ONNX file, and which of its axes are which. */
#include <string.h>

#include <cnn/onnx.h>

#include "core/error.h"
#include "formats/onnx/import.h"

typedef enum layout { UNKNOWN, CHANNELS_FIRST, CHANNELS_LAST } layout;

bool cnn_onnx_is_own(const cnn_onnx_import *import)
{
    const char *producer = import->file->producer_name;
    return producer && !strcmp(producer, CNN_ONNX_PRODUCER);
}

/* The one input that is no initialiser: older files list those among the inputs. */
static cnn_status find_input(cnn_onnx_import *import, const CnnOnnx__ValueInfo **input)
{
    const CnnOnnx__Graph *graph = import->file->graph;
    size_t count = 0;
    for (size_t i = 0; i < graph->n_input; i++) {
        const cnn_onnx_value *value = cnn_onnx_value_of(import, graph->input[i]->name ? graph->input[i]->name : "");
        if (!value)
            return CNN_ERROR_OUT_OF_MEMORY;
        if (!value->constant && !count++)
            *input = graph->input[i];
    }
    if (count != 1 || graph->n_output != 1)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "has %zu inputs and %zu outputs; one of each is supported",
                             count, graph->n_output);
    return CNN_OK;
}

static cnn_status read_dims(const cnn_onnx_import *import, const CnnOnnx__ValueInfo *input, int64_t dims[4])
{
    const CnnOnnx__TensorType *type = input->type ? input->type->tensor_type : NULL;
    const CnnOnnx__Shape *shape = type ? type->shape : NULL;
    if (!shape || shape->n_dim != 4)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "its input has %zu dimensions; an image has 4",
                             shape ? shape->n_dim : 0);
    for (int i = 0; i < 4; i++)
        dims[i] = shape->dim[i]->has_dim_value && shape->dim[i]->dim_value > 0 ? shape->dim[i]->dim_value : 0;
    return CNN_OK;
}

static cnn_status resolve_size(const cnn_onnx_import *import, const char *name, uint32_t given, int64_t *size)
{
    if (!*size && !given)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "leaves the %s of its input open; cnn_onnx_options set it",
                             name);
    if (*size && given && *size != given)
        return cnn_onnx_fail(import, CNN_ERROR_ARGUMENT, "its input has a %s of %lld; %u was asked for", name,
                             (long long)*size, (unsigned)given);
    *size = *size ? *size : given;
    return CNN_OK;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* Whether the node works on what is computed from the network's input without its axes being moved. */
static bool uses_input(cnn_onnx_import *import, const CnnOnnx__Node *node)
{
    for (size_t i = 0; i < node->n_input; i++) {
        uint32_t place = cnn_names_find(&import->names, node->input[i]);
        if (place != CNN_NO_PLACE && import->values[place].like_input)
            return true;
    }
    return false;
}

/* What a node says of the order of its input's axes: ONNX's operators for images have channels first. */
static layout layout_for(const CnnOnnx__Node *node, const char *type)
{
    static const char *const of_images[] = { "Conv",          "MaxPool",           "AveragePool",        "LpPool",
                                             "GlobalMaxPool", "GlobalAveragePool", "BatchNormalization", NULL };
    static const int64_t to_first[] = { 0, 3, 1, 2 }, to_last[] = { 0, 2, 3, 1 };
    if (is_one_of(type, of_images))
        return CHANNELS_FIRST;
    for (size_t i = 0; !strcmp(type, "Transpose") && i < node->n_attribute; i++) {
        const CnnOnnx__Attribute *perm = node->attribute[i];
        if (perm->name && !strcmp(perm->name, "perm") && perm->n_ints == 4)
            return !memcmp(perm->ints, to_first, sizeof to_first) ? CHANNELS_LAST
                   : !memcmp(perm->ints, to_last, sizeof to_last) ? CHANNELS_FIRST
                                                                  : UNKNOWN;
    }
    return UNKNOWN;
}

/* The first node that tells, by way of those that leave axes where they are. */
static cnn_status find_layout(cnn_onnx_import *import, const char *input, layout *result)
{
    static const char *const same[] = { "Add", "Cast",           "Clip",     "Concat",    "DequantizeLinear",
                                        "Div", "Dropout",        "Identity", "LeakyRelu", "Mul",
                                        "Pad", "QuantizeLinear", "Relu",     "Sigmoid",   "Sub",
                                        "Sum", "Tanh",           NULL };
    const CnnOnnx__Graph *graph = import->file->graph;
    cnn_onnx_value *value = cnn_onnx_value_of(import, input);
    if (!value)
        return CNN_ERROR_OUT_OF_MEMORY;
    value->like_input = true;
    *result = UNKNOWN;
    for (size_t i = 0; i < graph->n_node && *result == UNKNOWN; i++) {
        const CnnOnnx__Node *node = graph->node[i];
        const char *type = node->op_type ? node->op_type : "";
        if (!uses_input(import, node))
            continue;
        *result = layout_for(node, type);
        if (!is_one_of(type, same) || !node->n_output)
            continue;
        if (!(value = cnn_onnx_value_of(import, node->output[0])))
            return CNN_ERROR_OUT_OF_MEMORY;
        value->like_input = true;
    }
    return CNN_OK;
}

/* The library's own files have channels first; of others the nodes tell. Where they don't, as in a net of dense layers
 * alone, channels are last if there can be so few of them only there: any order then gives the same numbers, and what
 * is called height or channel is a matter of names. */
static cnn_status choose_layout(cnn_onnx_import *import, const char *input, const int64_t dims[4], bool *channels_last)
{
    enum { MOST_COLOURS = 4 };
    layout found = CHANNELS_FIRST;
    cnn_status status = CNN_OK;
    if (!cnn_onnx_is_own(import))
        status = find_layout(import, input, &found);
    if (found == UNKNOWN && dims[3] && dims[3] <= MOST_COLOURS && !(dims[1] && dims[1] <= MOST_COLOURS))
        found = CHANNELS_LAST;
    *channels_last = found == CHANNELS_LAST;
    return status;
}

/* Adds the layer, and gives the file's value its activation. */
static cnn_status define_input(cnn_onnx_import *import, const char *name, const int64_t dims[4], bool channels_last)
{
    static const cnn_onnx_axis first[] = { CNN_ONNX_BATCH, CNN_ONNX_CHANNEL, CNN_ONNX_HEIGHT, CNN_ONNX_WIDTH };
    static const cnn_onnx_axis last[] = { CNN_ONNX_BATCH, CNN_ONNX_HEIGHT, CNN_ONNX_WIDTH, CNN_ONNX_CHANNEL };
    int32_t height = channels_last ? 1 : 2;
    const cnn_input_attributes attributes = { .shape = { dims[height], dims[height + 1],
                                                         dims[channels_last ? 3 : 1] } };
    cnn_onnx_activation x = { .rank = 4 };
    memcpy(x.axes, channels_last ? last : first, sizeof first);
    cnn_status status = cnn_onnx_add_layer(import, &cnn_layer_input, NULL, 0, &attributes, &x.node);
    cnn_onnx_value *value = cnn_onnx_value_of(import, name);
    if (status || !value)
        return status ? status : CNN_ERROR_OUT_OF_MEMORY;
    value->computed = true;
    value->activation = x;
    return CNN_OK;
}

cnn_status cnn_onnx_add_input(cnn_onnx_import *import, const cnn_onnx_options *options)
{
    const CnnOnnx__ValueInfo *input = NULL;
    int64_t dims[4] = { 0 };
    bool channels_last = false;
    cnn_status status = find_input(import, &input);
    if (!status && input)
        status = read_dims(import, input, dims);
    if (status || !input)
        return status;
    const char *name = input->name ? input->name : "";
    status = choose_layout(import, name, dims, &channels_last);
    if (!status)
        status = resolve_size(import, "height", options->height, &dims[channels_last ? 1 : 2]);
    if (!status)
        status = resolve_size(import, "width", options->width, &dims[channels_last ? 2 : 3]);
    import->batch = dims[0] ? dims[0] : 1;
    return status ? status : define_input(import, name, dims, channels_last);
}
