/* The liveness pass: which buffers a program needs, and from when to when. */
#include <assert.h>

#include "compile/passes.h"
#include "core/error.h"
#include "core/memory.h"

typedef struct liveness {
    cnn_program *program;
    int32_t *last_use; /* of each operation's value */
    int32_t *uses;     /* how many gradients are summed up to each value's */
    cnn_status status; /* the first error */
} liveness;

static int32_t end_of_time(const cnn_program *program)
{
    return program->purpose.training ? 2 * program->count : program->count;
}

static int32_t backward_time(const cnn_program *program, int32_t i)
{
    return 2 * program->count - 1 - i;
}

/* A new buffer of that lifetime; NONE for no bytes. */
static int32_t add_buffer(liveness *l, size_t bytes, int32_t first, int32_t last)
{
    cnn_program *program = l->program;
    if (!bytes || l->status)
        return CNN_BUFFER_NONE;
    if (!cnn_grow(program->source.context, (void **)&program->buffers, &program->buffer_capacity,
                  (size_t)program->buffer_count + 1, sizeof *program->buffers)) {
        l->status = CNN_ERROR_OUT_OF_MEMORY;
        return CNN_BUFFER_NONE;
    }
    bool share = program->source.share_memory;
    program->buffers[program->buffer_count] =
        (cnn_buffer){ .bytes = bytes, .first = share ? first : 0, .last = share ? last : end_of_time(program) };
    return program->buffer_count++;
}

static void use_until(liveness *l, int32_t buffer, int32_t time)
{
    if (buffer != CNN_BUFFER_NONE && l->program->buffers[buffer].last < time)
        l->program->buffers[buffer].last = time;
}

static size_t value_bytes(const cnn_program *program, int32_t i)
{
    const cnn_layer *layer = &program->operations[i].layer;
    return cnn_dtype_size(layer->output_type) * (size_t)cnn_shape_count(&layer->output); /* it fits: layers check it */
}

static bool is_trainable(const cnn_program *program, const cnn_operation *operation)
{
    for (int32_t k = 0; k < operation->layer.parameter_count; k++)
        if (program->source.weights[operation->parameters[k]].trainable)
            return true;
    return false;
}

/* Which operations run backward, and until when each value is needed. */
static void find_uses(liveness *l)
{
    cnn_program *program = l->program;
    bool training = program->purpose.training;
    for (int32_t i = 0; i < program->count; i++) {
        cnn_operation *own = &program->operations[i];
        const cnn_layer_type *type = own->layer.type;
        own->backward = training && (i > 0 ? is_trainable(program, own) : program->source.differentiates_input);
        for (int32_t k = 0; training && k < own->layer.input_count; k++)
            own->backward = own->backward || program->operations[own->inputs[k]].backward;
        l->last_use[i] = own->backward && type->backward_needs_output ? backward_time(program, i) : i;
        for (int32_t k = 0; k < own->layer.input_count; k++) {
            bool needed = own->backward && type->backward_needs_inputs &&
                          (!type->backward_needs_last_input_alone || k == own->layer.input_count - 1);
            int32_t use = needed ? backward_time(program, i) : i;
            int32_t *last = &l->last_use[own->inputs[k]];
            *last = use > *last ? use : *last;
            l->uses[own->inputs[k]]++;
        }
    }
    for (int32_t i = 0; i < program->output_count; i++)
        l->last_use[program->outputs[i]] = end_of_time(program);
}

static bool is_view(const cnn_program *program, const cnn_operation *operation)
{
    return program->source.share_memory && operation->layer.type == &cnn_layer_flatten;
}

/* Whether the operation may write over its first input's value: nobody else needs it, now or later. */
static bool can_overwrite_input(const cnn_program *program, int32_t i)
{
    const cnn_operation *operation = &program->operations[i];
    if (!program->source.share_memory || !operation->layer.type->in_place || !operation->layer.input_count)
        return false;
    int32_t buffer = program->operations[operation->inputs[0]].value;
    for (int32_t k = 1; k < operation->layer.input_count; k++)
        if (program->operations[operation->inputs[k]].value == buffer)
            return false;
    return buffer >= CNN_BUFFER_FIRST && program->buffers[buffer].last <= i;
}

static void add_forward(liveness *l, int32_t i)
{
    cnn_program *program = l->program;
    cnn_operation *own = &program->operations[i];
    const cnn_layer_type *type = own->layer.type;
    if (is_view(program, own) || can_overwrite_input(program, i)) {
        own->value = program->operations[own->inputs[0]].value;
        use_until(l, own->value, l->last_use[i]);
    } else
        own->value = add_buffer(l, value_bytes(program, i), i, l->last_use[i]);
    if (own->training && type->saved_bytes) /* those of one image, times the images, are enough for all of them */
        own->saved = add_buffer(l, type->saved_bytes(&own->layer, 1), i, own->backward ? backward_time(program, i) : i);
}

