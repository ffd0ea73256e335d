#include "operations_predict.h"

#include <math.h>
#include <string.h>

#include "oracle.h"
#include "runtime/quantize.h"

/* `most`: errors may be so many times what the oracle expects of them. */
static bool check_node(case_trial *trial, const char *what, cnn_node node, const cnn_tensor *output, int64_t image,
                       double most)
{
    int64_t in_size = cnn_tensor_count(trial->images) / trial->it->images;
    oracle_value value =
        oracle_predict(trial->model, node, (const float *)cnn_tensor_const_data(trial->images) + image * in_size);
    const float *found = (const float *)cnn_tensor_const_data(output) + image * value.count;
    bool right = true;
    for (int64_t i = 0; i < value.count && right; i++)
        if (!(fabs((double)found[i] - value.values[i]) <= most * value.errors[i] + 1e-30))
            right = trial_fail(trial, "%s: number %lld of image %lld is %.9g, not %.9g ± %.1g", what, (long long)i,
                               (long long)image, (double)found[i], value.values[i], most * value.errors[i]);
    oracle_release(&value);
    return right;
}

bool check_image(case_trial *trial, const char *what, const cnn_tensor *output, int64_t image)
{
    return check_node(trial, what, cnn_graph_output(trial->model->graph), output, image, 2);
}

/* What a quantised model is made of: its graph has batch normalisation within the weights, which are rounded anew. */
bool check_folded(case_trial *trial)
{
    cnn_model *folded;
    if (!trial_ok(trial, cnn_model_fold(trial->model, &folded), "cnn_model_fold"))
        return false;
    cnn_tensor *output = trial_predict(trial, folded, 0, 1);
    bool right = output && check_node(trial, "predict folded", cnn_graph_output(trial->model->graph), output, 0, 16);
    cnn_tensor_destroy(output);
    cnn_model_destroy(folded);
    return right;
}

/* Whether a layer has so many terms that bytes can't sum them up: its sums are in floats, rounded as the set does. */
static bool has_float_sums(const cnn_model *model)
{
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        cnn_model_parameter(model, i, &parameter);
        if (strstr(parameter.name, ".weight") && cnn_tensor_dtype(parameter.value) == CNN_FLOAT32)
            return true;
    }
    return false;
}

/* Bytes have the same bits everywhere. */
static bool check_quantized(case_trial *trial, cnn_tensor *output)
{
    if (has_float_sums(trial->model))
        return true;
    return trial_predicts_same_bits(trial, "predict as plain C", output,
                                    trial_clone(trial, trial->model, trial->plain));
}

bool operation_predict(case_trial *trial, int32_t argument)
{
    cnn_tensor *output = trial_predict(trial, trial->model, 0, trial->it->images);
    bool right = output && (cnn_model_is_quantized(trial->model)
                                ? check_quantized(trial, output)
                                : check_image(trial, "predict", output, trial->it->images - 1) &&
                                      check_image(trial, "predict", output, argument % trial->it->images));
    cnn_tensor_destroy(output);
    return right;
}

/* Predicts all images in the case's context, then as `check` does. */
static bool compare(case_trial *trial, bool (*check)(case_trial *trial, const cnn_tensor *all, int32_t argument),
                    int32_t argument)
{
    cnn_tensor *all = trial_predict(trial, trial->model, 0, trial->it->images);
    bool right = all && check(trial, all, argument);
    cnn_tensor_destroy(all);
    return right;
}

static bool check_again(case_trial *trial, const cnn_tensor *all, int32_t argument)
{
    (void)argument;
    return trial_same_bits(trial, "again", all, 0, trial_predict(trial, trial->model, 0, trial->it->images));
}

bool operation_again(case_trial *trial, int32_t argument)
{
    return compare(trial, check_again, argument);
}

static bool check_threads(case_trial *trial, const cnn_tensor *all, int32_t argument)
{
    (void)argument;
    return trial_predicts_same_bits(trial, "threads", all, trial_clone(trial, trial->model, trial->single));
}

bool operation_threads(case_trial *trial, int32_t argument)
{
    return compare(trial, check_threads, argument);
}

