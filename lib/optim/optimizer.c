#include <math.h>
#include <stdbool.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"
#include "core/parallel.h"
#include "optim/blocks.h"
#include "optim/optimizer_internal.h"
#include "runtime/model_internal.h"

typedef struct trained_parameter {
    int32_t index; /* in the model */
    float weight_decay, learning_rate_multiplier;
    float *value;
    const float *gradient; /* of this step */
    float *states[CNN_MAX_OPTIMIZER_STATES];
} trained_parameter;

struct cnn_optimizer {
    cnn_context *context;
    cnn_model *model;
    cnn_optimizer_options options;
    const cnn_optimizer_family *family;
    int32_t states; /* arrays kept for each parameter */
    uint64_t steps;
    trained_parameter *parameters;
    size_t count;
    cnn_block *blocks;
    size_t block_count;
    double *squares;                     /* of the gradient, a sum for each block */
    float learning_rate, gradient_scale; /* of this step */
};

static const struct {
    const char *name;
    const cnn_optimizer_family *family;
    float learning_rate; /* the usual one */
} kinds[] = {
    [CNN_ADAM] = { "adam", &cnn_optimizer_adam, 0.001f },          /* decay joins the gradient */
    [CNN_ADAMW] = { "adamw", &cnn_optimizer_adam, 0.001f },        /* decay stays apart */
    [CNN_SGD] = { "sgd", &cnn_optimizer_sgd, 0.01f },              /* decay joins the gradient */
    [CNN_RMSPROP] = { "rmsprop", &cnn_optimizer_rmsprop, 0.001f }, /* decay joins the gradient */
    [CNN_SGDW] = { "sgdw", &cnn_optimizer_sgd, 0.01f },            /* decay stays apart */
};

const char *cnn_optimizer_kind_name(cnn_optimizer_kind kind)
{
    return (size_t)kind < sizeof kinds / sizeof *kinds ? kinds[kind].name : NULL;
}

static cnn_status check_range(const char *name, float value, float below)
{
    if (value >= 0 && value < below)
        return CNN_OK;
    return cnn_fail(CNN_ERROR_ARGUMENT, "optimizer: %s is %g; it must be at least 0 and %s", name, (double)value,
                    below == 1 ? "below 1" : "finite");
}

static cnn_status check_options(const cnn_optimizer_options *options)
{
    if (!cnn_optimizer_kind_name(options->kind))
        return cnn_fail(CNN_ERROR_ARGUMENT, "optimizer: there is no kind %d", (int)options->kind);
    const struct {
        const char *name;
        float value, below;
    } fields[] = {
        { "learning_rate", options->learning_rate, INFINITY },
        { "momentum", options->momentum, 1 },
        { "beta1", options->beta1, 1 },
        { "beta2", options->beta2, 1 },
        { "alpha", options->alpha, 1 },
        { "weight_decay", options->weight_decay, INFINITY },
        { "clip_norm", options->clip_norm, INFINITY },
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        cnn_status status = check_range(fields[i].name, fields[i].value, fields[i].below);
        if (status)
            return status;
    }
    if (!(options->epsilon > 0 && isfinite(options->epsilon)))
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "optimizer: epsilon is %g; it must be above 0 and finite: a gradient of 0 is divided by it",
                        (double)options->epsilon);
    if (options->nesterov && !(options->momentum > 0))
        return cnn_fail(CNN_ERROR_ARGUMENT, "optimizer: nesterov needs a momentum above 0");
    return CNN_OK;
}

cnn_status cnn_optimizer_options_resolve(const cnn_optimizer_options *given, cnn_optimizer_options *options)
{
    cnn_optimizer_options_init(options);
    cnn_status status = cnn_options_read(options, sizeof *options, given, "cnn_optimizer_options");
    if (!status && options->learning_rate == -1 && cnn_optimizer_kind_name(options->kind))
        options->learning_rate = kinds[options->kind].learning_rate;
    if (!status)
        status = check_options(options);
    if (status)
        return status;
    options->nesterov = options->nesterov != 0 && kinds[options->kind].family == &cnn_optimizer_sgd;
    return CNN_OK;
}

