#include "compile/budget.h"

#include "core/context_internal.h"
#include "core/error.h"

/* Training keeps the values of all layers, and has gradients by them. */
enum { TRAINING_FACTOR = 8 };

#define HOW_TO_RAISE_MEMORY "cnn_context_options.image_memory_limit or CNN_IMAGE_MEMORY raises it"

/* Of the layer's inputs and its output, as floats. */
static uint64_t bytes_of(const cnn_layer *layer)
{
    uint64_t count = (uint64_t)cnn_shape_count(&layer->output);
    for (int32_t i = 0; i < layer->input_count; i++)
        count += (uint64_t)cnn_shape_count(&layer->inputs[i]);
    return count * sizeof(float);
}

static uint64_t operations_of(const cnn_layer *layer)
{
    uint64_t count = (uint64_t)cnn_shape_count(&layer->output);
    if (layer->type->flops)
        return layer->type->flops(layer);
    if (layer->type != &cnn_layer_max_pool2d && layer->type != &cnn_layer_avg_pool2d)
        return count;
    const cnn_pool2d_attributes *pool = layer->attributes;
    return count * (uint64_t)pool->kernel[0] * (uint64_t)pool->kernel[1]; /* below 2^47: layers check both */
}

cnn_status cnn_graph_check_budget(const cnn_context *context, const cnn_graph *graph)
{
    uint64_t operations = 0;
    for (int32_t i = 0; i < graph->count; i++) {
        const cnn_graph_node *node = &graph->nodes[i];
        uint64_t bytes = bytes_of(&node->layer), own = operations_of(&node->layer);
        if (bytes > context->image_memory_limit)
            return cnn_fail(CNN_ERROR_LIMIT,
                            "%s: its values take %.1f MB for one image; the limit is %.1f MB "
                            "(" HOW_TO_RAISE_MEMORY ")",
                            node->name, (double)bytes / 1e6, (double)context->image_memory_limit / 1e6);
        operations = own > UINT64_MAX - operations ? UINT64_MAX : operations + own;
        if (operations > context->image_operation_limit)
            return cnn_fail(CNN_ERROR_LIMIT,
                            "%s: up to this layer one image takes %.3g operations; the limit is %.3g "
                            "(cnn_context_options.image_operation_limit or CNN_IMAGE_OPERATIONS raises it)",
                            node->name, (double)operations, (double)context->image_operation_limit);
    }
    return CNN_OK;
}

cnn_status cnn_check_image_memory(const cnn_context *context, size_t image_bytes, bool training)
{
    if (image_bytes / (training ? TRAINING_FACTOR : 1) <= context->image_memory_limit)
        return CNN_OK;
    return cnn_fail(CNN_ERROR_LIMIT,
                    "the model's values take %.1f MB for one image%s; the limit is %.1f MB (" HOW_TO_RAISE_MEMORY ")",
                    (double)image_bytes / 1e6, training ? " in training" : "",
                    (double)context->image_memory_limit * (training ? TRAINING_FACTOR : 1) / 1e6);
}
