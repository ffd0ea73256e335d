/* From an ONNX file's nodes to layers: adding them, and where their weights come from. */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "data/utf8.h"
#include "formats/onnx/import.h"

enum { MAX_NAME = 100 };

/* The node's name, unless it is empty, long, odd or taken: then NULL, for a name by type. */
static const char *layer_name(const cnn_onnx_import *import, char name[2 * MAX_NAME + 1])
{
    const char *given = import->node ? import->node->name : NULL;
    size_t length = given ? strlen(given) : 0;
    if (!length || length > MAX_NAME / 2)
        return NULL;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)given[i] < ' ')
            return NULL;
    cnn_to_utf8(given, length, name);
    return cnn_graph_find(import->graph, name) == CNN_NODE_ERROR ? name : NULL;
}

cnn_status cnn_onnx_add_layer(cnn_onnx_import *import, const cnn_layer_type *type, const cnn_node *inputs,
                              int32_t count, const void *attributes, cnn_node *node)
{
    char name[2 * MAX_NAME + 1];
    *node = cnn_graph_add(import->graph, type, inputs, count, attributes, layer_name(import, name));
    cnn_status status = cnn_graph_status(import->graph);
    if (!status || status == CNN_ERROR_OUT_OF_MEMORY)
        return status;
    char sentence[512];
    snprintf(sentence, sizeof sentence, "%s", cnn_last_error());
    if (status == CNN_ERROR_ARGUMENT) /* a value that ONNX knows and the layer doesn't take */
        status = CNN_ERROR_UNSUPPORTED;
    return cnn_onnx_fail(import, status, "%s", sentence);
}

cnn_status cnn_onnx_add_weight_copy(cnn_onnx_import *import, const cnn_onnx_weight_copy *copy)
{
    if (!cnn_grow(import->context, (void **)&import->copies, &import->copy_capacity, import->copy_count + 1,
                  sizeof *import->copies))
        return CNN_ERROR_OUT_OF_MEMORY;
    import->copies[import->copy_count++] = *copy;
    return CNN_OK;
}

/* The last that was added for a parameter; NULL if there is none. */
static cnn_onnx_weight_copy *find_copy(const cnn_onnx_import *import, cnn_node node, const char *parameter)
{
    for (size_t i = import->copy_count; i-- > 0;)
        if (import->copies[i].node == node && !strcmp(import->copies[i].parameter, parameter))
            return &import->copies[i];
    return NULL;
}

bool cnn_onnx_has_weights(const cnn_onnx_import *import, cnn_node node)
{
    const cnn_layer_type *type = cnn_onnx_layer(import, node)->type;
    return type == &cnn_layer_conv2d || type == &cnn_layer_dense;
}

/* A bias of zeros, for a layer that has none. */
static cnn_status add_bias(cnn_onnx_import *import, cnn_node node, int64_t count)
{
    static const float zero;
    cnn_layer *layer = &import->graph->nodes[node].layer;
    const cnn_onnx_weight_copy copy = { node, "bias", &zero, { 1, 1, 1, count }, { 0 }, 1, NULL, NULL };
    if (layer->type == &cnn_layer_conv2d)
        ((cnn_conv2d_attributes *)layer->attributes)->no_bias = 0;
    else
        ((cnn_dense_attributes *)layer->attributes)->no_bias = 0;
    layer->parameter_count = 0;
    cnn_status status = layer->type->shape(layer);
    return status ? status : cnn_onnx_add_weight_copy(import, &copy);
}

static cnn_status scale_copy(cnn_onnx_import *import, cnn_onnx_weight_copy *copy, const float *scale,
                             const float *offset)
{
    int64_t count = copy->dims[3];
    void *memory;
    if (!copy->scale) {
        cnn_status status = cnn_onnx_memory(import, 2 * count, sizeof(float), &memory);
        if (status)
            return status;
        copy->scale = memory;
        copy->offset = copy->scale + count;
        for (int64_t i = 0; i < count; i++) {
            copy->scale[i] = 1;
            copy->offset[i] = 0;
        }
    }
    for (int64_t i = 0; i < count; i++) {
        copy->scale[i] *= scale[i];
        copy->offset[i] = copy->offset[i] * scale[i] + (offset ? offset[i] : 0);
    }
    return CNN_OK;
}

cnn_status cnn_onnx_scale_weights(cnn_onnx_import *import, cnn_node node, const float *scale, const float *offset)
{
    const cnn_shape *shape = &cnn_onnx_layer(import, node)->output;
    cnn_status status = CNN_OK;
    if (!find_copy(import, node, "bias"))
        status = add_bias(import, node, shape->dims[shape->rank - 1]);
    if (!status)
        status = scale_copy(import, find_copy(import, node, "weight"), scale, NULL);
    return status ? status : scale_copy(import, find_copy(import, node, "bias"), scale, offset);
}

const cnn_layer *cnn_onnx_layer(const cnn_onnx_import *import, cnn_node node)
{
    return &import->graph->nodes[node].layer;
}

int64_t cnn_onnx_channels(const cnn_onnx_import *import, const cnn_onnx_activation *activation)
{
    const cnn_shape *shape = &cnn_onnx_layer(import, activation->node)->output;
    return shape->dims[shape->rank - 1];
}

