#include <stdio.h>
#include <string.h>

#include "compile/budget.h"
#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "runtime/model_internal.h"
#include "runtime/model_state.h"
#include "runtime/session_pool.h"

/* Of int8 weights; whoever makes the model fills them. */
static cnn_status make_scales(cnn_model *model, cnn_weights *weights)
{
    model->quantized = true;
    weights->trainable = false;
    return cnn_tensor_create(model->context, CNN_FLOAT32, 1, &weights->declared->dims[weights->declared->rank - 1],
                             &weights->scales);
}

static cnn_status make_weights(cnn_model *model, cnn_node owner, const cnn_layer_parameter *declared)
{
    const cnn_graph_node *node = &model->graph->nodes[owner];
    size_t size = strlen(node->name) + strlen(declared->name) + 2;
    cnn_weights *weights = &model->weights[model->weights_count++];
    weights->declared = declared;
    weights->trainable = declared->trainable;
    weights->node = owner;
    weights->learning_rate_multiplier = 1;
    weights->name = cnn_allocate(model->context, size);
    if (!weights->name)
        return CNN_ERROR_OUT_OF_MEMORY;
    snprintf(weights->name, size, "%s.%s", node->name, declared->name);
    int64_t count = 1; /* it fits: layers check it */
    for (int32_t i = 0; i < declared->rank; i++)
        count *= declared->dims[i];
    cnn_dtype type = CNN_FLOAT32;
    void *found = model->memory.find ? model->memory.find(model->memory.owner, weights->name, count, &type) : NULL;
    if (type == CNN_INT8) {
        cnn_status status = make_scales(model, weights);
        if (status)
            return status;
    }
    if (found)
        return cnn_tensor_wrap(model->context, type, declared->rank, declared->dims, found, &weights->value);
    return cnn_tensor_create(model->context, CNN_FLOAT32, declared->rank, declared->dims, &weights->value);
}

static cnn_status make_all_weights(cnn_model *model)
{
    const cnn_graph *graph = model->graph;
    size_t count = 0;
    for (cnn_node i = 0; i < graph->count; i++)
        count += (size_t)graph->nodes[i].layer.parameter_count;
    model->weights = cnn_allocate_zeroed(model->context, count, sizeof *model->weights);
    model->nodes = cnn_allocate_zeroed(model->context, (size_t)graph->count, sizeof *model->nodes);
    if (!model->weights || !model->nodes)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (cnn_node i = 0; i < graph->count; i++)
        for (int32_t k = 0; k < graph->nodes[i].layer.parameter_count; k++) {
            cnn_status status = make_weights(model, i, &graph->nodes[i].layer.parameters[k]);
            if (status)
                return status;
        }
    return CNN_OK;
}

static cnn_status check_graph(const cnn_graph *graph)
{
    cnn_status status = cnn_graph_status(graph);
    if (status)
        return status;
    if (cnn_graph_output(graph) < 1)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_create: the graph has no layer between its input and output");
    return CNN_OK;
}

cnn_status cnn_model_create_over(cnn_context *context, const cnn_graph *graph, const cnn_weight_memory *memory,
                                 cnn_model **result)
{
    if (!result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_create: the result has no place: NULL was given");
    *result = NULL;
    cnn_status status = check_graph(graph);
    if (status)
        return status;
    context = cnn_context_or_default(context);
    cnn_model *model = context ? cnn_allocate_zeroed(context, 1, sizeof *model) : NULL;
    if (!model)
        return CNN_ERROR_OUT_OF_MEMORY;
    model->context = context;
    model->fuse = model->share_memory = true;
    model->memory = *memory;
    status = cnn_graph_check_budget(context, graph);
    if (!status)
        status = cnn_graph_copy(context, graph, &model->graph);
    if (!status)
        status = make_all_weights(model);
    if (!status)
        status = cnn_session_pool_create(context, NULL, 0, &model->sessions);
    if (!status) {
        *result = model;
        return CNN_OK;
    }
    model->memory.release = NULL; /* still the caller's */
    cnn_model_destroy(model);
    return status;
}

static void *find_in_model(void *owner, const char *name, int64_t count, cnn_dtype *type)
{
    const cnn_model *model = owner;
    (void)count;
    (void)type;
    for (int32_t i = 0; i < model->weights_count; i++)
        if (!strcmp(model->weights[i].name, name))
            return model->weights[i].value->data;
    return NULL;
}

cnn_weight_memory cnn_weights_of_model(const cnn_model *model)
{
    return (cnn_weight_memory){ .owner = (void *)(uintptr_t)model, .find = find_in_model };
}

cnn_status cnn_model_create_blank(cnn_context *context, const cnn_graph *graph, cnn_model **result)
{
    return cnn_model_create_over(context, graph, &(const cnn_weight_memory){ 0 }, result);
}

cnn_status cnn_model_create(cnn_context *context, const cnn_graph *graph, uint64_t seed, cnn_model **result)
{
    cnn_status status = cnn_model_create_blank(context, graph, result);
    if (!status)
        cnn_model_initialize(*result, seed);
    return status;
}

void cnn_model_destroy(cnn_model *model)
{
    if (!model)
        return;
    cnn_session_pool_destroy(model->sessions);
    cnn_training_destroy(model);
    for (int32_t i = 0; i < model->weights_count; i++) {
        cnn_release(model->context, model->weights[i].name);
        cnn_tensor_destroy(model->weights[i].value);
        cnn_tensor_destroy(model->weights[i].scales);
        cnn_tensor_destroy(model->weights[i].gradient);
    }
    cnn_release(model->context, model->weights);
    cnn_release(model->context, model->nodes);
    for (size_t i = 0; i < model->metadata_count; i++) {
        cnn_release(model->context, model->metadata[i].key);
        cnn_release(model->context, model->metadata[i].text);
    }
    cnn_release(model->context, model->metadata);
    cnn_names_free(model->context, &model->metadata_keys);
    cnn_graph_destroy(model->graph);
    if (model->memory.release)
        model->memory.release(model->memory.owner);
    cnn_release(model->context, model);
}
