/* Batch normalisation as part of the convolution before it, as an operation on models. */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "graph/quantize.h"

typedef struct folding {
    const cnn_model *model;
    cnn_graph *graph;
    cnn_node *places; /* of each node's value in the new graph */
    cnn_node *norms;  /* what is folded into a node; CNN_NODE_ERROR: nothing */
    int32_t *uses;
} folding;

static const cnn_graph_node *node_of(const folding *f, cnn_node node)
{
    return &f->model->graph->nodes[node];
}

static void survey(folding *f)
{
    const cnn_graph *graph = f->model->graph;
    f->uses[cnn_graph_output(graph)]++;
    for (cnn_node i = 0; i < graph->count; i++) {
        f->norms[i] = CNN_NODE_ERROR;
        for (int32_t k = 0; k < graph->nodes[i].layer.input_count; k++)
            f->uses[graph->nodes[i].inputs[k]]++;
    }
    for (cnn_node i = 1; i < graph->count; i++) {
        cnn_node before = graph->nodes[i].inputs[0];
        if (graph->nodes[i].layer.type == &cnn_layer_batch_norm &&
            graph->nodes[before].layer.type == &cnn_layer_conv2d && f->uses[before] == 1)
            f->norms[before] = i;
    }
}

static bool is_folded(const folding *f, cnn_node node)
{
    const cnn_graph_node *it = node_of(f, node);
    return it->layer.type == &cnn_layer_dropout ||
           (it->layer.type == &cnn_layer_batch_norm && f->norms[it->inputs[0]] == node);
}

static void add_node(folding *f, cnn_node node)
{
    const cnn_graph_node *it = node_of(f, node);
    cnn_node inputs[CNN_MAX_INPUTS] = { 0 };
    for (int32_t k = 0; k < it->layer.input_count; k++)
        inputs[k] = f->places[it->inputs[k]];
    cnn_conv2d_attributes conv;
    const void *attributes = it->layer.attributes;
    if (f->norms[node] != CNN_NODE_ERROR) {
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

/* scale × (conv + bias - mean) / deviation + offset, as weights and a bias. */
static void fold_values(const folding *f, cnn_model *folded, cnn_node node)
{
    cnn_node norm = f->norms[node];
    const cnn_batch_norm_attributes *attributes = node_of(f, norm)->layer.attributes;
    const float *scale = find_floats(f->model, norm, "scale"), *offset = find_floats(f->model, norm, "offset");
    const float *mean = find_floats(f->model, norm, "running_mean");
    const float *variance = find_floats(f->model, norm, "running_variance");
    const float *from = find_floats(f->model, node, "weight"), *bias = find_floats(f->model, node, "bias");
    const cnn_tensor *weights = find_value(folded, f->places[node], "weight");
    float *to = weights->data, *to_bias = find_value(folded, f->places[node], "bias")->data;
    int64_t filters = weights->dims[3];
    for (int64_t c = 0; c < filters; c++) {
        float factor = scale[c] / sqrtf(variance[c] + attributes->epsilon);
        for (int64_t i = c; i < weights->count; i += filters)
            to[i] = from[i] * factor;
        to_bias[c] = ((bias ? bias[c] : 0) - mean[c]) * factor + offset[c];
    }
}

static void copy_values(const folding *f, cnn_model *folded, cnn_node node)
{
    for (int32_t i = 0; i < folded->weights_count; i++) {
        const cnn_weights *to = &folded->weights[i];
        if (to->node == f->places[node])
            memcpy(to->value->data, find_value(f->model, node, to->declared->name)->data, cnn_tensor_bytes(to->value));
    }
}

static cnn_status make_model(const folding *f, cnn_model **folded)
{
    cnn_output(f->graph, f->places[cnn_graph_output(f->model->graph)]);
    cnn_status status = cnn_model_create_blank(f->model->context, f->graph, folded);
    for (cnn_node i = 0; i < f->model->graph->count && !status; i++) {
        if (is_folded(f, i))
            continue;
        if (f->norms[i] != CNN_NODE_ERROR)
            fold_values(f, *folded, i);
        else
            copy_values(f, *folded, i);
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
    f.norms = cnn_allocate_zeroed(context, count, sizeof *f.norms);
    f.uses = cnn_allocate_zeroed(context, count, sizeof *f.uses);
    cnn_status status = f.places && f.norms && f.uses ? cnn_graph_create(context, &f.graph) : CNN_ERROR_OUT_OF_MEMORY;
    if (!status) {
        survey(&f);
        for (cnn_node i = 0; i < model->graph->count; i++)
            add_node(&f, i);
        status = cnn_graph_status(f.graph);
    }
    if (!status)
        status = make_model(&f, folded);
    cnn_graph_destroy(f.graph);
    cnn_release(context, f.places);
    cnn_release(context, f.norms);
    cnn_release(context, f.uses);
    return status;
}
