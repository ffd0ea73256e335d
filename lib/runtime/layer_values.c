/* The values of layers by name: a prediction of its own, whose outputs they are. */
#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "runtime/model_internal.h"
#include "runtime/model_state.h"
#include "runtime/session_pool.h"

/* `marked`: what the output is made from. */
static cnn_status find_layer(const cnn_model *model, const char *name, const bool *marked, cnn_node *node)
{
    *node = name ? cnn_graph_find(model->graph, name) : CNN_NODE_ERROR;
    if (*node == CNN_NODE_ERROR)
        return name ? cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_predict_layers: the net has no layer named '%s'", name)
                    : cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_predict_layers: a layer's name is NULL");
    if (model->quantized && !marked[*node])
        return cnn_fail(
            CNN_ERROR_UNSUPPORTED,
            "cnn_model_predict_layers: %s: the output isn't made from it, and the model is quantised for its "
            "output alone; use the one that it was made from",
            name);
    return CNN_OK;
}

static cnn_status create_value(const cnn_model *model, cnn_node node, int64_t images, cnn_tensor **value)
{
    const cnn_shape shape = cnn_graph_node_shape(model->graph, node);
    int64_t dims[CNN_MAX_RANK] = { images };
    cnn_shape_dims(shape, dims + 1, CNN_MAX_RANK - 1);
    return cnn_tensor_create(model->context, CNN_FLOAT32, 1 + shape.rank, dims, value);
}

static cnn_status predict_nodes(const cnn_model *model, const cnn_tensor *input, const cnn_node *nodes, uint32_t count,
                                cnn_tensor **values)
{
    float **arrays = cnn_allocate_zeroed(model->context, count, sizeof *arrays);
    cnn_session_pool *pool = NULL;
    cnn_status status = arrays ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    for (uint32_t i = 0; i < count && !status; i++) {
        status = create_value(model, nodes[i], input->dims[0], &values[i]);
        arrays[i] = status ? NULL : values[i]->data;
    }
    if (!status && input->dims[0])
        status = cnn_session_pool_create(model->context, nodes, (int32_t)count, &pool);
    if (!status && input->dims[0])
        status = cnn_model_predict_outputs(model, pool, input, arrays);
    cnn_session_pool_destroy(pool);
    cnn_release(model->context, arrays);
    return status;
}

static cnn_status predict_layers(const cnn_model *model, const cnn_tensor *input, const char *const *layers,
                                 uint32_t count, cnn_tensor **values)
{
    cnn_node *nodes = cnn_allocate_zeroed(model->context, count, sizeof *nodes);
    bool *marked = cnn_allocate_zeroed(model->context, (size_t)model->graph->count, sizeof *marked);
    cnn_status status = nodes && marked ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    if (!status)
        cnn_graph_mark(model->graph, cnn_graph_output(model->graph), marked);
    for (uint32_t i = 0; i < count && !status; i++)
        status = find_layer(model, layers[i], marked, &nodes[i]);
    if (!status)
        status = predict_nodes(model, input, nodes, count, values);
    cnn_release(model->context, nodes);
    cnn_release(model->context, marked);
    return status;
}

cnn_status cnn_model_predict_layers(const cnn_model *model, const cnn_tensor *input, const char *const *layers,
                                    uint32_t count, cnn_tensor **values)
{
    for (uint32_t i = 0; i < count && values; i++)
        values[i] = NULL;
    if ((count && (!values || !layers)) || count > INT32_MAX)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_predict_layers: layers or values is NULL, or they are too many");
    if (!model)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_predict_layers: the model is NULL");
    const cnn_shape shape = cnn_model_input_shape(model);
    cnn_status status = cnn_check_batch(input, &shape, 0, "cnn_model_predict_layers: the input");
    if (!status && count)
        status = predict_layers(model, input, layers, count, values);
    for (uint32_t i = 0; i < count && status; i++) {
        cnn_tensor_destroy(values[i]);
        values[i] = NULL;
    }
    return status;
}
