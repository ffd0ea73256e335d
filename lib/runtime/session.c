#include "runtime/session.h"

#include "compile/budget.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "kernels/elementwise/elementwise.h"

enum { PLANS = sizeof((cnn_executor){ 0 }.plans) / sizeof((cnn_executor){ 0 }.plans[0]) };

cnn_executor *cnn_executor_create(const cnn_model *model)
{
    return cnn_allocate_zeroed(model->context, 1, sizeof(cnn_executor));
}

void cnn_executor_destroy(const cnn_model *model, cnn_executor *executor)
{
    if (!executor)
        return;
    for (int i = 0; i < PLANS; i++)
        cnn_plan_destroy(executor->plans[i]);
    cnn_release(model->context, executor->arena);
    cnn_release(model->context, executor);
}

static cnn_status grow_arena(cnn_executor *executor, cnn_context *context, size_t bytes)
{
    if (executor->arena_bytes >= bytes)
        return CNN_OK;
    cnn_release(context, executor->arena);
    executor->arena_bytes = 0;
    executor->arena = cnn_allocate(context, bytes);
    if (!executor->arena)
        return CNN_ERROR_OUT_OF_MEMORY;
    executor->arena_bytes = bytes;
    return CNN_OK;
}

cnn_status cnn_executor_prepare(cnn_executor *executor, const cnn_model *model, const cnn_steps *steps, int64_t batch,
                                const cnn_plan **result)
{
    *result = NULL;
    for (int i = 0; i < PLANS && !*result; i++)
        if (executor->plans[i] && executor->plans[i]->batch == batch)
            *result = executor->plans[i];
    if (!*result) {
        cnn_plan *plan;
        cnn_status status = cnn_plan_create(model, steps, batch, &plan);
        if (!status && (status = cnn_plan_check_budget(model->context, plan, steps->training)))
            cnn_plan_destroy(plan);
        if (status)
            return status;
        cnn_plan_destroy(executor->plans[executor->oldest]);
        executor->plans[executor->oldest] = plan;
        executor->oldest = (executor->oldest + 1) % PLANS;
        *result = plan;
    }
    return grow_arena(executor, model->context, (*result)->arena_bytes);
}

static void *place(const cnn_run *run, int32_t buffer)
{
    if (buffer == CNN_BUFFER_INPUT)
        return (float *)run->input;
    if (buffer == CNN_BUFFER_OUTPUT_GRADIENT)
        return (float *)run->output_gradient;
    return buffer == CNN_BUFFER_NONE ? NULL : run->arena + run->plan->buffers[buffer].offset;
}

static cnn_layer_pass start_pass(const cnn_run *run, int32_t i)
{
    const cnn_step *step = &run->steps->items[i];
    cnn_layer_pass pass = {
        .context = run->model->context,
        .layer = &step->layer,
        .batch = run->plan->batch,
        .training = step->training,
        .seed = run->seed,
        .step = run->step,
        .node = (uint32_t)step->node,
        .saved = place(run, run->plan->steps[i].saved),
    };
    for (int32_t k = 0; k < step->layer.parameter_count; k++)
        pass.parameters[k] = run->model->weights[step->parameters[k]].value->data;
    return pass;
}

/* In training weights change at every step, so they are packed right before use. */
static void pack_for_training(const cnn_run *run, int32_t i, cnn_layer_pass *pass)
{
    void *packed = place(run, run->plan->steps[i].packed);
    if (packed)
        pass->layer->type->pack(pass->context, pass->layer, pass->training, pass->parameters, packed);
    pass->packed = packed;
}

static void forward_step(const cnn_run *run, int32_t i)
{
    const cnn_step *step = &run->steps->items[i];
    const cnn_step_plan *plan = &run->plan->steps[i];
    cnn_layer_pass pass = start_pass(run, i);
    for (int32_t k = 0; k < step->layer.input_count; k++)
        pass.inputs[k] = place(run, run->plan->steps[step->inputs[k]].value);
    pass.output = place(run, plan->value);
    pass.workspace = place(run, plan->workspace);
    if (run->packed)
        pass.packed = run->packed + run->packed_offsets[i];
    else
        pack_for_training(run, i, &pass);
    step->layer.type->forward(&pass);
}

static int64_t value_count(const cnn_run *run, int32_t i)
{
    const cnn_shape *shape = &run->steps->items[i].layer.output;
    int64_t count = run->plan->batch;
    for (int32_t k = 0; k < shape->rank; k++)
        count *= shape->dims[k];
    return count;
}

static void show(const cnn_run *run, int32_t i)
{
    run->observer->see(run->observer->user, run->steps->items[i].node, place(run, run->plan->steps[i].value),
                       value_count(run, i));
}

void cnn_run_forward(const cnn_run *run)
{
    for (int32_t i = 0; i < run->steps->count; i++) {
        if (i > 0)
            forward_step(run, i);
        if (run->observer)
            show(run, i);
    }
}

static void add_gradient(const cnn_run *run, int32_t input, const void *term)
{
    void *sum = place(run, run->plan->steps[input].gradient);
    size_t count = (size_t)value_count(run, input);
    cnn_elementwise_add(run->model->context, run->steps->items[input].layer.output_type, sum, term, sum, count);
}

static void backward_step(const cnn_run *run, int32_t i)
{
    const cnn_step *step = &run->steps->items[i];
    const cnn_layer_type *type = step->layer.type;
    const cnn_step_plan *plan = &run->plan->steps[i];
    cnn_layer_pass pass = start_pass(run, i);
    for (int32_t k = 0; k < step->layer.input_count; k++) {
        if (type->backward_needs_inputs)
            pass.inputs[k] = place(run, run->plan->steps[step->inputs[k]].value);
        pass.input_gradients[k] = place(run, plan->input_gradients[k]);
    }
    if (type->backward_needs_output)
        pass.output = place(run, plan->value);
    pass.output_gradient = place(run, plan->gradient);
    for (int32_t k = 0; k < step->layer.parameter_count; k++) {
        cnn_tensor *gradient = run->model->weights[step->parameters[k]].gradient;
        pass.parameter_gradients[k] = gradient ? gradient->data : NULL;
    }
    pass.workspace = place(run, plan->backward_workspace);
    pass.packed_backward = place(run, plan->packed_backward);
    if (pass.packed_backward)
        type->pack_backward(pass.context, pass.layer, pass.parameters, place(run, plan->packed_backward));
    type->backward(&pass);
    for (int32_t k = 0; k < step->layer.input_count; k++)
        if (plan->added[k])
            add_gradient(run, step->inputs[k], pass.input_gradients[k]);
}

void cnn_run_backward(const cnn_run *run)
{
    for (int32_t i = run->steps->count - 1; i > 0; i--)
        if (run->plan->steps[i].backward)
            backward_step(run, i);
}

float *cnn_run_output(const cnn_run *run)
{
    return place(run, run->plan->steps[run->steps->count - 1].value);
}

float *cnn_run_input_gradient(const cnn_run *run)
{
    return place(run, run->plan->steps[0].gradient);
}
