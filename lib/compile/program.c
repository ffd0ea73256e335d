/* The fusion pass: from a graph's nodes to the steps that are run. */
#include "compile/program.h"

#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "kernels/conv/conv.h"

/* What is known of a node while steps are made. */
typedef struct node_info {
    cnn_node source;    /* whose value it has: itself, or for layers that do nothing when predicting, their input's */
    bool live;          /* the output depends on it */
    bool taken;         /* is part of an earlier node's chain */
    int32_t uses;       /* how often its value is used */
    cnn_node user;      /* last of those who use it */
    int32_t step;       /* that gives its value */
    int32_t parameters; /* index of its first */
} node_info;

typedef struct fusion {
    const cnn_graph *graph;
    const cnn_model *model;
    cnn_context *context;
    bool fuse, training;
    node_info *nodes;
    cnn_node output;
    cnn_steps *steps;
} fusion;

/* A convolution or dense layer, or in training batch normalisation, and what follows it that one kernel can do with it.
 */
typedef struct chain {
    cnn_node first, batch_norm, add, activation, pool, last; /* CNN_NODE_ERROR: has none */
    cnn_node addend;                                         /* what `add` adds */
} chain;

static const cnn_layer *layer_of(const fusion *f, cnn_node node)
{
    return &f->graph->nodes[node].layer;
}

/* Frozen layers are computed as in prediction. */
static bool is_training(const fusion *f, cnn_node node)
{
    return f->training && !f->model->nodes[node].frozen;
}

static void survey(fusion *f)
{
    const cnn_graph *graph = f->graph;
    int32_t parameters = 0;
    for (cnn_node i = 0; i < graph->count; i++) {
        bool nothing = !is_training(f, i) && graph->nodes[i].layer.type == &cnn_layer_dropout;
        f->nodes[i] = (node_info){ .source = nothing ? f->nodes[graph->nodes[i].inputs[0]].source : i,
                                   .step = -1,
                                   .parameters = parameters };
        parameters += graph->nodes[i].layer.parameter_count;
    }
    f->output = f->nodes[cnn_graph_output(graph)].source;
    f->nodes[f->output].live = true;
    for (cnn_node i = f->output; i >= 0; i--)
        for (int32_t k = 0; f->nodes[i].live && k < graph->nodes[i].layer.input_count; k++) {
            node_info *input = &f->nodes[f->nodes[graph->nodes[i].inputs[k]].source];
            input->live = true;
            input->uses++;
            input->user = i;
        }
}

/* The node that alone uses this one's value, CNN_NODE_ERROR if there is none such. */
static cnn_node only_user(const fusion *f, cnn_node node)
{
    return node != f->output && f->nodes[node].uses == 1 ? f->nodes[node].user : CNN_NODE_ERROR;
}

