/* The fusion pass: operations that match a pattern become one. A pattern begins with a convolution, a dense layer or,
 * in training, batch normalisation; what follows it is what one kernel can do with it. */
#include <string.h>

#include "compile/passes.h"
#include "core/error.h"
#include "core/memory.h"
#include "kernels/conv/conv.h"

enum { NONE = -1 };

/* What is known of an operation while the others are fused. */
typedef struct operation_use {
    int32_t uses;   /* how often its value is used */
    int32_t user;   /* the last that uses it */
    bool output;    /* its value is wanted */
    bool taken;     /* is part of an earlier one's match */
    int32_t number; /* of its value in the new program; NONE before it is there */
} operation_use;

typedef struct fusion {
    const cnn_program *program;
    operation_use *uses;
    cnn_operation *fused;
    int32_t count; /* of those */
} fusion;

/* Numbers of operations; NONE: the pattern goes without. */
typedef struct match {
    int32_t first, batch_norm, add, activation, pool, last;
    int32_t residual; /* what `add` adds */
} match;

static const cnn_operation *operation_of(const fusion *f, int32_t i)
{
    return &f->program->operations[i];
}

static bool has_type(const fusion *f, int32_t i, const cnn_layer_type *type)
{
    return i != NONE && operation_of(f, i)->layer.type == type;
}

static void count_uses(fusion *f)
{
    for (int32_t i = 0; i < f->program->count; i++) {
        f->uses[i] = (operation_use){ .user = NONE, .number = NONE };
        for (int32_t k = 0; k < operation_of(f, i)->layer.input_count; k++) {
            operation_use *input = &f->uses[operation_of(f, i)->inputs[k]];
            input->uses++;
            input->user = i;
        }
    }
    for (int32_t i = 0; i < f->program->output_count; i++)
        f->uses[f->program->outputs[i]].output = true;
}

/* The operation that alone uses this one's value. */
static int32_t only_user(const fusion *f, int32_t i)
{
    return !f->uses[i].output && f->uses[i].uses == 1 ? f->uses[i].user : NONE;
}

/* The kernels pool without padding, by steps of the window's size, and number the window's places in a byte. */
static bool can_fuse_pool(const cnn_layer *layer)
{
    const cnn_pool2d_attributes *pool = layer->attributes;
    bool padded = pool->padding == CNN_PADDING_SAME;
    for (int i = 0; i < 4 && pool->padding == CNN_PADDING_EXPLICIT; i++)
        padded = padded || pool->pads[i];
    return !padded && pool->stride[0] == pool->kernel[0] && pool->stride[1] == pool->kernel[1] &&
           (int64_t)pool->kernel[0] * pool->kernel[1] <= UINT8_MAX;
}

/* What `add` adds to the value of `i`, if that is computed before: of two branches that meet, the later one's
 * convolution adds the earlier one's result. */
static int32_t find_residual(const fusion *f, int32_t i, int32_t add)
{
    if (!has_type(f, add, &cnn_layer_add))
        return NONE;
    const int32_t *inputs = operation_of(f, add)->inputs;
    int32_t other = inputs[inputs[0] == i];
    return f->uses[other].number != NONE ? other : NONE;
}

static match match_alone(int32_t first)
{
    return (match){ first, NONE, NONE, NONE, NONE, first, NONE };
}

static match find_match(const fusion *f, int32_t first)
{
    match m = match_alone(first);
    bool conv = has_type(f, first, &cnn_layer_conv2d);
    bool norm = has_type(f, first, &cnn_layer_batch_norm) && operation_of(f, first)->training;
    if (!f->program->source.fuse || (!conv && !norm && !has_type(f, first, &cnn_layer_dense)))
        return m;
    int32_t next = only_user(f, first);
    /* a quantised model's weights have batch normalisation in them already, wherever they could */
    bool folds = conv && !f->program->source.quantized;
    if (folds && has_type(f, next, &cnn_layer_batch_norm) && !operation_of(f, next)->training) {
        m.batch_norm = m.last = next;
        next = only_user(f, next);
    }
    bool adds = norm || (conv && !f->program->purpose.training);
    if (adds && (m.residual = find_residual(f, m.last, next)) != NONE) {
        m.add = m.last = next;
        next = only_user(f, next);
    }
    if (has_type(f, next, &cnn_layer_relu) || has_type(f, next, &cnn_layer_relu6)) {
        m.activation = m.last = next;
        next = only_user(f, next);
    }
    if (conv && m.add == NONE && has_type(f, next, &cnn_layer_max_pool2d) &&
        can_fuse_pool(&operation_of(f, next)->layer))
        m.pool = m.last = next;
    return m;
}

/* A quantised model knows the ranges of the values that its own output is computed from. Where other outputs part what
 * is fused for that one, a value may have no range: the first operation of the pattern then gives floats. */
static bool lacks_range(const fusion *f, const match *m)
{
    const cnn_program_source *source = &f->program->source;
    return source->quantized && source->outputs &&
           source->nodes[operation_of(f, m->last)->node].quantization.scale <= 0;
}

static int32_t activation_of(const fusion *f, const match *m)
{
    if (m->activation == NONE)
        return CNN_ACTIVATION_NONE;
    return has_type(f, m->activation, &cnn_layer_relu6) ? CNN_ACTIVATION_RELU6 : CNN_ACTIVATION_RELU;
}