/* Lists the parameters to train with zeroed states; `counts` receives their sizes. */
static cnn_status add_parameters(cnn_optimizer *optimizer, size_t *counts)
{
    int32_t all = cnn_model_parameter_count(optimizer->model);
    for (int32_t i = 0; i < all; i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        cnn_status status = cnn_model_parameter(optimizer->model, i, &parameter);
        if (status)
            return status;
        if (!parameter.trainable)
            continue;
        trained_parameter *trained = &optimizer->parameters[optimizer->count];
        counts[optimizer->count++] = (size_t)cnn_tensor_count(parameter.value);
        trained->index = i;
        trained->value = cnn_tensor_data(parameter.value);
        trained->learning_rate_multiplier = optimizer->model->weights[i].learning_rate_multiplier;
        trained->weight_decay = parameter.decay ? optimizer->options.weight_decay : 0;
        for (int32_t s = 0; s < optimizer->states; s++) {
            trained->states[s] =
                cnn_allocate_zeroed(optimizer->context, (size_t)cnn_tensor_count(parameter.value), sizeof(float));
            if (!trained->states[s])
                return CNN_ERROR_OUT_OF_MEMORY;
        }
    }
    return CNN_OK;
}

static cnn_status build(cnn_optimizer *optimizer)
{
    cnn_context *context = optimizer->context;
    size_t all = (size_t)cnn_model_parameter_count(optimizer->model);
    size_t *counts = cnn_allocate_zeroed(context, all, sizeof *counts);
    optimizer->parameters = cnn_allocate_zeroed(context, all, sizeof *optimizer->parameters);
    cnn_status status = counts && optimizer->parameters ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    if (!status)
        status = add_parameters(optimizer, counts);
    if (!status)
        status = cnn_blocks_create(context, counts, optimizer->count, &optimizer->blocks, &optimizer->block_count);
    cnn_release(context, counts);
    if (status)
        return status;
    optimizer->squares = cnn_allocate_zeroed(context, optimizer->block_count, sizeof(double));
    return optimizer->squares ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

cnn_status cnn_optimizer_create(cnn_model *model, const cnn_optimizer_options *given, cnn_optimizer **optimizer)
{
    if (!optimizer)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_optimizer_create: the result has no place: NULL was given");
    *optimizer = NULL;
    if (!model)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_optimizer_create: no model was given");
    cnn_optimizer_options options;
    cnn_status status = cnn_model_check_floats(model, "cnn_optimizer_create");
    if (!status)
        status = cnn_optimizer_options_resolve(given, &options);
    if (status)
        return status;
    cnn_context *context = model->context;
    cnn_optimizer *created = cnn_allocate_zeroed(context, 1, sizeof *created);
    if (!created)
        return CNN_ERROR_OUT_OF_MEMORY;
    created->context = context;
    created->model = model;
    created->options = options;
    created->family = kinds[options.kind].family;
    created->states = created->family->state_count(&options);
    status = build(created);
    if (status) {
        cnn_optimizer_destroy(created);
        return status;
    }
    *optimizer = created;
    return CNN_OK;
}

void cnn_optimizer_destroy(cnn_optimizer *optimizer)
{
    if (!optimizer)
        return;
    cnn_context *context = optimizer->context;
    for (size_t p = 0; p < optimizer->count; p++)
        for (int32_t s = 0; s < optimizer->states; s++)
            cnn_release(context, optimizer->parameters[p].states[s]);
    cnn_release(context, optimizer->parameters);
    cnn_release(context, optimizer->blocks);
    cnn_release(context, optimizer->squares);
    cnn_release(context, optimizer);
}

static cnn_status find_gradients(cnn_optimizer *optimizer)
{
    for (size_t p = 0; p < optimizer->count; p++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        cnn_status status = cnn_model_parameter(optimizer->model, optimizer->parameters[p].index, &parameter);
        if (status)
            return status;
        if (!parameter.gradient)
            return cnn_fail(CNN_ERROR_ARGUMENT,
                            "%s: has no gradient: call cnn_model_backward before cnn_optimizer_step", parameter.name);
        optimizer->parameters[p].gradient = cnn_tensor_const_data(parameter.gradient);
    }
    return CNN_OK;
}

/* Squares of floats can't overflow a double, so the sum is finite exactly if every element is. The lanes let the
 * compiler use vectors without changing the order of the sums. */
static double sum_squares(const float *values, size_t count)
{
    enum { LANES = 8 };
    double lanes[LANES] = { 0 }, sum = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lanes[j] += (double)values[i + j] * (double)values[i + j];
    for (; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    for (size_t j = 0; j < LANES; j++)
        sum += lanes[j];
    return sum;
}

static void square_block(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    cnn_optimizer *optimizer = argument;
    cnn_block block = optimizer->blocks[task];
    optimizer->squares[task] = sum_squares(optimizer->parameters[block.array].gradient + block.start, block.count);
}

/* Checks that gradients are finite and finds what clipping multiplies them by. */
static cnn_status measure_gradients(cnn_optimizer *optimizer)
{
    cnn_parallel(optimizer->context, optimizer->block_count, square_block, optimizer);
    double sum = 0;
    for (size_t b = 0; b < optimizer->block_count; b++) {
        sum += optimizer->squares[b];
        if (!isfinite(optimizer->squares[b])) {
            cnn_parameter parameter = { .struct_size = sizeof parameter };
            cnn_model_parameter(optimizer->model, optimizer->parameters[optimizer->blocks[b].array].index, &parameter);
            return cnn_fail(CNN_ERROR_NOT_FINITE, "%s: its gradient is not finite", parameter.name);
        }
    }
    double limit = optimizer->options.clip_norm, norm = sqrt(sum);
    optimizer->gradient_scale = limit > 0 && norm > limit ? (float)(limit / (norm + 1e-6)) : 1; /* PyTorch's 1e-6 */
    return CNN_OK;
}

static void update_block(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const cnn_optimizer *optimizer = argument;
    cnn_block block = optimizer->blocks[task];
    const trained_parameter *parameter = &optimizer->parameters[block.array];
    cnn_update update = {
        .options = &optimizer->options,
        .step = optimizer->steps,
        .learning_rate = optimizer->learning_rate * parameter->learning_rate_multiplier,
        .gradient_scale = optimizer->gradient_scale,
        .weight_decay = parameter->weight_decay,
        .count = block.count,
        .value = parameter->value + block.start,
        .gradient = parameter->gradient + block.start,
    };
    for (int32_t s = 0; s < optimizer->states; s++)
        update.states[s] = parameter->states[s] + block.start;
    optimizer->family->update(&update);
}

cnn_status cnn_optimizer_step(cnn_optimizer *optimizer, float learning_rate)
{
    if (!optimizer)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_optimizer_step: no optimizer was given");
    cnn_status status = check_range("learning_rate", learning_rate, INFINITY);
    if (!status)
        status = find_gradients(optimizer);
    if (!status)
        status = measure_gradients(optimizer);
    if (status)
        return status;
    optimizer->learning_rate = learning_rate;
    optimizer->steps++;
    cnn_parallel(optimizer->context, optimizer->block_count, update_block, optimizer);
    cnn_model_changed(optimizer->model);
    return CNN_OK;
}

size_t cnn_optimizer_state_count(const cnn_optimizer *optimizer)
{
    return optimizer->count * (size_t)optimizer->states;
}

cnn_optimizer_state cnn_optimizer_state_at(const cnn_optimizer *optimizer, size_t index)
{
    size_t states = (size_t)optimizer->states;
    const trained_parameter *parameter = &optimizer->parameters[index / states];
    return (cnn_optimizer_state){ parameter->index, optimizer->family->states[index % states],
                                  parameter->states[index % states] };
}

uint64_t cnn_optimizer_steps(const cnn_optimizer *optimizer)
{
    return optimizer->steps;
}

void cnn_optimizer_set_steps(cnn_optimizer *optimizer, uint64_t steps)
{
    optimizer->steps = steps;
}