static bool has_type(const fusion *f, cnn_node node, const cnn_layer_type *type)
{
    return node != CNN_NODE_ERROR && layer_of(f, node)->type == type;
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

/* What `add` adds to the value of `node`, if that is given by a step before: of two branches that meet, the later one's
 * convolution adds the earlier one's result. */
static cnn_node find_addend(const fusion *f, cnn_node node, cnn_node add)
{
    if (!has_type(f, add, &cnn_layer_add))
        return CNN_NODE_ERROR;
    const cnn_node *inputs = f->graph->nodes[add].inputs;
    cnn_node other = f->nodes[inputs[f->nodes[inputs[0]].source == node]].source;
    return f->nodes[other].step >= 0 ? other : CNN_NODE_ERROR;
}

static chain find_chain(const fusion *f, cnn_node first)
{
    chain c = { first, CNN_NODE_ERROR, CNN_NODE_ERROR, CNN_NODE_ERROR, CNN_NODE_ERROR, first, CNN_NODE_ERROR };
    bool conv = has_type(f, first, &cnn_layer_conv2d);
    bool norm = has_type(f, first, &cnn_layer_batch_norm) && is_training(f, first);
    if (!f->fuse || (!conv && !norm && !has_type(f, first, &cnn_layer_dense)))
        return c;
    cnn_node next = only_user(f, first);
    if (conv && has_type(f, next, &cnn_layer_batch_norm) && !is_training(f, next)) {
        c.batch_norm = c.last = next;
        next = only_user(f, next);
    }
    if ((norm || (conv && !f->training)) && (c.addend = find_addend(f, c.last, next)) != CNN_NODE_ERROR) {
        c.add = c.last = next;
        next = only_user(f, next);
    }
    if (has_type(f, next, &cnn_layer_relu) || has_type(f, next, &cnn_layer_relu6)) {
        c.activation = c.last = next;
        next = only_user(f, next);
    }
    if (conv && c.add == CNN_NODE_ERROR && has_type(f, next, &cnn_layer_max_pool2d) && can_fuse_pool(layer_of(f, next)))
        c.pool = c.last = next;
    return c;
}

static cnn_activation activation_of(const fusion *f, const chain *c)
{
    if (c->activation == CNN_NODE_ERROR)
        return CNN_ACTIVATION_NONE;
    return has_type(f, c->activation, &cnn_layer_relu6) ? CNN_ACTIVATION_RELU6 : CNN_ACTIVATION_RELU;
}

static void fill_fused_conv2d(const fusion *f, const chain *c, cnn_fused_conv2d_attributes *fused)
{
    memcpy(&fused->conv, layer_of(f, c->first)->attributes, sizeof fused->conv);
    fused->activation = (int32_t)activation_of(f, c);
    if (c->batch_norm != CNN_NODE_ERROR) {
        const cnn_batch_norm_attributes *batch_norm = layer_of(f, c->batch_norm)->attributes;
        fused->batch_norm = true;
        fused->epsilon = batch_norm->epsilon;
    }
    fused->add = c->add != CNN_NODE_ERROR;
    if (c->pool != CNN_NODE_ERROR) {
        const cnn_pool2d_attributes *pool = layer_of(f, c->pool)->attributes;
        memcpy(fused->pool, pool->kernel, sizeof fused->pool);
    }
}

static const cnn_layer_type *fused_type(const fusion *f, const chain *c)
{
    if (has_type(f, c->first, &cnn_layer_conv2d))
        return &cnn_layer_fused_conv2d;
    if (has_type(f, c->first, &cnn_layer_dense))
        return &cnn_layer_fused_dense;
    return c->add == CNN_NODE_ERROR ? &cnn_layer_fused_batch_norm : &cnn_layer_fused_batch_norm_add;
}

static void fill_attributes(const fusion *f, const chain *c, const cnn_layer_type *type, void *attributes)
{
    const void *first = layer_of(f, c->first)->attributes;
    if (type == &cnn_layer_fused_conv2d)
        fill_fused_conv2d(f, c, attributes);
    else if (type == &cnn_layer_fused_dense) {
        cnn_fused_dense_attributes *fused = attributes;
        memcpy(&fused->dense, first, sizeof fused->dense);
        fused->activation = (int32_t)activation_of(f, c);
    } else {
        cnn_fused_batch_norm_attributes *fused = attributes;
        memcpy(&fused->norm, first, sizeof fused->norm);
        fused->activation = (int32_t)activation_of(f, c);
    }
}

/* A convolution's second input is what it adds, batch normalisation's first: it may write over it. */
static void add_addend(const fusion *f, const chain *c, cnn_step *step)
{
    int32_t place = has_type(f, c->first, &cnn_layer_conv2d) ? 1 : 0;
    step->layer.inputs[1] = step->layer.inputs[0];
    step->inputs[1] = step->inputs[0];
    step->layer.inputs[place] = layer_of(f, c->addend)->output;
    step->inputs[place] = f->nodes[c->addend].step;
    step->layer.input_count = 2;
}

static cnn_status make_fused_layer(const fusion *f, const chain *c, cnn_step *step)
{
    const cnn_layer_type *type = fused_type(f, c);
    step->fused_attributes = cnn_allocate_zeroed(f->context, 1, type->attributes_size);
    if (!step->fused_attributes)
        return CNN_ERROR_OUT_OF_MEMORY;
    fill_attributes(f, c, type, step->fused_attributes);
    step->layer = (cnn_layer){
        .type = type,
        .attributes = step->fused_attributes,
        .input_count = 1,
        .inputs = { layer_of(f, c->first)->inputs[0] },
    };
    if (c->add != CNN_NODE_ERROR)
        add_addend(f, c, step);
    return type->shape(&step->layer);
}

/* The index of the chain's parameter of that name: no two layers of a chain have one of the same name. */
static int32_t find_parameter(const fusion *f, const chain *c, const char *name)
{
    const cnn_node members[] = { c->first, c->batch_norm };
    for (size_t m = 0; m < sizeof members / sizeof members[0]; m++) {
        if (members[m] == CNN_NODE_ERROR)
            continue;
        const cnn_layer *layer = layer_of(f, members[m]);
        for (int32_t k = 0; k < layer->parameter_count; k++)
            if (!strcmp(layer->parameters[k].name, name))
                return f->nodes[members[m]].parameters + k;
    }
    return -1;
}

static cnn_status add_step(fusion *f, cnn_node first)
{
    chain c = find_chain(f, first);
    int32_t number = f->steps->count++;
    cnn_step *step = &f->steps->items[number];
    const cnn_layer *layer = layer_of(f, first);
    step->node = c.last;
    step->training = is_training(f, first);
    for (int32_t k = 0; k < layer->input_count; k++)
        step->inputs[k] = f->nodes[f->nodes[f->graph->nodes[first].inputs[k]].source].step;
    if (c.last == first)
        step->layer = *layer;
    else {
        cnn_status status = make_fused_layer(f, &c, step);
        if (status)
            return status;
    }
    for (int32_t k = 0; k < step->layer.parameter_count; k++) {
        step->parameters[k] = find_parameter(f, &c, step->layer.parameters[k].name);
        if (step->parameters[k] < 0)
            return cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: its fused layer has a parameter %s that it hasn't",
                            f->graph->nodes[first].name, step->layer.parameters[k].name);
    }
    const cnn_node followers[] = { c.batch_norm, c.add, c.activation, c.pool };
    for (size_t m = 0; m < sizeof followers / sizeof followers[0]; m++)
        if (followers[m] != CNN_NODE_ERROR)
            f->nodes[followers[m]].taken = true;
    f->nodes[c.last].step = number;
    return CNN_OK;
}

