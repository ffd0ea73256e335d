/* Learning-rate multipliers: how fast each layer of a model learns. */
#include <math.h>

#include "core/error.h"
#include "core/memory.h"
#include "runtime/model_internal.h"
#include "runtime/model_state.h"

/* Sets the multiplier of a node and of all that it depends on. */
static void set_multiplier(cnn_model *model, cnn_node last, float multiplier, bool *reached)
{
    cnn_graph_mark(model->graph, last, reached);
    for (cnn_node i = last; i >= 0; i--)
        if (reached[i])
            model->nodes[i].frozen = multiplier == 0;
    for (int32_t i = 0; i < model->weights_count; i++) {
        cnn_weights *weights = &model->weights[i];
        if (!reached[weights->node])
            continue;
        weights->learning_rate_multiplier = multiplier;
        weights->trainable = weights->declared->trainable && multiplier > 0;
    }
}

cnn_status cnn_model_set_learning_rate_multiplier(cnn_model *model, const char *layer, float multiplier)
{
    if (!model || !(multiplier >= 0 && isfinite(multiplier)))
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "cnn_model_set_learning_rate_multiplier: the model is NULL, or the multiplier not "
                        "a number of 0 or more");
    cnn_node last = layer ? cnn_graph_find(model->graph, layer) : cnn_graph_output(model->graph);
    if (last == CNN_NODE_ERROR)
        return cnn_fail(CNN_ERROR_ARGUMENT, "the net has no layer named '%s'", layer);
    bool *reached = cnn_allocate_zeroed(model->context, (size_t)model->graph->count, sizeof *reached);
    if (!reached)
        return CNN_ERROR_OUT_OF_MEMORY;
    set_multiplier(model, last, multiplier, reached);
    cnn_release(model->context, reached);
    cnn_training_destroy(model); /* its program is for other weights */
    return CNN_OK;
}
