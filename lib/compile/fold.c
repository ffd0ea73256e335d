/* Batch normalisation as part of the convolution before it, as an operation on models. Dropout may lie between them,
 * and one normalisation may follow another. */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "runtime/quantize.h"

typedef struct folding {
    const cnn_model *model;
    cnn_graph *graph;
    cnn_node *places; /* of each node's value in the new graph */
    cnn_node *roots;  /* the convolution whose value a node passes on, normalised; CNN_NODE_ERROR: none */
    bool *normalized; /* convolutions that something is folded into */
    int32_t *uses;
} folding;

static const cnn_graph_node *node_of(const folding *f, cnn_node node)
{
    return &f->model->graph->nodes[node];
}

/* How often each value is used on the way to the output: what else uses it is never computed. */
static void count_uses(folding *f)
{
    const cnn_graph *graph = f->model->graph;
    f->uses[cnn_graph_output(graph)]++;
    for (cnn_node i = cnn_graph_output(graph); i >= 0; i--)
        for (int32_t k = 0; f->uses[i] && k < graph->nodes[i].layer.input_count; k++)
            f->uses[graph->nodes[i].inputs[k]]++;
}

static void find_roots(folding *f)
{
    const cnn_graph *graph = f->model->graph;
    count_uses(f);
    f->roots[0] = CNN_NODE_ERROR;
    for (cnn_node i = 1; i < graph->count; i++) {
        const cnn_layer_type *type = graph->nodes[i].layer.type;
        cnn_node before = graph->nodes[i].inputs[0];
        bool norm = type == &cnn_layer_batch_norm, passes = norm || type == &cnn_layer_dropout;
        f->roots[i] = type == &cnn_layer_conv2d        ? i
                      : passes && f->uses[before] == 1 ? f->roots[before]
                                                       : CNN_NODE_ERROR;
        if (norm && f->roots[i] != CNN_NODE_ERROR)
            f->normalized[f->roots[i]] = true;
    }
}

/* A dropout that is all there is between input and output stays: a net has a layer at least. */
static bool is_only_layer(const folding *f, cnn_node node)
{
    return node == cnn_graph_output(f->model->graph) && f->places[node_of(f, node)->inputs[0]] == 0;
}

static bool is_folded(const folding *f, cnn_node node)
{
    const cnn_layer_type *type = node_of(f, node)->layer.type;
    return (type == &cnn_layer_dropout && !is_only_layer(f, node)) ||
           (type == &cnn_layer_batch_norm && f->roots[node] != CNN_NODE_ERROR);
}

static void add_node(folding *f, cnn_node node)
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

static const cnn_tensor *find_value(const cnn_model *model, cnn_node node, const char *name)
{
    for (int32_t i = 0; i < model->weights_count; i++)
        if (model->weights[i].node == node && !strcmp(model->weights[i].declared->name, name))
            return model->weights[i].value;
    return NULL;
}

static const float *find_floats(const cnn_model *model, cnn_node node, const char *name)
{
    const cnn_tensor *value = find_value(model, node, name);
    return value ? value->data : NULL;
}

/* Scales a convolution's weights, and its bias, to scale × (conv + bias - mean) / deviation + offset. */
static void fold_norm(const folding *f, cnn_model *folded, cnn_node norm)
{
    cnn_node conv = f->places[f->roots[norm]];
    const cnn_batch_norm_attributes *attributes = node_of(f, norm)->layer.attributes;
    const float *scale = find_floats(f->model, norm, "scale"), *offset = find_floats(f->model, norm, "offset");
    const float *mean = find_floats(f->model, norm, "running_mean");
    const float *variance = find_floats(f->model, norm, "running_variance");
    const cnn_tensor *weights = find_value(folded, conv, "weight");
    float *values = weights->data, *bias = find_value(folded, conv, "bias")->data;
    int64_t filters = weights->dims[3];
    for (int64_t c = 0; c < filters; c++) {
        float factor = scale[c] / sqrtf(variance[c] + attributes->epsilon);
        for (int64_t i = c; i < weights->count; i += filters)
            values[i] *= factor;
        bias[c] = (bias[c] - mean[c]) * factor + offset[c];
    }
}

/* A bias that the node hasn't stays zero. */
static void copy_values(const folding *f, cnn_model *folded, cnn_node node)
{
    for (int32_t i = 0; i < folded->weights_count; i++) {
        const cnn_weights *to = &folded->weights[i];
        const cnn_tensor *from = to->node == f->places[node] ? find_value(f->model, node, to->declared->name) : NULL;
        if (from)
            memcpy(to->value->data, from->data, cnn_tensor_bytes(to->value));
    }
}

static cnn_status make_model(const folding *f, cnn_model **folded)
{
    cnn_output(f->graph, f->places[cnn_graph_output(f->model->graph)]);
    cnn_status status = cnn_model_create_blank(f->model->context, f->graph, folded);
    for (cnn_node i = 0; i < f->model->graph->count && !status; i++) {
        if (!is_folded(f, i))
            copy_values(f, *folded, i);
        else if (node_of(f, i)->layer.type == &cnn_layer_batch_norm)
            fold_norm(f, *folded, i);
    }
    for (size_t i = 0; i < f->model->note_count && !status; i++)
        status = cnn_model_set_note(*folded, f->model->notes[i].key, f->model->notes[i].text);
    if (status) {
        cnn_model_destroy(*folded);
        *folded = NULL;
    }
    return status;
}

cnn_status cnn_model_fold(const cnn_model *model, cnn_model **folded)
{
    *folded = NULL;
    cnn_context *context = model->context;
    size_t count = (size_t)model->graph->count;
    folding f = { .model = model };
    f.places = cnn_allocate_zeroed(context, count, sizeof *f.places);
    f.roots = cnn_allocate_zeroed(context, count, sizeof *f.roots);
    f.normalized = cnn_allocate_zeroed(context, count, sizeof *f.normalized);
    f.uses = cnn_allocate_zeroed(context, count, sizeof *f.uses);
    bool complete = f.places && f.roots && f.normalized && f.uses;
    cnn_status status = complete ? cnn_graph_create(context, &f.graph) : CNN_ERROR_OUT_OF_MEMORY;
    if (!status) {
        find_roots(&f);
        for (cnn_node i = 0; i < model->graph->count; i++)
            add_node(&f, i);
        status = cnn_graph_status(f.graph);
    }
    if (!status)
        status = make_model(&f, folded);
    cnn_graph_destroy(f.graph);
    cnn_release(context, f.places);
    cnn_release(context, f.roots);
    cnn_release(context, f.normalized);
    cnn_release(context, f.uses);
    return status;
}