static cnn_status add_steps(fusion *f)
{
    survey(f);
    for (cnn_node i = 0; i <= f->output; i++) {
        cnn_status status = f->nodes[i].live && !f->nodes[i].taken ? add_step(f, i) : CNN_OK;
        if (status)
            return status;
    }
    return CNN_OK;
}

cnn_status cnn_steps_create(const cnn_model *model, bool training, cnn_steps **result)
{
    *result = NULL;
    cnn_context *context = model->context;
    size_t count = (size_t)model->graph->count;
    fusion f = { .graph = model->graph, .model = model, .context = context, .fuse = model->fuse, .training = training };
    f.nodes = cnn_allocate_zeroed(context, count, sizeof *f.nodes);
    f.steps = cnn_allocate_zeroed(context, 1, sizeof *f.steps);
    if (f.steps)
        f.steps->context = context; /* what ends them needs it, whatever fails */
    cnn_status status = f.nodes && f.steps ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    if (!status) {
        f.steps->training = training;
        f.steps->items = cnn_allocate_zeroed(context, count, sizeof *f.steps->items);
        status = f.steps->items ? add_steps(&f) : CNN_ERROR_OUT_OF_MEMORY;
    }
    cnn_release(context, f.nodes);
    if (status)
        cnn_steps_destroy(f.steps);
    else
        *result = f.steps;
    return status;
}

void cnn_steps_destroy(cnn_steps *steps)
{
    if (!steps)
        return;
    for (int32_t i = 0; steps->items && i < steps->count; i++)
        cnn_release(steps->context, steps->items[i].fused_attributes);
    cnn_release(steps->context, steps->items);
    cnn_release(steps->context, steps);
}
