#include "operations_change.h"

#include "operations_predict.h"
#include "runtime/model_internal.h"

bool operation_write(case_trial *trial, int32_t argument)
{
    if (cnn_model_is_quantized(trial->model))
        return true;
    case_fill_weights(trial->model, trial->it->seed + (uint64_t)argument);
    return operation_predict(trial, 0);
}

bool operation_cut(case_trial *trial, int32_t argument)
{
    const cnn_graph *graph = cnn_model_graph(trial->model);
    cnn_graph *cut;
    cnn_model *model;
    int32_t layers = cnn_graph_node_count(graph) - 1;
    if (cnn_model_is_quantized(trial->model) || !layers)
        return true;
    const char *name = cnn_graph_node_name(graph, 1 + argument % layers);
    if (!trial_ok(trial, cnn_graph_truncate(trial->context, graph, name, &cut), "cnn_graph_truncate"))
        return false;
    cnn_status status = cnn_model_create(trial->context, cut, 5, &model);
    cnn_graph_destroy(cut);
    if (!status)
        status = cnn_model_copy_weights(model, trial->model, NULL);
    return trial_ok(trial, status, "a model of what was cut off") && trial_take_model(trial, model) &&
           operation_predict(trial, 0);
}

static bool still_predicts(case_trial *trial, const cnn_tensor *before)
{
    return trial_same_bits(trial, "after a resize that failed", before, 0,
                           trial_predict(trial, trial->model, 0, trial->it->images));
}

bool operation_resize(case_trial *trial, int32_t argument)
{
    cnn_shape shape = cnn_model_input_shape(trial->model);
    int64_t height = 1 + argument % 24, width = 1 + argument / 24 % 24;
    if (shape.dims[0] * shape.dims[1] > 64 * 64)
        return true;
    cnn_tensor *before = trial_predict(trial, trial->model, 0, trial->it->images);
    if (!before)
        return false;
    bool right = cnn_model_resize(trial->model, height, width)
                     ? still_predicts(trial, before)
                     : trial_take_model(trial, trial->model) && operation_predict(trial, 0);
    cnn_tensor_destroy(before);
    return right;
}

bool operation_quantize(case_trial *trial, int32_t argument)
{
    (void)argument;
    cnn_model *quantized;
    cnn_status status = cnn_model_quantize(trial->model, trial->images, &quantized);
    if (cnn_model_is_quantized(trial->model))
        return status == CNN_ERROR_ARGUMENT || trial_fail(trial, "a quantised model can be quantised again");
    if (!trial_ok(trial, status, "cnn_model_quantize"))
        return false;
    if (!check_folded(trial)) {
        cnn_model_destroy(quantized);
        return false;
    }
    return trial_take_model(trial, quantized) && operation_predict(trial, 0);
}

static cnn_tensor *heat_map(case_trial *trial, cnn_model *model, int32_t class_index, cnn_status *status)
{
    cnn_shape shape = cnn_model_input_shape(model);
    int64_t dims[4] = { 1, shape.dims[0], shape.dims[1], shape.dims[2] };
    cnn_tensor *image, *map = NULL;
    *status = cnn_tensor_wrap(trial->plain, CNN_FLOAT32, 4, dims, cnn_tensor_data(trial->images), &image);
    if (*status)
        return NULL;
    *status = cnn_model_heat_map(model, image, class_index, &map);
    cnn_tensor_destroy(image);
    return map;
}

static bool check_map(case_trial *trial, const cnn_tensor *map)
{
    const float *values = cnn_tensor_const_data(map);
    for (int64_t i = 0; i < cnn_tensor_count(map); i++)
        if (!(values[i] >= 0 && values[i] <= 1))
            return trial_fail(trial, "explain: %.9g is not in 0 to 1", (double)values[i]);
    return true;
}

bool operation_explain(case_trial *trial, int32_t argument)
{
    cnn_shape output = cnn_model_output_shape(trial->model);
    if (output.rank != 1)
        return true;
    int32_t class_index = argument % (int32_t)(output.dims[0] < 2 ? 2 : output.dims[0]);
    cnn_status status, other_status;
    cnn_tensor *map = heat_map(trial, trial->model, class_index, &status);
    if (status == CNN_ERROR_UNSUPPORTED)
        return true;
    cnn_model *other =
        trial_ok(trial, status, "cnn_model_heat_map") ? trial_clone(trial, trial->model, trial->single) : NULL;
    if (!other || !check_map(trial, map))
        return false;
    bool right = trial_same_bits(trial, "explain", map, 0, heat_map(trial, other, class_index, &other_status));
    cnn_tensor_destroy(map);
    cnn_model_destroy(other);
    return right;
}
