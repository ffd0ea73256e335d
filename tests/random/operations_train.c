#include "operations_train.h"

#include <string.h>

#include "gradients.h"
#include "kinds.h"
#include "oracle.h"
#include "runtime/model_internal.h"

/* Values of all images, at most, that are trained on: gradients take as much again. */
enum { MOST_VALUES = 2000000 };

static bool too_large(const case_trial *trial)
{
    const cnn_graph *graph = cnn_model_graph(trial->model);
    int64_t values = 0;
    for (cnn_node i = 0; i < cnn_graph_node_count(graph); i++) {
        cnn_shape shape = cnn_graph_node_shape(graph, i);
        values += shape.dims[0] * (shape.rank == 3 ? shape.dims[1] * shape.dims[2] : 1);
    }
    return values * trial->it->images > MOST_VALUES;
}

static bool same_tensors(case_trial *trial, const char *what, const char *name, const cnn_tensor *a,
                         const cnn_tensor *b)
{
    if (!a && !b)
        return true;
    if (!a != !b || cnn_tensor_bytes(a) != cnn_tensor_bytes(b))
        return trial_fail(trial, "%s of %s: another shape", what, name);
    const float *x = cnn_tensor_const_data(a), *y = cnn_tensor_const_data(b);
    for (int64_t i = 0; i < cnn_tensor_count(a); i++)
        if (memcmp(&x[i], &y[i], sizeof *x) != 0)
            return trial_fail(trial, "%s of %s: number %lld is %.9g on threads, %.9g on one", what, name, (long long)i,
                              (double)x[i], (double)y[i]);
    return true;
}

static bool same_parameters(case_trial *trial, const cnn_model *a, const cnn_model *b)
{
    for (int32_t i = 0; i < cnn_model_parameter_count(a); i++) {
        cnn_parameter of_a = { .struct_size = sizeof of_a }, of_b = { .struct_size = sizeof of_b };
        cnn_model_parameter(a, i, &of_a);
        cnn_model_parameter(b, i, &of_b);
        if (!same_tensors(trial, "gradient", of_a.name, of_a.gradient, of_b.gradient) ||
            !same_tensors(trial, "value", of_a.name, of_a.value, of_b.value))
            return false;
    }
    return true;
}

/* A model that is trained, on threads or on one. */
typedef struct training {
    cnn_model *model;
    cnn_optimizer *optimizer;
    const cnn_tensor *output;
} training;

static bool begin(case_trial *trial, training *it, cnn_context *context, cnn_precision precision, int32_t argument)
{
    cnn_optimizer_options options;
    cnn_optimizer_options_init(&options);
    options.kind = (cnn_optimizer_kind)(argument / 16 % kinds_of_optimizer());
    options.momentum = argument / 80 % 2 ? 0.9f : 0;
    options.clip_norm = argument / 160 % 2 ? 1.0f : 0.0f;
    it->model = trial_clone(trial, trial->model, context);
    return it->model && trial_ok(trial, gradients_freeze(it->model, argument), "freeze") &&
           trial_ok(trial, cnn_model_set_precision(it->model, precision), "cnn_model_set_precision") &&
           trial_ok(trial, cnn_optimizer_create(it->model, &options, &it->optimizer), "cnn_optimizer_create");
}

/* What is not finite ends a training, the same on any number of threads. */
static bool step(case_trial *trial, training *threads, training *single, bool *finite)
{
    cnn_status status = cnn_optimizer_step(threads->optimizer, 0.003f);
    cnn_status other = cnn_optimizer_step(single->optimizer, 0.003f);
    *finite = !status;
    if (status != other)
        return trial_fail(trial, "cnn_optimizer_step: %s on threads, %s on one", cnn_status_name(status),
                          cnn_status_name(other));
    return !status || status == CNN_ERROR_NOT_FINITE || trial_ok(trial, status, "cnn_optimizer_step");
}

static bool run_steps(case_trial *trial, training *threads, training *single, cnn_precision precision, int32_t argument)
{
    const gradients_start start = { trial->model, argument, precision };
    const int32_t count = 1 + argument / 4 % 4;
    bool finite = true;
    for (int32_t i = 0; i < count && finite; i++) {
        if (!trial_ok(trial, gradients_compute(trial, threads->model, (uint64_t)i, &threads->output), "a step") ||
            !trial_ok(trial, gradients_compute(trial, single->model, (uint64_t)i, &single->output), "on one thread") ||
            !same_tensors(trial, "value", "the output", threads->output, single->output) ||
            !same_parameters(trial, threads->model, single->model) ||
            (!i && !gradients_check(trial, threads->model, &start)) || !step(trial, threads, single, &finite) ||
            !same_parameters(trial, threads->model, single->model))
            return false;
    }
    return true;
}

/* Steps without a loss that bounds them let some nets grow, until floats can't hold what they compute or its products.
 */
static bool has_outgrown_floats(const case_trial *trial, const cnn_model *model)
{
    oracle_value output = oracle_predict(model, cnn_graph_output(model->graph), cnn_tensor_const_data(trial->images));
    bool outgrown = output.largest > 1e12;
    oracle_release(&output);
    return outgrown;
}

static bool train(case_trial *trial, cnn_precision precision, int32_t argument)
{
    if (cnn_model_is_quantized(trial->model) || too_large(trial))
        return true;
    training threads, single;
    if (!begin(trial, &threads, trial->context, precision, argument) ||
        !begin(trial, &single, trial->single, precision, argument) ||
        !run_steps(trial, &threads, &single, precision, argument))
        return false;
    cnn_optimizer_destroy(threads.optimizer);
    cnn_optimizer_destroy(single.optimizer);
    cnn_model_destroy(single.model);
    if (!has_outgrown_floats(trial, threads.model))
        return trial_take_model(trial, threads.model);
    cnn_model_destroy(threads.model);
    return true;
}

bool operation_train(case_trial *trial, int32_t argument)
{
    return train(trial, CNN_PRECISION_FLOAT32, argument);
}

bool operation_train_bfloat16(case_trial *trial, int32_t argument)
{
    return train(trial, CNN_PRECISION_BFLOAT16, argument);
}