static bool check_one_by_one(case_trial *trial, const cnn_tensor *all, int32_t argument)
{
    (void)argument;
    for (int64_t i = 0; i < trial->it->images; i++)
        if (!trial_same_bits(trial, "one_by_one", all, i, trial_predict(trial, trial->model, i, 1)))
            return false;
    return true;
}

bool operation_one_by_one(case_trial *trial, int32_t argument)
{
    return compare(trial, check_one_by_one, argument);
}

static bool check_some(case_trial *trial, const cnn_tensor *all, int32_t argument)
{
    int64_t first = argument % trial->it->images, count = trial->it->images - first;
    if (argument / 128)
        count = 1 + argument / 128 % count;
    return trial_same_bits(trial, "some", all, first, trial_predict(trial, trial->model, first, count));
}

bool operation_some(case_trial *trial, int32_t argument)
{
    return compare(trial, check_some, argument);
}

enum { MOST_LAYERS = 4 };

/* Bytes have the same bits in plain C, too; `values` are those of `names`. */
static bool check_quantized_layers(case_trial *trial, const char *const *names, cnn_tensor **values)
{
    if (has_float_sums(trial->model))
        return true;
    cnn_model *plain = trial_clone(trial, trial->model, trial->plain);
    cnn_tensor *again[MOST_LAYERS];
    if (!plain)
        return false;
    bool right = trial_ok(trial, cnn_model_predict_layers(plain, trial->images, names, MOST_LAYERS, again), "layers");
    for (int32_t i = 0; i < MOST_LAYERS && right; i++)
        right = trial_same_bits(trial, names[i], values[i], 0, again[i]);
    cnn_model_destroy(plain);
    return right;
}

/* A layer by itself has the bits of the net that ends there. */
static bool check_alone(case_trial *trial, const char *name)
{
    cnn_graph *part;
    cnn_tensor *value;
    cnn_model *model;
    if (cnn_graph_find(trial->model->graph, name) == 0)
        return true;
    cnn_status status = cnn_model_predict_layers(trial->model, trial->images, &name, 1, &value);
    if (!status)
        status = cnn_graph_truncate(trial->context, trial->model->graph, name, &part);
    if (!status) {
        status = cnn_model_create(trial->context, part, 5, &model);
        cnn_graph_destroy(part);
    }
    if (!trial_ok(trial, status, "a layer by itself"))
        return false;
    cnn_model_copy_weights(model, trial->model, NULL);
    bool right = trial_predicts_same_bits(trial, name, value, model);
    cnn_tensor_destroy(value);
    return right;
}

/* Some layers, one of them twice. A quantised model has values for those alone that its output is made from. */
bool operation_layers(case_trial *trial, int32_t argument)
{
    const cnn_graph *graph = trial->model->graph;
    const char *names[MOST_LAYERS];
    cnn_tensor *values[MOST_LAYERS];
    draw source = { trial->it->seed + (uint64_t)argument };
    for (int32_t i = 0; i + 1 < MOST_LAYERS; i++)
        names[i] = graph->nodes[draw_below(&source, graph->count)].name;
    names[MOST_LAYERS - 1] = names[0];
    cnn_status status = cnn_model_predict_layers(trial->model, trial->images, names, MOST_LAYERS, values);
    if (cnn_model_is_quantized(trial->model) && status == CNN_ERROR_UNSUPPORTED)
        return true;
    if (!trial_ok(trial, status, "cnn_model_predict_layers"))
        return false;
    bool quantized = cnn_model_is_quantized(trial->model), right = true;
    for (int32_t i = 0; i < MOST_LAYERS && right && !quantized; i++)
        right =
            check_node(trial, names[i], cnn_graph_find(graph, names[i]), values[i], argument % trial->it->images, 2) &&
            check_alone(trial, names[i]);
    right = right && (!quantized || check_quantized_layers(trial, names, values)) &&
            trial_same_bits(trial, "the same layer twice", values[0], 0, values[MOST_LAYERS - 1]);
    for (int32_t i = 0; i + 1 < MOST_LAYERS; i++) /* the last has gone */
        cnn_tensor_destroy(values[i]);
    return right;
}
