#include "operations.h"

#include <string.h>

#include "contexts.h"
#include "operations_change.h"
#include "operations_files.h"
#include "operations_fit.h"
#include "operations_parallel.h"
#include "operations_predict.h"
#include "operations_train.h"
#include "runtime/model_internal.h"
#include "trial.h"

const operation_form operation_forms[] = {
    { "predict", 4, 128, true, operation_predict },
    { "threads", 4, 1, true, operation_threads },
    { "one_by_one", 2, 1, true, operation_one_by_one },
    { "some", 2, 1 << 14, true, operation_some },
    { "again", 1, 1, true, operation_again },
    { "layers", 2, 1 << 14, true, operation_layers },
    { "write", 1, 100, false, operation_write },
    { "cut", 1, 100, false, operation_cut },
    { "resize", 2, 576, false, operation_resize },
    { "quantize", 4, 1, true, operation_quantize },
    { "explain", 1, 100, true, operation_explain },
    { "train", 4, 320, true, operation_train },
    { "train_bfloat16", 2, 320, true, operation_train_bfloat16 },
    { "fit", 4, 100000, true, operation_fit },
    { "evaluate", 2, 60, true, operation_evaluate },
    { "classify", 1, 100, true, operation_classify },
    { "fork", 1, 1, false, operation_fork },
    { "save", 1, 1, false, operation_save },
    { "save_bfloat16", 1, 1, false, operation_save_bfloat16 },
    { "json", 1, 1, false, operation_json },
    { "onnx", 2, 1, false, operation_onnx },
    { "at_once", 1, 3, true, operation_at_once },
    { "contexts", 1, 3, true, operation_contexts },
};
const int32_t operation_count = sizeof operation_forms / sizeof operation_forms[0];

int32_t operations_find(const char *name)
{
    int32_t kind = 0;
    while (strcmp(operation_forms[kind].name, name) != 0)
        kind++;
    return kind;
}

static int32_t draw_operation(draw *source, bool threads_only)
{
    int32_t total = 0;
    for (int32_t i = 0; i < operation_count; i++)
        total += operation_forms[i].threads || !threads_only ? operation_forms[i].weight : 0;
    int32_t place = draw_below(source, total), kind = 0;
    for (;; kind++) {
        int32_t weight = operation_forms[kind].threads || !threads_only ? operation_forms[kind].weight : 0;
        if (place < weight)
            return kind;
        place -= weight;
    }
}

void operations_draw(random_case *drawn, draw *source, bool threads_only)
{
    drawn->operation_count = draw_between(source, 1, 4);
    for (int32_t i = 0; i < drawn->operation_count; i++) {
        int32_t kind = draw_operation(source, threads_only);
        drawn->operations[i] = (case_operation){ kind, draw_below(source, operation_forms[kind].argument) };
    }
}

/* No images are an empty result, or an error, but nothing else. */
static bool run_without_images(case_trial *trial)
{
    cnn_shape in = cnn_model_input_shape(trial->model), out = cnn_model_output_shape(trial->model);
    cnn_tensor *input, *output;
    if (cnn_tensor_create(trial->plain, CNN_FLOAT32, in.rank + 1, (int64_t[4]){ 0, in.dims[0], in.dims[1], in.dims[2] },
                          &input) ||
        cnn_tensor_create(trial->plain, CNN_FLOAT32, out.rank + 1,
                          (int64_t[4]){ 0, out.dims[0], out.dims[1], out.dims[2] }, &output))
        return trial_fail(trial, "a tensor of no images: %s", cnn_last_error());
    cnn_status status = cnn_model_predict(trial->model, input, output);
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(output);
    return !status || status == CNN_ERROR_SHAPE || trial_ok(trial, status, "no images");
}

static bool run_operations(case_trial *trial)
{
    const random_case *it = trial->it;
    if (!trial_ok(trial, case_images(it, trial->plain, cnn_model_input_shape(trial->model), it->images, &trial->images),
                  "images"))
        return false;
    for (int32_t i = 0; i < it->operation_count; i++)
        if (!operation_forms[it->operations[i].kind].run(trial, it->operations[i].argument))
            return false;
    return true;
}

case_result operations_run(const random_case *it, const char *folder, char *why, size_t size)
{
    case_trial trial = {
        .it = it,
        .context = contexts_get(it->tier, it->threads),
        .single = contexts_get(it->tier, 1),
        .plain = contexts_plain(),
        .folder = folder,
        .why = why,
        .why_size = size,
    };
    if (case_model(it, trial.context, &trial.model))
        return CASE_IMPOSSIBLE;
    bool right = it->images ? run_operations(&trial) : run_without_images(&trial);
    if (!right)
        return CASE_FAILED;
    cnn_tensor_destroy(trial.images);
    cnn_model_destroy(trial.model);
    return CASE_PASSED;
}
