/* How fast the layers of a model learn, and weights taken over from another model. */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "runtime/model_internal.h"
#include "runtime/model_state.h"

static cnn_weights *find_like(cnn_model *model, const cnn_weights *like)
{
    for (int32_t i = 0; i < model->weights_count; i++) {
        cnn_weights *weights = &model->weights[i];
        if (!strcmp(weights->name, like->name) && weights->value->rank == like->value->rank &&
            !memcmp(weights->value->dims, like->value->dims, (size_t)like->value->rank * sizeof like->value->dims[0]))
            return weights;
    }
    return NULL;
}

cnn_status cnn_model_copy_weights(cnn_model *model, const cnn_model *source, int32_t *copied)
{
    if (!model || !source)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_copy_weights: NULL was given");
    cnn_status status = cnn_model_check_floats(model, "cnn_model_copy_weights");
    if (!status)
        status = cnn_model_check_floats(source, "cnn_model_copy_weights");
    if (status)
        return status;
    int32_t count = 0;
    for (int32_t i = 0; i < source->weights_count; i++) {
        cnn_weights *to = find_like(model, &source->weights[i]);
        if (!to)
            continue;
        memcpy(to->value->data, source->weights[i].value->data, cnn_tensor_bytes(to->value));
        count++;
    }
    cnn_model_changed(model);
    if (copied)
        *copied = count;
    return CNN_OK;
}

/* Sets the factor of a node and of all that it depends on. */
static void set_factor(cnn_model *model, cnn_node last, float factor, bool *reached)
{
    const cnn_graph *graph = model->graph;
    reached[last] = true;
    for (cnn_node i = last; i >= 0; i--) {
        if (!reached[i])
            continue;
        model->nodes[i].frozen = factor == 0;
        for (int32_t k = 0; k < graph->nodes[i].layer.input_count; k++)
            reached[graph->nodes[i].inputs[k]] = true;
    }
    for (int32_t i = 0; i < model->weights_count; i++) {
        cnn_weights *weights = &model->weights[i];
        if (!reached[weights->node])
            continue;
        weights->learning_rate_multiplier = factor;
        weights->trainable = weights->declared->trainable && factor > 0;
    }
}

cnn_status cnn_model_set_learning_rate_multiplier(cnn_model *model, const char *layer, float factor)
{
    if (!model || !(factor >= 0 && isfinite(factor)))
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "cnn_model_set_learning_rate_multiplier: the model is NULL, or the factor not "
                        "a number of 0 or more");
    cnn_node last = layer ? cnn_graph_find(model->graph, layer) : cnn_graph_output(model->graph);
    if (last == CNN_NODE_ERROR)
        return cnn_fail(CNN_ERROR_ARGUMENT, "the net has no layer named '%s'", layer);
    bool *reached = cnn_allocate_zeroed(model->context, (size_t)model->graph->count, sizeof *reached);
    if (!reached)
        return CNN_ERROR_OUT_OF_MEMORY;
    set_factor(model, last, factor, reached);
    cnn_release(model->context, reached);
    cnn_training_destroy(model); /* its program is for other weights */
    return CNN_OK;
}
