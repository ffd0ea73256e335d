#include "gradients.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/model_internal.h"

enum { TRIES = 12, MARGIN = 4 };

static void change(draw *source, cnn_tensor *tensor, double relative)
{
    float *values = cnn_tensor_data(tensor);
    for (int64_t i = 0; i < cnn_tensor_count(tensor); i++)
        values[i] *= 1 + draw_float(source, (float)-relative, (float)relative);
}

static cnn_tensor *output_gradient(case_trial *trial, const cnn_tensor *output)
{
    int64_t dims[CNN_MAX_RANK];
    cnn_tensor *gradient;
    for (int32_t i = 0; i < cnn_tensor_rank(output); i++)
        dims[i] = cnn_tensor_dim(output, i);
    if (cnn_tensor_create(trial->plain, CNN_FLOAT32, cnn_tensor_rank(output), dims, &gradient))
        return NULL;
    draw source = { trial->it->seed ^ 0x96ad };
    float *values = cnn_tensor_data(gradient);
    for (int64_t i = 0; i < cnn_tensor_count(gradient); i++)
        values[i] = draw_float(&source, -1, 1) / (float)trial->it->images;
    return gradient;
}

/* One step, whose gradient by the output is changed a little. */
static cnn_status compute(case_trial *trial, cnn_model *model, uint64_t step, draw *source, double relative,
                          const cnn_tensor **output)
{
    cnn_status status = cnn_model_forward(model, trial->images, trial->it->seed, step, output);
    cnn_tensor *gradient = status ? NULL : output_gradient(trial, *output);
    if (!status && !gradient)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (!status && relative > 0)
        change(source, gradient, relative);
    if (!status)
        status = cnn_model_backward(model, gradient);
    cnn_tensor_destroy(gradient);
    return status;
}

cnn_status gradients_compute(case_trial *trial, cnn_model *model, uint64_t step, const cnn_tensor **output)
{
    return compute(trial, model, step, NULL, 0, output);
}

cnn_status gradients_freeze(cnn_model *model, int32_t argument)
{
    const cnn_graph *graph = cnn_model_graph(model);
    if (argument % 4)
        return CNN_OK;
    return cnn_model_set_learning_rate_multiplier(
        model, cnn_graph_node_name(graph, argument / 4 % cnn_graph_node_count(graph)), 0);
}

static void change_weights(draw *source, cnn_model *model, double relative)
{
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        cnn_model_parameter(model, i, &parameter);
        change(source, parameter.value, relative);
    }
    cnn_model_changed(model);
}

/* A model in plain C after one step; number 0: in floats, else from weights, images and a gradient by the output that
 * were changed a little: where values are the same for all images, only the last shows how the sums over images round.
 */
static cnn_model *compute_plain(case_trial *trial, const gradients_start *start, double relative, uint64_t number)
{
    draw source = { trial->it->seed + number };
    cnn_model *plain = trial_clone(trial, start->model, trial->plain);
    if (!plain || !trial_ok(trial, gradients_freeze(plain, start->freeze), "freeze"))
        return NULL;
    plain->fuse = plain->share_memory = false;
    case_trial changed = *trial;
    const cnn_tensor *output;
    if (!trial_ok(
            trial,
            case_images(trial->it, trial->plain, cnn_model_input_shape(plain), trial->it->images, &changed.images),
            "images"))
        return NULL;
    if (number) {
        cnn_model_set_precision(plain, start->precision);
        change(&source, changed.images, relative);
        change_weights(&source, plain, relative);
    }
    cnn_status status = compute(&changed, plain, 0, &source, number ? relative : 0, &output);
    cnn_tensor_destroy(changed.images);
    return trial_ok(trial, status, "a step in plain C") ? plain : NULL;
}

/* What a step computes for a parameter: its gradient; the value itself of running statistics, and of what is frozen. */
static const cnn_tensor *result_of(const cnn_model *model, int32_t index)
{
    cnn_parameter parameter = { .struct_size = sizeof parameter };
    cnn_model_parameter(model, index, &parameter);
    return parameter.trainable ? parameter.gradient : parameter.value;
}