/* The first gradient that comes may be the very memory of the gradient that it is made from, unless that is the
 * caller's. */
static bool can_overwrite_gradient(const liveness *l, const cnn_operation *operation, int32_t input)
{
    if (!l->program->source.share_memory || input != 0)
        return false;
    if (operation->gradient < CNN_BUFFER_FIRST)
        return is_view(l->program, operation) && l->uses[operation->inputs[0]] == 1; /* then nothing is added to it */
    return is_view(l->program, operation) || operation->layer.type->in_place;
}

/* The first gradient by a value is written in place, later ones are written apart and added. */
static void add_input_gradient(liveness *l, int32_t i, int32_t k)
{
    cnn_program *program = l->program;
    cnn_operation *own = &program->operations[i], *other = &program->operations[own->inputs[k]];
    int32_t time = backward_time(program, i);
    if (!other->backward)
        return;
    own->added[k] = other->gradient != CNN_BUFFER_NONE;
    if (own->added[k]) {
        own->input_gradients[k] = add_buffer(l, value_bytes(program, own->inputs[k]), time, time);
        use_until(l, other->gradient, time);
        return;
    }
    if (can_overwrite_gradient(l, own, k))
        other->gradient = own->gradient;
    else
        other->gradient = add_buffer(l, value_bytes(program, own->inputs[k]), time, time);
    own->input_gradients[k] = other->gradient;
}

static void add_backward(liveness *l, int32_t i)
{
    cnn_operation *own = &l->program->operations[i];
    if (!own->backward)
        return;
    use_until(l, own->gradient, backward_time(l->program, i));
    for (int32_t k = 0; k < own->layer.input_count; k++)
        add_input_gradient(l, i, k);
}

#ifndef NDEBUG
static bool is_held(const cnn_program *program, int32_t buffer, int32_t time)
{
    const cnn_buffer *b = &program->buffers[buffer];
    return buffer == CNN_BUFFER_NONE || (b->first <= time && b->last >= time);
}

/* Whether everything that an operation reads or writes is in use at the time when it does. */
static bool is_held_when_used(const cnn_program *program, int32_t i)
{
    const cnn_operation *own = &program->operations[i];
    int32_t back = backward_time(program, i);
    bool held = own->value != CNN_BUFFER_NONE && is_held(program, own->value, i) && is_held(program, own->saved, i);
    if (own->backward)
        held = held && is_held(program, own->gradient, back) && is_held(program, own->saved, back) &&
               (!own->layer.type->backward_needs_output || is_held(program, own->value, back));
    for (int32_t k = 0; k < own->layer.input_count; k++) {
        held = held && is_held(program, program->operations[own->inputs[k]].value, i);
        if (own->backward)
            held = held && is_held(program, own->input_gradients[k], back);
        if (own->backward && own->added[k])
            held = held && is_held(program, program->operations[own->inputs[k]].gradient, back);
    }
    return held;
}
#endif

static void find_all(liveness *l)
{
    cnn_program *program = l->program;
    int32_t count = program->count;
    for (int32_t i = 0; i < count; i++) {
        cnn_operation *own = &program->operations[i];
        own->value = own->saved = own->gradient = CNN_BUFFER_NONE;
        for (int32_t k = 0; k < CNN_MAX_INPUTS; k++)
            own->input_gradients[k] = CNN_BUFFER_NONE;
    }
    find_uses(l);
    for (int32_t i = 0; i < CNN_BUFFER_FIRST; i++) /* the caller's: they are as long as they are, always */
        add_buffer(l, 1, 0, end_of_time(program));
    program->operations[0].value = CNN_BUFFER_INPUT;
    for (int32_t i = 1; i < count && !l->status; i++)
        add_forward(l, i);
    if (program->purpose.training)
        program->operations[count - 1].gradient = CNN_BUFFER_OUTPUT_GRADIENT;
    for (int32_t i = count - 1; i > 0 && program->purpose.training && !l->status; i--)
        add_backward(l, i);
    for (int32_t i = 1; i < count && !l->status; i++)
        assert(is_held_when_used(program, i));
}

cnn_status cnn_find_liveness(cnn_program *program)
{
    cnn_context *context = program->source.context;
    size_t count = (size_t)program->count;
    liveness l = { .program = program,
                   .last_use = cnn_allocate_zeroed(context, count, sizeof *l.last_use),
                   .uses = cnn_allocate_zeroed(context, count, sizeof *l.uses) };
    if (l.last_use && l.uses)
        find_all(&l);
    else
        l.status = CNN_ERROR_OUT_OF_MEMORY;
    cnn_release(context, l.last_use);
    cnn_release(context, l.uses);
    return l.status;
}