static void fill_fused_conv2d(const fusion *f, const match *m, cnn_fused_conv2d_attributes *fused)
{
    memcpy(&fused->conv, operation_of(f, m->first)->layer.attributes, sizeof fused->conv);
    fused->activation = activation_of(f, m);
    if (m->batch_norm != NONE) {
        const cnn_batch_norm_attributes *batch_norm = operation_of(f, m->batch_norm)->layer.attributes;
        fused->batch_norm = true;
        fused->epsilon = batch_norm->epsilon;
    }
    fused->add = m->add != NONE;
    if (m->pool != NONE) {
        const cnn_pool2d_attributes *pool = operation_of(f, m->pool)->layer.attributes;
        memcpy(fused->pool, pool->kernel, sizeof fused->pool);
    }
}

static const cnn_layer_type *fused_type(const fusion *f, const match *m)
{
    if (has_type(f, m->first, &cnn_layer_conv2d))
        return &cnn_layer_fused_conv2d;
    if (has_type(f, m->first, &cnn_layer_dense))
        return &cnn_layer_fused_dense;
    return m->add == NONE ? &cnn_layer_fused_batch_norm : &cnn_layer_fused_batch_norm_add;
}

static void fill_attributes(const fusion *f, const match *m, const cnn_layer_type *type, void *attributes)
{
    const void *first = operation_of(f, m->first)->layer.attributes;
    if (type == &cnn_layer_fused_conv2d)
        fill_fused_conv2d(f, m, attributes);
    else if (type == &cnn_layer_fused_dense) {
        cnn_fused_dense_attributes *fused = attributes;
        memcpy(&fused->dense, first, sizeof fused->dense);
        fused->activation = activation_of(f, m);
    } else {
        cnn_fused_batch_norm_attributes *fused = attributes;
        memcpy(&fused->norm, first, sizeof fused->norm);
        fused->activation = activation_of(f, m);
    }
}

/* A convolution's second input is the residual, batch normalisation's first: it may write over it. */
static void add_residual(const fusion *f, const match *m, cnn_operation *operation)
{
    int32_t place = has_type(f, m->first, &cnn_layer_conv2d) ? 1 : 0;
    operation->layer.inputs[1] = operation->layer.inputs[0];
    operation->inputs[1] = operation->inputs[0];
    operation->layer.inputs[place] = operation_of(f, m->residual)->layer.output;
    operation->inputs[place] = f->uses[m->residual].number;
    operation->layer.input_count = 2;
}

/* The weights of that name of those that match: no two of them have one of the same name. */
static int32_t find_parameter(const fusion *f, const match *m, const char *name)
{
    const int32_t members[] = { m->first, m->batch_norm };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (members[i] == NONE)
            continue;
        const cnn_operation *member = operation_of(f, members[i]);
        for (int32_t k = 0; k < member->layer.parameter_count; k++)
            if (!strcmp(member->layer.parameters[k].name, name))
                return member->parameters[k];
    }
    return NONE;
}

static cnn_status make_fused_layer(const fusion *f, const match *m, cnn_operation *operation)
{
    const cnn_layer_type *type = fused_type(f, m);
    operation->own_attributes = cnn_allocate_zeroed(f->program->source.context, 1, type->attributes_size);
    if (!operation->own_attributes)
        return CNN_ERROR_OUT_OF_MEMORY;
    fill_attributes(f, m, type, operation->own_attributes);
    operation->layer = (cnn_layer){
        .type = type,
        .attributes = operation->own_attributes,
        .input_count = 1,
        .inputs = { operation_of(f, m->first)->layer.inputs[0] },
    };
    if (m->add != NONE)
        add_residual(f, m, operation);
    cnn_status status = type->shape(&operation->layer);
    for (int32_t k = 0; k < operation->layer.parameter_count && !status; k++) {
        const char *name = operation->layer.parameters[k].name;
        operation->parameters[k] = find_parameter(f, m, name);
        if (operation->parameters[k] == NONE)
            status = cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: its fused layer has a parameter %s that it hasn't",
                              f->program->source.graph->nodes[operation->node].name, name);
    }
    return status;
}

/* The operation, and all that it matches, as one of the new program. */
static cnn_status add_operation(fusion *f, int32_t first)
{
    match m = find_match(f, first);
    if (lacks_range(f, &m))
        m = match_alone(first);
    int32_t number = f->count++;
    cnn_operation *operation = &f->fused[number];
    *operation = *operation_of(f, first);
    operation->node = operation_of(f, m.last)->node;
    for (int32_t k = 0; k < operation->layer.input_count; k++)
        operation->inputs[k] = f->uses[operation->inputs[k]].number;
    cnn_status status = m.last != first ? make_fused_layer(f, &m, operation) : CNN_OK;
    const int32_t followers[] = { m.batch_norm, m.add, m.activation, m.pool };
    for (size_t i = 0; i < sizeof followers / sizeof followers[0]; i++)
        if (followers[i] != NONE)
            f->uses[followers[i]].taken = true;
    f->uses[m.last].number = number;
    return status;
}

cnn_status cnn_fuse_operations(cnn_program *program)
{
    cnn_context *context = program->source.context;
    size_t count = (size_t)program->count;
    fusion f = { .program = program,
                 .uses = cnn_allocate_zeroed(context, count, sizeof *f.uses),
                 .fused = cnn_allocate_zeroed(context, count, sizeof *f.fused) };
    cnn_status status = f.uses && f.fused ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    if (!status)
        count_uses(&f);
    for (int32_t i = 0; i < program->count && !status; i++)
        if (!f.uses[i].taken)
            status = add_operation(&f, i);
    for (int32_t i = 0; i < program->output_count && !status; i++)
        program->outputs[i] = f.uses[program->outputs[i]].number;
    cnn_release(context, f.uses);
    if (f.fused)
        cnn_program_replace(program, f.fused, f.count);
    return status;
}