/* The length of what `a` and `b` differ by; of `a` where `b` is NULL. */
static double distance(const cnn_tensor *a, const cnn_tensor *b)
{
    const float *x = cnn_tensor_const_data(a), *y = b ? cnn_tensor_const_data(b) : NULL;
    double sum = 0;
    for (int64_t i = 0; i < cnn_tensor_count(a); i++) {
        double difference = (double)x[i] - (y ? (double)y[i] : 0);
        sum += difference * difference;
    }
    return sqrt(sum);
}

/* The largest distances that small changes make. */
static bool measure(case_trial *trial, const cnn_model *plain, const gradients_start *start, double rounding,
                    double *reach)
{
    for (uint64_t number = 1; number <= TRIES; number++) {
        cnn_model *changed = compute_plain(trial, start, (number % 2 ? 1 : 8) * rounding, number);
        if (!changed)
            return false;
        for (int32_t i = 0; i < cnn_model_parameter_count(plain); i++) {
            const cnn_tensor *gradient = result_of(plain, i);
            reach[i] = fmax(reach[i], gradient ? distance(gradient, result_of(changed, i)) : 0);
        }
        cnn_model_destroy(changed);
    }
    return true;
}

/* Batch normalisation makes −1 and 1 of any two values, so that their gradients cancel but for the epsilon, whatever is
 * changed: what is left is rounding, divided by a deviation that the epsilon alone keeps above 0. */
static double amplification_of(const cnn_graph *graph, int32_t images)
{
    double most = 1;
    for (cnn_node i = 0; i < cnn_graph_node_count(graph); i++) {
        const cnn_layer *layer = &graph->nodes[i].layer;
        const cnn_shape shape = cnn_graph_node_shape(graph, i);
        int64_t values = images * (shape.rank == 3 ? shape.dims[0] * shape.dims[1] : 1);
        if (layer->type == &cnn_layer_batch_norm && values == 2)
            most = fmax(most, 1 / sqrt(((const cnn_batch_norm_attributes *)layer->attributes)->epsilon));
    }
    return most;
}

/* The first gradient that is further from plain C's than `reach` and rounding allow; −1 if none is. */
static int32_t find_wrong(const cnn_model *model, const cnn_model *plain, double rounding, double amplification,
                          const double *reach)
{
    double largest = 0;
    for (int32_t i = 0; i < cnn_model_parameter_count(plain); i++)
        if (model->weights[i].trainable && result_of(plain, i))
            largest = fmax(largest, distance(result_of(plain, i), NULL));
    for (int32_t i = 0; i < cnn_model_parameter_count(plain); i++) {
        const cnn_tensor *expected = result_of(plain, i), *found = result_of(model, i);
        if (!expected != !found)
            return i;
        if (expected &&
            !(distance(found, expected) <= 16 * rounding * distance(expected, NULL) +
                                               2 * rounding * amplification * largest + MARGIN * reach[i] + 1e-30))
            return i;
    }
    return -1;
}

static bool say_wrong(case_trial *trial, const cnn_model *model, const cnn_model *plain, int32_t wrong, double reach)
{
    cnn_parameter parameter = { .struct_size = sizeof parameter };
    cnn_model_parameter(plain, wrong, &parameter);
    const cnn_tensor *expected = result_of(plain, wrong), *found = result_of(model, wrong);
    if (!expected || !found)
        return trial_fail(trial, "a step gives %s of %s", found ? "something" : "nothing", parameter.name);
    return trial_fail(trial, "a step: %s is %.3g from plain C's, whose length is %.3g; rounding explains %.3g",
                      parameter.name, distance(found, expected), distance(expected, NULL), MARGIN * reach);
}

bool gradients_check(case_trial *trial, const cnn_model *model, const gradients_start *start)
{
    const double rounding = start->precision == CNN_PRECISION_BFLOAT16 ? 0x1p-7 : 0x1p-20;
    cnn_model *plain = compute_plain(trial, start, 0, 0);
    double *reach = calloc((size_t)cnn_model_parameter_count(model) + 1, sizeof *reach);
    if (!plain || !reach)
        return false;
    const double amplification = amplification_of(cnn_model_graph(model), trial->it->images);
    bool right = true;
    if (find_wrong(model, plain, rounding, amplification, reach) >= 0) {
        right = measure(trial, plain, start, rounding, reach);
        int32_t wrong = find_wrong(model, plain, rounding, amplification, reach);
        if (right && wrong >= 0)
            right = say_wrong(trial, model, plain, wrong, reach[wrong]);
    }
    cnn_model_destroy(plain);
    free(reach);
    return right;
}