int64_t cnn_onnx_dim(const cnn_onnx_import *import, const cnn_onnx_activation *activation, int32_t axis)
{
    const cnn_shape *shape = &cnn_onnx_layer(import, activation->node)->output;
    switch (activation->axes[axis]) {
    case CNN_ONNX_BATCH: return import->batch;
    case CNN_ONNX_CHANNEL: return shape->dims[shape->rank - 1];
    case CNN_ONNX_HEIGHT: return shape->dims[0] + activation->pads[0] + activation->pads[2];
    case CNN_ONNX_WIDTH: return shape->dims[1] + activation->pads[1] + activation->pads[3];
    default: return 1;
    }
}

void cnn_onnx_feature_layout(const cnn_onnx_import *import, const cnn_onnx_activation *activation, int64_t dims[3],
                             int64_t strides[3])
{
    bool reordered = activation->flat_dims[2] > 0;
    for (int i = 0; i < 3; i++) {
        dims[i] = reordered ? activation->flat_dims[i] : i < 2 ? 1 : cnn_onnx_channels(import, activation);
        strides[i] = reordered ? activation->flat_strides[i] : i < 2 ? 0 : 1;
    }
}

bool cnn_onnx_is_image(const cnn_onnx_import *import, const cnn_onnx_activation *activation)
{
    static const cnn_onnx_axis order[] = { CNN_ONNX_BATCH, CNN_ONNX_CHANNEL, CNN_ONNX_HEIGHT, CNN_ONNX_WIDTH };
    return activation->rank == 4 && cnn_onnx_layer(import, activation->node)->output.rank == 3 &&
           !memcmp(activation->axes, order, sizeof order);
}

cnn_status cnn_onnx_drop_space(cnn_onnx_import *import, cnn_onnx_activation *activation)
{
    const cnn_shape *shape = &cnn_onnx_layer(import, activation->node)->output;
    if (shape->rank != 3 || shape->dims[0] != 1 || shape->dims[1] != 1)
        return CNN_OK;
    for (int32_t i = 0; i < activation->rank; i++)
        if (activation->axes[i] == CNN_ONNX_HEIGHT || activation->axes[i] == CNN_ONNX_WIDTH)
            activation->axes[i] = CNN_ONNX_ONE;
    return cnn_onnx_add_layer(import, &cnn_layer_flatten, &activation->node, 1, NULL, &activation->node);
}

/* How far apart neighbours in our three dimensions are when the file's axes, in its order, become one. */
static void note_order(cnn_onnx_activation *activation, const cnn_shape *shape)
{
    int64_t stride = 1, natural = 1;
    bool reordered = false;
    for (int32_t i = activation->rank; i-- > 1;) {
        cnn_onnx_axis axis = activation->axes[i];
        if (axis > CNN_ONNX_CHANNEL)
            continue;
        activation->flat_strides[axis] = stride;
        stride *= shape->dims[axis];
    }
    for (int i = 2; i >= 0; natural *= shape->dims[i--])
        reordered = reordered || (shape->dims[i] > 1 && activation->flat_strides[i] != natural);
    for (int i = 0; i < 3; i++)
        activation->flat_dims[i] = reordered ? shape->dims[i] : 0;
}

cnn_status cnn_onnx_flatten(cnn_onnx_import *import, cnn_onnx_activation *activation)
{
    const cnn_shape shape = cnn_onnx_layer(import, activation->node)->output;
    cnn_status status = CNN_OK;
    if (shape.rank == 3) {
        note_order(activation, &shape);
        status = cnn_onnx_add_layer(import, &cnn_layer_flatten, &activation->node, 1, NULL, &activation->node);
    }
    activation->rank = 2;
    activation->axes[0] = CNN_ONNX_BATCH;
    activation->axes[1] = CNN_ONNX_CHANNEL;
    return status;
}

cnn_status cnn_onnx_add_convolution(cnn_onnx_import *import, const cnn_conv2d_attributes *attributes,
                                    const float *weight, const int64_t strides[4], const float *bias,
                                    cnn_onnx_activation *activation)
{
    int64_t channels = cnn_onnx_channels(import, activation) / attributes->groups;
    cnn_status status =
        cnn_onnx_add_layer(import, &cnn_layer_conv2d, &activation->node, 1, attributes, &activation->node);
    if (status)
        return status;
    activation->padded = false;
    memset(activation->pads, 0, sizeof activation->pads);
    const cnn_onnx_weight_copy weights = {
        activation->node,
        "weight",
        weight,
        { attributes->kernel[0], attributes->kernel[1], channels, attributes->filters },
        { strides[2], strides[3], strides[1], strides[0] },
        1,
    };
    status = cnn_onnx_add_weight_copy(import, &weights);
    if (status || !bias)
        return status;
    const cnn_onnx_weight_copy biases = { activation->node, "bias", bias, { 1, 1, 1, attributes->filters },
                                          { 0, 0, 0, 1 },   1 };
    return cnn_onnx_add_weight_copy(import, &biases);
}

bool cnn_onnx_is_not_negative(const cnn_onnx_import *import, cnn_node node)
{
    for (; node > 0; node = import->graph->nodes[node].inputs[0]) {
        const cnn_layer_type *type = cnn_onnx_layer(import, node)->type;
        if (type == &cnn_layer_relu || type == &cnn_layer_relu6 || type == &cnn_layer_sigmoid ||
            type == &cnn_layer_hard_sigmoid || type == &cnn_layer_softplus)
            return true;
        if (type != &cnn_layer_max_pool2d && type != &cnn_layer_avg_pool2d && type != &cnn_layer_dropout)
            return false;
    }
    return false;
}
