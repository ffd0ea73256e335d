/* A quantised model's weights. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "runtime/quantize.h"

typedef struct named_array {
    char *name;
    cnn_tensor *tensor;
} named_array;

/* What a quantised model's arrays lie in. */
typedef struct array_list {
    cnn_context *context;
    named_array *items;
    size_t count, capacity;
} array_list;

static void destroy_list(void *owner)
{
    array_list *list = owner;
    for (size_t i = 0; i < list->count; i++) {
        cnn_release(list->context, list->items[i].name);
        cnn_tensor_destroy(list->items[i].tensor);
    }
    cnn_release(list->context, list->items);
    cnn_release(list->context, list);
}

static void *find_in_list(void *owner, const char *name, int64_t count, cnn_dtype *type)
{
    const array_list *list = owner;
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i].name, name) && list->items[i].tensor->count == count) {
            *type = list->items[i].tensor->dtype;
            return list->items[i].tensor->data;
        }
    return NULL;
}

static cnn_status add_array(array_list *list, const char *name, cnn_dtype type, int32_t rank, const int64_t *dims,
                            cnn_tensor **tensor)
{
    if (!cnn_grow(list->context, (void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items))
        return CNN_ERROR_OUT_OF_MEMORY;
    named_array *array = &list->items[list->count];
    *array = (named_array){ .name = cnn_copy_text(list->context, name) };
    cnn_status status =
        array->name ? cnn_tensor_create(list->context, type, rank, dims, &array->tensor) : CNN_ERROR_OUT_OF_MEMORY;
    if (status) {
        cnn_release(list->context, array->name);
        return status;
    }
    list->count++;
    *tensor = array->tensor;
    return CNN_OK;
}

/* The scale at which a channel's weights are −127 to 127; and its bias, in units of its sums, no larger than they may
 * be: channels whose weights are near zero are known less exactly, as they count for little. */
static float channel_scale(const cnn_tensor *weights, int64_t channels, int64_t channel, float bias, float value_scale)
{
    const float *values = weights->data;
    float most = 0, scale;
    for (int64_t i = channel; i < weights->count; i += channels)
        most = fabsf(values[i]) > most ? fabsf(values[i]) : most;
    scale = most / 127;
    float least = fabsf(bias) / value_scale / (0.5f * (float)CNN_INT8_MAX_BIAS);
    scale = scale > least ? scale : least;
    return scale > FLT_MIN ? scale : 1;
}

static void quantize_channel(const cnn_tensor *weights, int64_t channels, int64_t channel, float scale, int8_t *to)
{
    const float *values = weights->data;
    for (int64_t i = channel; i < weights->count; i += channels)
        to[i] = (int8_t)lrintf(values[i] / scale);
}

static const float *bias_of(const cnn_model *model, int32_t weight)
{
    bool has = weight + 1 < model->weights_count && model->weights[weight + 1].node == model->weights[weight].node;
    return has ? model->weights[weight + 1].value->data : NULL;
}

static cnn_status quantize_weight(array_list *list, const cnn_model *model, int32_t index, float value_scale)
{
    const cnn_weights *weights = &model->weights[index];
    const cnn_tensor *value = weights->value;
    const float *bias = bias_of(model, index);
    int64_t channels = value->dims[value->rank - 1];
    cnn_tensor *bytes, *scales;
    cnn_status status = add_array(list, weights->name, CNN_INT8, value->rank, value->dims, &bytes);
    if (!status)
        status = add_array(list, "", CNN_FLOAT32, 1, &channels, &scales);
    for (int64_t c = 0; c < channels && !status; c++) {
        float scale = channel_scale(value, channels, c, bias ? bias[c] : 0, value_scale);
        if (!isfinite(scale))
            return cnn_fail(CNN_ERROR_NOT_FINITE, "cnn_model_quantize: %s holds a value that is not finite",
                            weights->name);
        ((float *)scales->data)[c] = scale;
        quantize_channel(value, channels, c, scale, bytes->data);
    }
    return status;
}

static cnn_status fill_list(array_list *list, const cnn_model *model, const float *value_scales)
{
    for (int32_t i = 0; i < model->weights_count; i++) {
        const cnn_weights *weights = &model->weights[i];
        const cnn_graph_node *node = &model->graph->nodes[weights->node];
        float value_scale = value_scales[node->inputs[0]];
        if (strcmp(weights->declared->name, "weight") != 0 || !cnn_int8_can_compute(&node->layer) || value_scale <= 0)
            continue;
        cnn_status status = quantize_weight(list, model, i, value_scale);
        if (status)
            return status;
    }
    return CNN_OK;
}

static void copy_scales(const array_list *list, cnn_weights *to)
{
    for (size_t i = 0; i + 1 < list->count; i++) /* they follow the weights */
        if (list->items[i].tensor->data == to->value->data)
            memcpy(to->scales->data, list->items[i + 1].tensor->data, cnn_tensor_bytes(to->scales));
}

static cnn_status copy_rest(const cnn_model *model, const array_list *memory, cnn_model *quantized)
{
    quantized->quantized = true;
    for (int32_t i = 0; i < model->weights_count; i++) {
        cnn_weights *to = &quantized->weights[i];
        to->trainable = false;
        if (to->scales)
            copy_scales(memory, to);
        else
            memcpy(to->value->data, model->weights[i].value->data, cnn_tensor_bytes(to->value));
    }
    for (size_t i = 0; i < model->metadata_count; i++) {
        cnn_status status = cnn_model_set_metadata(quantized, model->metadata[i].key, model->metadata[i].text);
        if (status)
            return status;
    }
    return CNN_OK;
}

cnn_status cnn_model_quantize_weights(const cnn_model *model, const float *value_scales, cnn_model **result)
{
    array_list *list = cnn_allocate_zeroed(model->context, 1, sizeof *list);
    if (!list)
        return CNN_ERROR_OUT_OF_MEMORY;
    list->context = model->context;
    cnn_weight_memory memory = { list, find_in_list, destroy_list };
    cnn_status status = fill_list(list, model, value_scales);
    if (!status)
        status = cnn_model_create_over(model->context, model->graph, &memory, result);
    if (status) {
        destroy_list(list);
        return status;
    }
    status = copy_rest(model, list, *result);
    if (status) {
        cnn_model_destroy(*result);
        *result = NULL;
    }
    return status;
}
