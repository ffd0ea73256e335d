/* The values of layers by name: each is predicted by the part of the net that leads to it, over the same weights. */
#include "core/error.h"
#include "core/tensor_internal.h"
#include "runtime/model_internal.h"
#include "runtime/model_state.h"

static cnn_status make_part(const cnn_model *model, const char *layer, cnn_model **part)
{
    const cnn_weight_memory memory = cnn_weights_of_model(model);
    cnn_graph *graph;
    *part = NULL;
    cnn_status status = cnn_graph_truncate(model->context, model->graph, layer, &graph);
    if (status)
        return status;
    status = cnn_model_create_over(model->context, graph, &memory, part);
    cnn_graph_destroy(graph);
    return status;
}

static cnn_status predict_layer(const cnn_model *model, const cnn_tensor *input, const char *layer, cnn_tensor **value)
{
    if (!layer)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_predict_layers: a layer's name is NULL");
    cnn_model *part;
    cnn_status status = make_part(model, layer, &part);
    if (status)
        return status;
    const cnn_shape shape = cnn_model_output_shape(part);
    int64_t dims[CNN_MAX_RANK] = { input->dims[0] };
    cnn_shape_dims(shape, dims + 1, CNN_MAX_RANK - 1);
    status = cnn_tensor_create(model->context, CNN_FLOAT32, 1 + shape.rank, dims, value);
    if (!status)
        status = cnn_model_predict(part, input, *value);
    cnn_model_destroy(part);
    return status;
}

cnn_status cnn_model_predict_layers(const cnn_model *model, const cnn_tensor *input, const char *const *layers,
                                    uint32_t count, cnn_tensor **values)
{
    if (!values || !layers)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_predict_layers: layers or values is NULL");
    for (uint32_t i = 0; i < count; i++)
        values[i] = NULL;
    if (!model)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_predict_layers: the model is NULL");
    if (model->quantized)
        return cnn_fail(CNN_ERROR_UNSUPPORTED, "cnn_model_predict_layers: the model is quantised");
    const cnn_shape shape = cnn_model_input_shape(model);
    cnn_status status = cnn_check_batch(input, &shape, "cnn_model_predict_layers: the input");
    for (uint32_t i = 0; i < count && !status; i++)
        status = predict_layer(model, input, layers[i], &values[i]);
    for (uint32_t i = 0; i < count && status; i++) {
        cnn_tensor_destroy(values[i]);
        values[i] = NULL;
    }
    return status;
}
