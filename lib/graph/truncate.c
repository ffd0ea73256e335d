/* Parts of graphs: what leads to a layer, and what follows it. */
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "graph/graph_internal.h"

void cnn_graph_mark(const cnn_graph *graph, cnn_node last, bool *marked)
{
    marked[last] = true;
    for (cnn_node i = last; i >= 0; i--)
        for (int32_t k = 0; marked[i] && k < graph->nodes[i].layer.input_count; k++)
            marked[graph->nodes[i].inputs[k]] = true;
}

/* Adds a copy of a node, whose inputs are where `places` says; its own place is noted there. */
static void add_copy(cnn_graph *to, const cnn_graph *from, cnn_node node, cnn_node *places)
{
    const cnn_graph_node *original = &from->nodes[node];
    cnn_node inputs[CNN_MAX_INPUTS];
    for (int32_t k = 0; k < original->layer.input_count; k++)
        inputs[k] = places[original->inputs[k]];
    places[node] = cnn_graph_add(to, original->layer.type, inputs, original->layer.input_count,
                                 original->layer.attributes, original->name);
}

static cnn_node feeds_last_weights(const cnn_graph *graph)
{
    for (cnn_node i = cnn_graph_output(graph); i > 0; i--)
        if (graph->nodes[i].layer.parameter_count && graph->nodes[i].layer.input_count == 1)
            return graph->nodes[i].inputs[0];
    return CNN_NODE_ERROR;
}

cnn_status cnn_graph_find_cut(const cnn_graph *graph, const char *layer, cnn_node *node)
{
    *node = layer ? cnn_graph_find(graph, layer) : feeds_last_weights(graph);
    if (*node == CNN_NODE_ERROR)
        return layer ? cnn_fail(CNN_ERROR_ARGUMENT, "the net has no layer named '%s'", layer)
                     : cnn_fail(CNN_ERROR_ARGUMENT, "the net has no layer with weights to cut it before");
    if (*node == 0)
        return cnn_fail(CNN_ERROR_ARGUMENT, "the net can't be cut at its input: nothing of it would be left");
    return CNN_OK;
}

static cnn_status start(cnn_context *context, const cnn_graph *graph, bool **marked, cnn_node **places,
                        cnn_graph **result)
{
    *marked = cnn_allocate_zeroed(context, (size_t)graph->count, sizeof **marked);
    *places = cnn_allocate_zeroed(context, (size_t)graph->count, sizeof **places);
    return *marked && *places ? cnn_graph_create(context, result) : CNN_ERROR_OUT_OF_MEMORY;
}

static cnn_status finish(cnn_context *context, cnn_status status, bool *marked, cnn_node *places, cnn_graph **result)
{
    cnn_release(context, marked);
    cnn_release(context, places);
    if (!status)
        status = cnn_graph_status(*result);
    if (status) {
        cnn_graph_destroy(*result);
        *result = NULL;
    }
    return status;
}

cnn_status cnn_graph_truncate(cnn_context *context, const cnn_graph *graph, const char *layer, cnn_graph **result)
{
    if (!result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_graph_truncate: the result has no place: NULL was given");
    *result = NULL;
    context = cnn_context_or_default(context);
    cnn_node last;
    cnn_status status = context ? cnn_graph_status(graph) : CNN_ERROR_OUT_OF_MEMORY;
    if (!status)
        status = cnn_graph_find_cut(graph, layer, &last);
    if (status)
        return status;
    bool *marked;
    cnn_node *places;
    status = start(context, graph, &marked, &places, result);
    if (!status) {
        cnn_graph_mark(graph, last, marked);
        for (cnn_node i = 0; i <= last; i++)
            if (marked[i])
                add_copy(*result, graph, i, places);
    }
    return finish(context, status, marked, places, result);
}

/* The head's input, which stands for the layer of the cut. An input is an image; features are one of a single pixel. */
static cnn_node add_input(cnn_graph *to, const cnn_graph_node *cut)
{
    const cnn_shape *shape = &cut->layer.output;
    if (shape->rank == 3)
        return cnn_graph_set_name(to, cnn_input(to, shape->dims[0], shape->dims[1], shape->dims[2]), cut->name);
    return cnn_graph_set_name(to, cnn_flatten(to, cnn_input(to, 1, 1, shape->dims[0])), cut->name);
}

/* Whatever follows the cut may use nothing before it but its value. */
static cnn_status check_inputs(const cnn_graph *graph, cnn_node node, cnn_node cut, const bool *before)
{
    const cnn_graph_node *it = &graph->nodes[node];
    for (int32_t k = 0; k < it->layer.input_count; k++)
        if (it->inputs[k] != cut && (before[it->inputs[k]] || it->inputs[k] == 0))
            return cnn_fail(CNN_ERROR_ARGUMENT, "%s: the net can't be parted here: %s uses %s, too",
                            graph->nodes[cut].name, it->name, graph->nodes[it->inputs[k]].name);
    return CNN_OK;
}

cnn_status cnn_graph_rest(cnn_context *context, const cnn_graph *graph, cnn_node cut, cnn_graph **result)
{
    *result = NULL;
    cnn_node output = cnn_graph_output(graph);
    if (cut == output)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: is the net's last layer: nothing follows it", graph->nodes[cut].name);
    bool *marks = NULL;
    cnn_node *places;
    cnn_status status = start(context, graph, &marks, &places, result);
    bool *before = status ? NULL : cnn_allocate_zeroed(context, (size_t)graph->count, sizeof *before);
    if (!status && !before)
        status = CNN_ERROR_OUT_OF_MEMORY;
    if (!status) {
        cnn_graph_mark(graph, output, marks);
        cnn_graph_mark(graph, cut, before);
        places[cut] = add_input(*result, &graph->nodes[cut]);
    }
    for (cnn_node i = 0; i <= output && !status; i++) {
        if (!marks[i] || before[i])
            continue;
        status = check_inputs(graph, i, cut, before);
        if (!status)
            add_copy(*result, graph, i, places);
    }
    cnn_release(context, before);
    return finish(context, status, marks, places, result);
}
