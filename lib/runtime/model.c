#include <string.h>

#include <cnn/quantize.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"
#include "core/tensor_internal.h"
#include "data/utf8.h"
#include "kernels/elementwise/elementwise.h"
#include "runtime/model_internal.h"

const cnn_graph *cnn_model_graph(const cnn_model *model)
{
    return model ? model->graph : NULL;
}

cnn_shape cnn_model_input_shape(const cnn_model *model)
{
    return cnn_graph_node_shape(cnn_model_graph(model), 0);
}

cnn_shape cnn_model_output_shape(const cnn_model *model)
{
    return model ? cnn_graph_node_shape(model->graph, cnn_graph_output(model->graph)) : (cnn_shape){ 0 };
}

int32_t cnn_model_input_dims(const cnn_model *model, int64_t *dims, int32_t capacity)
{
    return cnn_shape_dims(cnn_model_input_shape(model), dims, capacity);
}

int32_t cnn_model_output_dims(const cnn_model *model, int64_t *dims, int32_t capacity)
{
    return cnn_shape_dims(cnn_model_output_shape(model), dims, capacity);
}

int32_t cnn_model_parameter_count(const cnn_model *model)
{
    return model ? model->weights_count : 0;
}

cnn_status cnn_model_parameter(const cnn_model *model, int32_t index, cnn_parameter *parameter)
{
    if (!model || index < 0 || index >= model->weights_count)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_parameter: there is no parameter %d; the model has %d",
                        (int)index, (int)cnn_model_parameter_count(model));
    const cnn_weights *weights = &model->weights[index];
    cnn_parameter result = {
        .name = weights->name,
        .value = weights->value,
        .gradient = weights->gradient,
        .trainable = weights->trainable,
        .decay = weights->declared->decay,
    };
    return cnn_options_write(parameter, &result, sizeof result, "cnn_parameter");
}

void cnn_model_changed(cnn_model *model)
{
    if (model)
        model->version++;
}

uint64_t cnn_model_weight_count(const cnn_model *model, uint64_t *trainable)
{
    uint64_t all = 0, trained = 0;
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        const cnn_weights *weights = &model->weights[i];
        all += (uint64_t)weights->value->count;
        trained += weights->trainable ? (uint64_t)weights->value->count : 0;
    }
    if (trainable)
        *trainable = trained;
    return all;
}

uint64_t cnn_model_flops(const cnn_model *model)
{
    uint64_t flops = 0;
    for (cnn_node i = 0; model && i < model->graph->count; i++) {
        const cnn_layer *layer = &model->graph->nodes[i].layer;
        flops += layer->type->flops ? layer->type->flops(layer) : 0;
    }
    return flops;
}

const char *cnn_model_find_not_finite(const cnn_model *model)
{
    for (int32_t i = 0; i < model->weights_count; i++) {
        const cnn_tensor *value = model->weights[i].value;
        if (value->dtype != CNN_INT8 &&
            !cnn_elementwise_finite(model->context, value->dtype, value->data, (size_t)value->count))
            return model->weights[i].name;
    }
    return NULL;
}

cnn_status cnn_model_check_floats(const cnn_model *model, const char *function)
{
    return model && model->quantized
               ? cnn_fail(CNN_ERROR_ARGUMENT,
                          "%s: the model is quantised, which can't be undone or trained; use the one it was made from",
                          function)
               : CNN_OK;
}

uint32_t cnn_model_is_quantized(const cnn_model *model)
{
    return model && model->quantized;
}

enum { MAX_METADATA = 1 << 18 };

static cnn_metadata_entry *find_entry(const cnn_model *model, const char *key)
{
    uint32_t place = cnn_names_find(&model->metadata_keys, key);
    return place == CNN_NO_PLACE ? NULL : &model->metadata[place];
}

const char *cnn_model_metadata(const cnn_model *model, const char *key)
{
    const cnn_metadata_entry *entry = model && key ? find_entry(model, key) : NULL;
    return entry ? entry->text : NULL;
}

static void remove_entry(cnn_model *model, cnn_metadata_entry *entry)
{
    cnn_names_remove(&model->metadata_keys, entry->key);
    cnn_names_close_gap(&model->metadata_keys, (uint32_t)(entry - model->metadata));
    cnn_release(model->context, entry->key);
    cnn_release(model->context, entry->text);
    size_t after = (size_t)(model->metadata + --model->metadata_count - entry);
    memmove(entry, entry + 1, after * sizeof *entry);
}

/* Takes over `text`. */
static cnn_status add_entry(cnn_model *model, const char *key, char *text)
{
    char *key_copy = cnn_copy_text(model->context, key);
    if (!key_copy ||
        !cnn_grow(model->context, (void **)&model->metadata, &model->metadata_capacity, model->metadata_count + 1,
                  sizeof *model->metadata) ||
        !cnn_names_add(model->context, &model->metadata_keys, key_copy, (uint32_t)model->metadata_count)) {
        cnn_release(model->context, key_copy);
        cnn_release(model->context, text);
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    model->metadata[model->metadata_count++] = (cnn_metadata_entry){ key_copy, text };
    return CNN_OK;
}

cnn_status cnn_model_set_metadata(cnn_model *model, const char *key, const char *text)
{
    if (!model || !key || !*key)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_set_metadata: the model is NULL, or the key NULL or empty");
    if (!cnn_is_utf8(key, strlen(key)) || (text && !cnn_is_utf8(text, strlen(text)))) /* no file could hold it */
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_set_metadata: the key or the text is not UTF-8");
    cnn_metadata_entry *entry = find_entry(model, key);
    if (!entry && text && model->metadata_count >= MAX_METADATA)
        return cnn_fail(CNN_ERROR_LIMIT, "cnn_model_set_metadata: a model has at most %d entries of metadata",
                        MAX_METADATA);
    if (!text) {
        if (entry)
            remove_entry(model, entry);
        return CNN_OK;
    }
    char *copy = cnn_copy_text(model->context, text);
    if (!copy)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (!entry)
        return add_entry(model, key, copy);
    cnn_release(model->context, entry->text);
    entry->text = copy;
    return CNN_OK;
}
