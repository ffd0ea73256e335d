/* Another size of input for a model that has its weights. */
#include <string.h>

#include "compile/budget.h"
#include "core/error.h"
#include "runtime/model_internal.h"
#include "runtime/model_state.h"
#include "runtime/session_pool.h"

/* A copy of the model's graph that begins with an input of that size. */
static cnn_status copy_resized(const cnn_model *model, int64_t height, int64_t width, cnn_graph **result)
{
    cnn_graph *copy;
    cnn_status status = cnn_graph_create(model->context, &copy);
    if (status)
        return status;
    cnn_shape input = cnn_model_input_shape(model);
    const cnn_input_attributes resized = { { height, width, input.dims[2] } };
    for (int32_t i = 0; i < model->graph->count; i++) {
        const cnn_graph_node *node = &model->graph->nodes[i];
        cnn_graph_add(copy, node->layer.type, node->inputs, node->layer.input_count,
                      i ? node->layer.attributes : &resized, node->name);
    }
    copy->output = model->graph->output;
    status = cnn_graph_status(copy);
    if (status)
        cnn_graph_destroy(copy);
    else
        *result = copy;
    return status;
}

static bool same_parameter(const cnn_layer_parameter *a, const cnn_layer_parameter *b)
{
    return a->rank == b->rank && !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]);
}

/* Layers after a flattening have weights for each place of the image. */
static cnn_status check_weights(const cnn_model *model, const cnn_graph *resized)
{
    for (int32_t i = 0; i < resized->count; i++) {
        const cnn_layer *own = &model->graph->nodes[i].layer, *other = &resized->nodes[i].layer;
        for (int32_t k = 0; k < own->parameter_count; k++)
            if (!same_parameter(&own->parameters[k], &other->parameters[k]))
                return cnn_fail(CNN_ERROR_SHAPE,
                                "%s: its weights are for one size of image; a net for any size has a global average "
                                "pooling before its dense layers",
                                resized->nodes[i].name);
    }
    return CNN_OK;
}

/* Exchanges the layers of the two graphs. The model's graph and the names in it stay where they are: callers may hold
 * them. */
static void exchange_layers(cnn_graph *own, cnn_graph *resized)
{
    for (int32_t i = 0; i < own->count; i++) {
        cnn_layer layer = own->nodes[i].layer;
        own->nodes[i].layer = resized->nodes[i].layer;
        resized->nodes[i].layer = layer;
    }
}

cnn_status cnn_model_resize(cnn_model *model, int64_t height, int64_t width)
{
    if (!model)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_resize: the model is NULL");
    cnn_shape input = cnn_model_input_shape(model);
    if (input.rank == 3 && input.dims[0] == height && input.dims[1] == width)
        return CNN_OK;
    cnn_graph *graph = NULL;
    cnn_session_pool *sessions = NULL;
    cnn_status status = copy_resized(model, height, width, &graph);
    if (!status)
        status = cnn_graph_check_budget(model->context, graph);
    if (!status)
        status = check_weights(model, graph);
    if (!status)
        status = cnn_session_pool_create(model->context, NULL, 0, &sessions);
    if (status) {
        cnn_graph_destroy(graph);
        return status;
    }
    cnn_training_destroy(model);
    cnn_session_pool_destroy(model->sessions);
    model->sessions = sessions;
    exchange_layers(model->graph, graph);
    cnn_graph_destroy(graph);
    return CNN_OK;
}
