/* Batch normalisation as part of the convolution before it, as a graph and weights of their own, which can be
 * quantised. Dropout may lie between them, and one normalisation may follow another. */
#include "compile/fold.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/tensor_internal.h"

struct cnn_folding {
    cnn_program_source source;
    cnn_graph *graph;
    cnn_node *places; /* of each node's value in the new graph */
    cnn_node *roots; /* the convolution whose value a node passes on, normalised, to the output; CNN_NODE_ERROR: none */
    bool *normalized; /* convolutions that something is folded into */
    int32_t *uses;
};

static const cnn_graph_node *node_of(const cnn_folding *f, cnn_node node)
{
    return &f->source.graph->nodes[node];
}

/* How often each value is used on the way to the output: what else uses it is never computed. */
static void count_uses(cnn_folding *f)
{
    const cnn_graph *graph = f->source.graph;
    f->uses[cnn_graph_output(graph)]++;
    for (cnn_node i = cnn_graph_output(graph); i >= 0; i--)
        for (int32_t k = 0; f->uses[i] && k < graph->nodes[i].layer.input_count; k++)
            f->uses[graph->nodes[i].inputs[k]]++;
}

static void find_roots(cnn_folding *f)
{
    const cnn_graph *graph = f->source.graph;
    count_uses(f);
    f->roots[0] = CNN_NODE_ERROR;
    for (cnn_node i = 1; i < graph->count; i++) {
        const cnn_layer_type *type = graph->nodes[i].layer.type;
        cnn_node before = graph->nodes[i].inputs[0];
        bool norm = type == &cnn_layer_batch_norm;
        bool passes = f->uses[i] && (norm || type == &cnn_layer_dropout);
        f->roots[i] = type == &cnn_layer_conv2d        ? i
                      : passes && f->uses[before] == 1 ? f->roots[before]
                                                       : CNN_NODE_ERROR;
        if (norm && f->roots[i] != CNN_NODE_ERROR)
            f->normalized[f->roots[i]] = true;
    }
}

/* A dropout that is all there is between input and output stays: a net has a layer at least. */
static bool is_only_layer(const cnn_folding *f, cnn_node node)
{
    return node == cnn_graph_output(f->source.graph) && f->places[node_of(f, node)->inputs[0]] == 0;
}

static bool is_folded(const cnn_folding *f, cnn_node node)
{
    const cnn_layer_type *type = node_of(f, node)->layer.type;
    return (type == &cnn_layer_dropout && !is_only_layer(f, node)) ||
           (type == &cnn_layer_batch_norm && f->roots[node] != CNN_NODE_ERROR);
}

static void add_node(cnn_folding *f, cnn_node node)
{
    const cnn_graph_node *it = node_of(f, node);
    cnn_node inputs[CNN_MAX_INPUTS] = { 0 };
    for (int32_t k = 0; k < it->layer.input_count; k++)
        inputs[k] = f->places[it->inputs[k]];
    cnn_conv2d_attributes conv;
    const void *attributes = it->layer.attributes;
    if (f->normalized[node]) {
        memcpy(&conv, attributes, sizeof conv);
        conv.no_bias = 0;
        attributes = &conv;
    }
    f->places[node] = is_folded(f, node) ? inputs[0]
                                         : cnn_graph_add(f->graph, it->layer.type, inputs, it->layer.input_count,
                                                         attributes, it->name);
}

static const cnn_tensor *find_value(const cnn_weights *weights, int32_t count, cnn_node node, const char *name)
{
    for (int32_t i = 0; i < count; i++)
        if (weights[i].node == node && !strcmp(weights[i].declared->name, name))
            return weights[i].value;
    return NULL;
}

static const float *find_floats(const cnn_folding *f, cnn_node node, const char *name)
{
    const cnn_tensor *value = find_value(f->source.weights, f->source.weights_count, node, name);
    return value ? value->data : NULL;
}

/* Scales a convolution's weights, and its bias, to scale × (conv + bias - mean) / deviation + offset. */
static void fold_norm(const cnn_folding *f, cnn_node norm, const cnn_weights *folded, int32_t count)
{
    cnn_node conv = f->places[f->roots[norm]];
    const cnn_batch_norm_attributes *attributes = node_of(f, norm)->layer.attributes;
    const float *scale = find_floats(f, norm, "scale"), *offset = find_floats(f, norm, "offset");
    const float *mean = find_floats(f, norm, "running_mean"), *variance = find_floats(f, norm, "running_variance");
    const cnn_tensor *weights = find_value(folded, count, conv, "weight");
    float *values = weights->data, *bias = find_value(folded, count, conv, "bias")->data;
    int64_t filters = weights->dims[3];
    for (int64_t c = 0; c < filters; c++) {
        float factor = scale[c] / sqrtf(variance[c] + attributes->epsilon);
        for (int64_t i = c; i < weights->count; i += filters)
            values[i] *= factor;
        bias[c] = (bias[c] - mean[c]) * factor + offset[c];
    }
}

/* A bias that the node hasn't stays zero. */
static void copy_values(const cnn_folding *f, cnn_node node, const cnn_weights *folded, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        if (folded[i].node != f->places[node])
            continue;
        const cnn_tensor *from = find_value(f->source.weights, f->source.weights_count, node, folded[i].declared->name);
        if (from)
            memcpy(folded[i].value->data, from->data, cnn_tensor_bytes(folded[i].value));
    }
}

void cnn_folding_fill(const cnn_folding *folding, const cnn_weights *weights, int32_t count)
{
    for (cnn_node i = 0; i < folding->source.graph->count; i++) {
        if (!is_folded(folding, i))
            copy_values(folding, i, weights, count);
        else if (node_of(folding, i)->layer.type == &cnn_layer_batch_norm)
            fold_norm(folding, i, weights, count);
    }
}

const cnn_graph *cnn_folding_graph(const cnn_folding *folding)
{
    return folding->graph;
}

static cnn_status fold(cnn_folding *f)
{
    cnn_context *context = f->source.context;
    size_t count = (size_t)f->source.graph->count;
    f->places = cnn_allocate_zeroed(context, count, sizeof *f->places);
    f->roots = cnn_allocate_zeroed(context, count, sizeof *f->roots);
    f->normalized = cnn_allocate_zeroed(context, count, sizeof *f->normalized);
    f->uses = cnn_allocate_zeroed(context, count, sizeof *f->uses);
    bool complete = f->places && f->roots && f->normalized && f->uses;
    cnn_status status = complete ? cnn_graph_create(context, &f->graph) : CNN_ERROR_OUT_OF_MEMORY;
    if (status)
        return status;
    find_roots(f);
    for (cnn_node i = 0; i < f->source.graph->count; i++)
        add_node(f, i);
    cnn_graph_set_output(f->graph, f->places[cnn_graph_output(f->source.graph)]);
    return cnn_graph_status(f->graph);
}

cnn_status cnn_folding_create(const cnn_program_source *source, cnn_folding **result)
{
    *result = NULL;
    cnn_folding *f = cnn_allocate_zeroed(source->context, 1, sizeof *f);
    if (!f)
        return CNN_ERROR_OUT_OF_MEMORY;
    f->source = *source;
    cnn_status status = fold(f);
    if (status)
        cnn_folding_destroy(f);
    else
        *result = f;
    return status;
}

void cnn_folding_destroy(cnn_folding *f)
{
    if (!f)
        return;
    cnn_context *context = f->source.context;
    cnn_graph_destroy(f->graph);
    cnn_release(context, f->places);
    cnn_release(context, f->roots);
    cnn_release(context, f->normalized);
    cnn_release(context, f->uses);
    cnn_release(context, f);
}
