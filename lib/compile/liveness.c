#include "compile/plan.h"

#include <assert.h>

#include "core/error.h"
#include "core/memory.h"

typedef struct planner {
    const cnn_model *model;
    const cnn_steps *steps;
    cnn_plan *plan;
    int32_t *last_use; /* of each step's value */
    int32_t *uses;     /* how many gradients are summed up to each value's */
    cnn_status status; /* the first error */
} planner;

static int32_t end_of_time(const planner *p)
{
    return p->steps->training ? 2 * p->steps->count : p->steps->count;
}

static int32_t backward_time(const planner *p, int32_t step)
{
    return 2 * p->steps->count - 1 - step;
}

/* A new buffer of that lifetime; NONE for no bytes. */
static int32_t add_buffer(planner *p, size_t bytes, int32_t first, int32_t last)
{
    cnn_plan *plan = p->plan;
    if (!bytes || p->status)
        return CNN_BUFFER_NONE;
    if (bytes > PTRDIFF_MAX / 2) {
        p->status = cnn_fail(CNN_ERROR_LIMIT, "the model's values for a batch are too large for memory");
        return CNN_BUFFER_NONE;
    }
    if (!cnn_grow(plan->context, (void **)&plan->buffers, &plan->buffer_capacity, (size_t)plan->buffer_count + 1,
                  sizeof *plan->buffers)) {
        p->status = CNN_ERROR_OUT_OF_MEMORY;
        return CNN_BUFFER_NONE;
    }
    bool share = p->model->share_memory;
    plan->buffers[plan->buffer_count] =
        (cnn_buffer){ .bytes = bytes, .first = share ? first : 0, .last = share ? last : end_of_time(p) };
    return plan->buffer_count++;
}

static void use_until(planner *p, int32_t buffer, int32_t time)
{
    if (buffer != CNN_BUFFER_NONE && p->plan->buffers[buffer].last < time)
        p->plan->buffers[buffer].last = time;
}

static size_t value_bytes(planner *p, int32_t step)
{
    const cnn_shape *shape = &p->steps->items[step].layer.output;
    size_t bytes = cnn_dtype_size(p->steps->items[step].layer.output_type);
    bool fits = cnn_multiply(bytes, (size_t)p->plan->batch, &bytes);
    for (int32_t i = 0; i < shape->rank; i++)
        fits = fits && cnn_multiply(bytes, (size_t)shape->dims[i], &bytes);
    return fits ? bytes : SIZE_MAX; /* which is refused where the buffer is added */
}

static bool is_trainable(const planner *p, const cnn_step *step)
{
    for (int32_t k = 0; k < step->layer.parameter_count; k++)
        if (p->model->weights[step->parameters[k]].trainable)
            return true;
    return false;
}

/* Which steps run backward, and until when each value is needed. */
static void survey(planner *p)
{
    const cnn_steps *steps = p->steps;
    cnn_step_plan *plans = p->plan->steps;
    for (int32_t i = 0; i < steps->count; i++) {
        const cnn_step *step = &steps->items[i];
        const cnn_layer_type *type = step->layer.type;
        plans[i].backward = steps->training && (i > 0 ? is_trainable(p, step) : p->model->differentiates_input);
        for (int32_t k = 0; steps->training && k < step->layer.input_count; k++)
            plans[i].backward = plans[i].backward || plans[step->inputs[k]].backward;
        p->last_use[i] = plans[i].backward && type->backward_needs_output ? backward_time(p, i) : i;
        for (int32_t k = 0; k < step->layer.input_count; k++) {
            bool needed = plans[i].backward && type->backward_needs_inputs &&
                          (!type->backward_needs_last_input_alone || k == step->layer.input_count - 1);
            int32_t use = needed ? backward_time(p, i) : i;
            int32_t *last = &p->last_use[step->inputs[k]];
            *last = use > *last ? use : *last;
            p->uses[step->inputs[k]]++;
        }
    }
    p->last_use[steps->count - 1] = end_of_time(p);
}

static bool is_view(const planner *p, const cnn_step *step)
{
    return p->model->share_memory && step->layer.type == &cnn_layer_flatten;
}

