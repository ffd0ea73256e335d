#include "operations_files.h"

#include <string.h>

#include "../unit/scratch.h"
#include "operations_predict.h"
#include "runtime/model_internal.h"
#include "simd/bf16.h"

static const char *model_path(const case_trial *trial)
{
    return scratch_path(trial->folder, "model");
}

static cnn_model *load(case_trial *trial, cnn_context *context)
{
    cnn_model *model;
    return trial_ok(trial, cnn_model_load(context, model_path(trial), &model), "cnn_model_load") ? model : NULL;
}

bool operation_save(case_trial *trial, int32_t argument)
{
    (void)argument;
    cnn_tensor *before = trial_predict(trial, trial->model, 0, trial->it->images);
    if (!before || !trial_ok(trial, cnn_model_save(trial->model, model_path(trial)), "cnn_model_save") ||
        !trial_predicts_same_bits(trial, "loaded", before, load(trial, trial->single)))
        return false;
    cnn_tensor_destroy(before);
    cnn_model *loaded = load(trial, trial->context);
    return loaded && trial_take_model(trial, loaded);
}

static bool check_rounded(case_trial *trial, const cnn_model *exact, const cnn_model *rounded)
{
    for (int32_t i = 0; i < cnn_model_parameter_count(exact); i++) {
        cnn_parameter a = { .struct_size = sizeof a }, b = { .struct_size = sizeof b };
        cnn_model_parameter(exact, i, &a);
        cnn_model_parameter(rounded, i, &b);
        bool weight = strlen(a.name) > 7 && !strcmp(a.name + strlen(a.name) - 7, ".weight");
        const float *from = cnn_tensor_const_data(a.value), *to = cnn_tensor_const_data(b.value);
        for (int64_t k = 0; k < cnn_tensor_count(a.value); k++) {
            float expected = weight ? cnn_bf16_widen(cnn_bf16_round(from[k])) : from[k];
            if (memcmp(&expected, &to[k], sizeof expected) != 0)
                return trial_fail(trial, "bfloat16: %s [%lld] is %.9g, not %.9g", a.name, (long long)k, (double)to[k],
                                  (double)expected);
        }
    }
    return true;
}

bool operation_save_bfloat16(case_trial *trial, int32_t argument)
{
    (void)argument;
    if (cnn_model_is_quantized(trial->model))
        return true;
    cnn_model *loaded;
    return trial_ok(trial, cnn_model_save_as(trial->model, model_path(trial), CNN_BFLOAT16), "cnn_model_save_as") &&
           (loaded = load(trial, trial->context)) && check_rounded(trial, trial->model, loaded) &&
           trial_take_model(trial, loaded);
}

static cnn_model *through_json(case_trial *trial)
{
    char *text;
    cnn_graph *graph;
    cnn_model *model;
    if (!trial_ok(trial, cnn_graph_to_json(cnn_model_graph(trial->model), &text), "cnn_graph_to_json"))
        return NULL;
    cnn_status status = cnn_graph_from_json(trial->context, text, strlen(text), &graph);
    cnn_text_free(text);
    if (!trial_ok(trial, status, "cnn_graph_from_json"))
        return NULL;
    status = cnn_model_create(trial->context, graph, 99, &model);
    cnn_graph_destroy(graph);
    if (!status)
        status = cnn_model_copy_weights(model, trial->model, NULL);
    return trial_ok(trial, status, "a model of JSON") ? model : NULL;
}

bool operation_json(case_trial *trial, int32_t argument)
{
    (void)argument;
    if (cnn_model_is_quantized(trial->model))
        return true;
    cnn_tensor *before = trial_predict(trial, trial->model, 0, trial->it->images);
    bool right = before && trial_predicts_same_bits(trial, "JSON", before, through_json(trial));
    cnn_tensor_destroy(before);
    return right;
}

static bool same_shapes(case_trial *trial, const cnn_model *model)
{
    cnn_shape a = cnn_model_input_shape(trial->model), b = cnn_model_input_shape(model);
    cnn_shape c = cnn_model_output_shape(trial->model), d = cnn_model_output_shape(model);
    bool same = a.rank == b.rank && c.rank == d.rank;
    for (int32_t i = 0; i < 3 && same; i++)
        same = (i >= a.rank || a.dims[i] == b.dims[i]) && (i >= c.rank || c.dims[i] == d.dims[i]);
    return same ||
           trial_fail(trial, "ONNX: the shapes have changed: input %lldx%lldx%lld, output rank %d to %d",
                      (long long)b.dims[0], (long long)b.dims[1], (long long)b.dims[2], (int)c.rank, (int)d.rank);
}

bool operation_onnx(case_trial *trial, int32_t argument)
{
    (void)argument;
    cnn_status status = cnn_model_save_onnx(trial->model, model_path(trial));
    if (status == CNN_ERROR_UNSUPPORTED)
        return true;
    cnn_model *loaded;
    if (!trial_ok(trial, status, "cnn_model_save_onnx") ||
        !trial_ok(trial, cnn_model_load_onnx(trial->context, model_path(trial), NULL, &loaded),
                  "cnn_model_load_onnx") ||
        !same_shapes(trial, loaded))
        return false;
    cnn_tensor *output = trial_predict(trial, loaded, 0, trial->it->images);
    bool right = output && check_image(trial, "ONNX", output, 0);
    cnn_tensor_destroy(output);
    return right && trial_take_model(trial, loaded);
}