/* Whether the step may write over its first input's value: nobody else needs it, now or later. */
static bool can_overwrite_input(const planner *p, int32_t i)
{
    const cnn_step *step = &p->steps->items[i];
    if (!p->model->share_memory || !step->layer.type->in_place || !step->layer.input_count)
        return false;
    int32_t buffer = p->plan->steps[step->inputs[0]].value;
    for (int32_t k = 1; k < step->layer.input_count; k++)
        if (p->plan->steps[step->inputs[k]].value == buffer)
            return false;
    return buffer >= CNN_BUFFER_FIRST && p->plan->buffers[buffer].last <= i;
}

static void plan_forward(planner *p, int32_t i)
{
    const cnn_step *step = &p->steps->items[i];
    const cnn_layer *layer = &step->layer;
    const cnn_layer_type *type = layer->type;
    cnn_step_plan *own = &p->plan->steps[i];
    cnn_context *context = p->model->context;
    int64_t batch = p->plan->batch;
    size_t bytes = value_bytes(p, i);
    if (is_view(p, step) || can_overwrite_input(p, i)) {
        own->value = p->plan->steps[step->inputs[0]].value;
        use_until(p, own->value, p->last_use[i]);
    } else
        own->value = add_buffer(p, bytes, i, p->last_use[i]);
    if (p->status)
        return;
    if (step->training && type->saved_bytes)
        own->saved = add_buffer(p, type->saved_bytes(layer, batch), i, own->backward ? backward_time(p, i) : i);
    if (type->workspace_bytes)
        own->workspace = add_buffer(p, type->workspace_bytes(context, layer, batch, step->training), i, i);
    if (p->steps->training && type->packed_bytes)
        own->packed = add_buffer(p, type->packed_bytes(context, layer, step->training), i, i);
}

/* The first gradient that comes may be the very memory of the gradient that it is made from, unless that is the
 * caller's. */
static bool can_overwrite_gradient(const planner *p, int32_t i, int32_t input)
{
    const cnn_step *step = &p->steps->items[i];
    int32_t buffer = p->plan->steps[i].gradient;
    if (!p->model->share_memory || input != 0)
        return false;
    if (buffer < CNN_BUFFER_FIRST)
        return is_view(p, step) && p->uses[step->inputs[0]] == 1; /* then nothing is added to it */
    return is_view(p, step) || step->layer.type->in_place;
}

/* The first gradient by a value is written in place, later ones are written apart and added. */
static void plan_input_gradient(planner *p, int32_t i, int32_t k)
{
    int32_t input = p->steps->items[i].inputs[k], time = backward_time(p, i);
    cnn_step_plan *own = &p->plan->steps[i], *other = &p->plan->steps[input];
    if (!other->backward)
        return;
    own->added[k] = other->gradient != CNN_BUFFER_NONE;
    if (own->added[k]) {
        own->input_gradients[k] = add_buffer(p, value_bytes(p, input), time, time);
        use_until(p, other->gradient, time);
        return;
    }
    if (can_overwrite_gradient(p, i, k))
        other->gradient = own->gradient;
    else
        other->gradient = add_buffer(p, value_bytes(p, input), time, time);
    own->input_gradients[k] = other->gradient;
}

static void plan_backward(planner *p, int32_t i)
{
    const cnn_step *step = &p->steps->items[i];
    const cnn_layer_type *type = step->layer.type;
    cnn_step_plan *own = &p->plan->steps[i];
    cnn_context *context = p->model->context;
    int32_t time = backward_time(p, i);
    if (!own->backward)
        return;
    use_until(p, own->gradient, time);
    for (int32_t k = 0; k < step->layer.input_count; k++)
        plan_input_gradient(p, i, k);
    if (type->workspace_bytes)
        own->backward_workspace =
            add_buffer(p, type->workspace_bytes(context, &step->layer, p->plan->batch, true), time, time);
    if (type->packed_backward_bytes)
        own->packed_backward = add_buffer(p, type->packed_backward_bytes(context, &step->layer), time, time);
}

#ifndef NDEBUG
static bool is_held(const planner *p, int32_t buffer, int32_t time)
{
    const cnn_buffer *b = &p->plan->buffers[buffer];
    return buffer == CNN_BUFFER_NONE || (b->first <= time && b->last >= time);
}

/* Whether everything that a step reads or writes is in use at the time when it does. */
static bool is_held_when_used(const planner *p, int32_t i)
{
    const cnn_step *step = &p->steps->items[i];
    const cnn_step_plan *own = &p->plan->steps[i];
    int32_t back = backward_time(p, i);
    bool held = own->value != CNN_BUFFER_NONE && is_held(p, own->value, i) && is_held(p, own->saved, i) &&
                is_held(p, own->workspace, i) && is_held(p, own->packed, i);
    if (own->backward)
        held = held && is_held(p, own->gradient, back) && is_held(p, own->saved, back) &&
               is_held(p, own->backward_workspace, back) && is_held(p, own->packed_backward, back) &&
               (!step->layer.type->backward_needs_output || is_held(p, own->value, back));
    for (int32_t k = 0; k < step->layer.input_count; k++) {
        held = held && is_held(p, p->plan->steps[step->inputs[k]].value, i);
        if (own->backward)
            held = held && is_held(p, own->input_gradients[k], back);
        if (own->backward && own->added[k])
            held = held && is_held(p, p->plan->steps[step->inputs[k]].gradient, back);
    }
    return held;
}
#endif

static void plan_all(planner *p)
{
    cnn_plan *plan = p->plan;
    int32_t count = p->steps->count;
    for (int32_t i = 0; i < count; i++) {
        cnn_step_plan *own = &plan->steps[i];
        own->value = own->saved = own->workspace = own->packed = CNN_BUFFER_NONE;
        own->gradient = own->backward_workspace = own->packed_backward = CNN_BUFFER_NONE;
        for (int32_t k = 0; k < CNN_MAX_INPUTS; k++)
            own->input_gradients[k] = CNN_BUFFER_NONE;
    }
    survey(p);
    for (int32_t i = 0; i < CNN_BUFFER_FIRST; i++) /* the caller's: they are as long as they are, always */
        add_buffer(p, 1, 0, end_of_time(p));
    plan->steps[0].value = CNN_BUFFER_INPUT;
    for (int32_t i = 1; i < count && !p->status; i++)
        plan_forward(p, i);
    if (p->steps->training)
        plan->steps[count - 1].gradient = CNN_BUFFER_OUTPUT_GRADIENT;
    for (int32_t i = count - 1; i > 0 && p->steps->training && !p->status; i--)
        plan_backward(p, i);
    for (int32_t i = 1; i < count && !p->status; i++)
        assert(is_held_when_used(p, i));
    if (!p->status)
        p->status =
            cnn_arena_assign(plan->context, plan->buffers, CNN_BUFFER_FIRST, plan->buffer_count, &plan->arena_bytes);
}

cnn_status cnn_plan_create(const cnn_model *model, const cnn_steps *steps, int64_t batch, cnn_plan **result)
{
    assert(batch > 0);
    *result = NULL;
    cnn_context *context = model->context;
    size_t count = (size_t)steps->count;
    cnn_plan *plan = cnn_allocate_zeroed(context, 1, sizeof *plan);
    if (!plan)
        return CNN_ERROR_OUT_OF_MEMORY;
    plan->context = context;
    plan->batch = batch;
    plan->steps = cnn_allocate_zeroed(context, count, sizeof *plan->steps);
    planner p = { .model = model, .steps = steps, .plan = plan };
    p.last_use = cnn_allocate_zeroed(context, count, sizeof *p.last_use);
    p.uses = cnn_allocate_zeroed(context, count, sizeof *p.uses);
    if (plan->steps && p.last_use && p.uses)
        plan_all(&p);
    else
        p.status = CNN_ERROR_OUT_OF_MEMORY;
    cnn_release(context, p.last_use);
    cnn_release(context, p.uses);
    if (p.status)
        cnn_plan_destroy(plan);
    else
        *result = plan;
    return p.status;
}

void cnn_plan_destroy(cnn_plan *plan)
{
    if (!plan)
        return;
    cnn_release(plan->context, plan->steps);
    cnn_release(plan->context, plan->buffers);
    cnn_release(plan->context, plan);
}
