#include "graph/graph_internal.h"

#include <stdio.h>
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "data/utf8.h"

/* A graph may come from a stranger's file; planning where values lie takes time that grows with the square. */
enum { MAX_NODES = 4096, MAX_NAME = 128 };

cnn_status cnn_graph_create(cnn_context *context, cnn_graph **result)
{
    if (!result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_graph_create: the result has no place: NULL was given");
    *result = NULL;
    context = cnn_context_or_default(context);
    cnn_graph *graph = context ? cnn_allocate_zeroed(context, 1, sizeof *graph) : NULL;
    if (!graph)
        return CNN_ERROR_OUT_OF_MEMORY;
    graph->context = context;
    graph->output = CNN_NODE_ERROR;
    *result = graph;
    return CNN_OK;
}

void cnn_graph_destroy(cnn_graph *graph)
{
    if (!graph)
        return;
    for (int32_t i = 0; i < graph->count; i++) {
        cnn_release(graph->context, graph->nodes[i].name);
        cnn_release(graph->context, graph->nodes[i].layer.attributes);
    }
    cnn_release(graph->context, graph->nodes);
    cnn_names_free(graph->context, &graph->names);
    cnn_release(graph->context, graph);
}

cnn_status cnn_graph_status(const cnn_graph *graph)
{
    if (!graph)
        return cnn_fail(CNN_ERROR_ARGUMENT, "graph: NULL was given");
    return graph->status ? cnn_fail_text(graph->status, graph->error) : CNN_OK;
}

cnn_node cnn_graph_fail(cnn_graph *graph, cnn_status status, const char *sentence)
{
    if (!graph)
        cnn_fail(CNN_ERROR_ARGUMENT, "graph: NULL was given");
    else if (!graph->status) {
        graph->status = status;
        snprintf(graph->error, sizeof graph->error, "%s", sentence);
        cnn_fail_text(status, graph->error);
    }
    return CNN_NODE_ERROR;
}

/* The sentence is the thread's last, with the layer's name put before it. */
static cnn_node fail_layer(cnn_graph *graph, const char *name, cnn_status status)
{
    cnn_fail(status, "%s: %s", name, cnn_last_error());
    return cnn_graph_fail(graph, status, cnn_last_error());
}

static bool contains(const cnn_graph *graph, cnn_node node)
{
    return graph && node >= 0 && node < graph->count;
}

cnn_node cnn_graph_find(const cnn_graph *graph, const char *name)
{
    uint32_t place = graph && name ? cnn_names_find(&graph->names, name) : CNN_NO_PLACE;
    return place == CNN_NO_PLACE ? CNN_NODE_ERROR : (cnn_node)place;
}

/* A name that no node but `self` has. */
static cnn_status check_name(const cnn_graph *graph, cnn_node self, const char *name)
{
    size_t length = strlen(name);
    if (!length || length > MAX_NAME)
        return cnn_fail(CNN_ERROR_ARGUMENT, "a layer's name has 1 to %d bytes, not %zu", MAX_NAME, length);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < ' ')
            return cnn_fail(CNN_ERROR_ARGUMENT, "a layer's name has no control characters");
    if (!cnn_is_utf8(name, length)) /* no file could hold it */
        return cnn_fail(CNN_ERROR_ARGUMENT, "a layer's name is not UTF-8");
    cnn_node holder = cnn_graph_find(graph, name);
    if (holder != CNN_NODE_ERROR && holder != self)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: two layers can't have this name", name);
    return CNN_OK;
}

/* "conv2d_1" and so on, in the order of adding; a number that the user's own names have taken is left out. */
static void make_name(const cnn_graph *graph, const cnn_layer_type *type, char *name, size_t size)
{
    int number = 1;
    for (int32_t i = 0; i < graph->count; i++)
        number += graph->nodes[i].layer.type == type;
    do
        snprintf(name, size, "%s_%d", type->name, number++);
    while (cnn_graph_find(graph, name) != CNN_NODE_ERROR);
}

static cnn_status check_inputs(const cnn_graph *graph, const cnn_layer_type *type, const cnn_node *inputs,
                               int32_t count)
{
    if (graph->count >= MAX_NODES)
        return cnn_fail(CNN_ERROR_LIMIT, "a graph has at most %d layers", MAX_NODES);
    if (type == &cnn_layer_input && graph->count)
        return cnn_fail(CNN_ERROR_ARGUMENT, "a graph has one input, and this one has it already");
    for (int32_t i = 0; i < count && i < CNN_MAX_INPUTS; i++)
        if (!contains(graph, inputs[i]))
            return cnn_fail(CNN_ERROR_ARGUMENT, "its input is %d, which is no node of this graph", (int)inputs[i]);
    return CNN_OK;
}

static cnn_status fill_node(cnn_graph *graph, cnn_graph_node *node, const cnn_layer_type *type, const cnn_node *inputs,
                            int32_t count, const void *attributes)
{
    cnn_layer *layer = &node->layer;
    layer->type = type;
    layer->input_count = count; /* a wrong one is refused by the type */
    for (int32_t i = 0; i < count && i < CNN_MAX_INPUTS; i++) {
        node->inputs[i] = inputs[i];
        layer->inputs[i] = graph->nodes[inputs[i]].layer.output;
    }
    layer->attributes = cnn_allocate_zeroed(graph->context, 1, type->attributes_size);
    if (!layer->attributes)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (attributes)
        memcpy(layer->attributes, attributes, type->attributes_size);
    return type->shape(layer);
}

cnn_node cnn_graph_add(cnn_graph *graph, const cnn_layer_type *type, const cnn_node *inputs, int32_t count,
                       const void *attributes, const char *name)
{
    if (!graph || graph->status)
        return cnn_graph_fail(graph, CNN_ERROR_ARGUMENT, "");
    char made_name[64];
    if (!name) {
        make_name(graph, type, made_name, sizeof made_name);
        name = made_name;
    }
    cnn_status status = check_name(graph, CNN_NODE_ERROR, name);
    if (status)
        return cnn_graph_fail(graph, status, cnn_last_error());
    status = check_inputs(graph, type, inputs, count);
    if (status)
        return fail_layer(graph, name, status);
    if (!cnn_grow(graph->context, (void **)&graph->nodes, &graph->capacity, (size_t)graph->count + 1,
                  sizeof *graph->nodes))
        return cnn_graph_fail(graph, CNN_ERROR_OUT_OF_MEMORY, cnn_last_error());
    cnn_graph_node *node = &graph->nodes[graph->count];
    *node = (cnn_graph_node){ 0 };
    status = fill_node(graph, node, type, inputs, count, attributes);
    if (!status && (!(node->name = cnn_copy_text(graph->context, name)) ||
                    !cnn_names_add(graph->context, &graph->names, node->name, (uint32_t)graph->count)))
        status = CNN_ERROR_OUT_OF_MEMORY;
    if (status) {
        cnn_release(graph->context, node->name);
        cnn_release(graph->context, node->layer.attributes);
        return fail_layer(graph, name, status);
    }
    return graph->count++;
}

cnn_node cnn_graph_set_name(cnn_graph *graph, cnn_node node, const char *name)
{
    if (!graph || graph->status)
        return cnn_graph_fail(graph, CNN_ERROR_ARGUMENT, "");
    if (!name || !contains(graph, node))
        return cnn_graph_fail(graph, CNN_ERROR_ARGUMENT,
                              "cnn_graph_set_name: the name is NULL, or the node not in this graph");
    if (check_name(graph, node, name))
        return cnn_graph_fail(graph, CNN_ERROR_ARGUMENT, cnn_last_error());
    if (!strcmp(graph->nodes[node].name, name))
        return node;
    char *copy = cnn_copy_text(graph->context, name);
    if (!copy || !cnn_names_add(graph->context, &graph->names, copy, (uint32_t)node)) {
        cnn_release(graph->context, copy);
        return cnn_graph_fail(graph, CNN_ERROR_OUT_OF_MEMORY, cnn_last_error());
    }
    cnn_names_remove(&graph->names, graph->nodes[node].name);
    cnn_release(graph->context, graph->nodes[node].name);
    graph->nodes[node].name = copy;
    return node;
}

void cnn_graph_set_output(cnn_graph *graph, cnn_node node)
{
    if (!graph || graph->status)
        cnn_graph_fail(graph, CNN_ERROR_ARGUMENT, "");
    else if (!contains(graph, node))
        cnn_graph_fail(graph, CNN_ERROR_ARGUMENT, "cnn_graph_set_output: the node is not in this graph");
    else
        graph->output = node;
}

cnn_node cnn_graph_output(const cnn_graph *graph)
{
    return graph->output != CNN_NODE_ERROR ? graph->output : graph->count - 1;
}

cnn_status cnn_graph_copy(cnn_context *context, const cnn_graph *graph, cnn_graph **result)
{
    *result = NULL;
    cnn_status status = cnn_graph_status(graph);
    cnn_graph *copy = NULL;
    if (!status)
        status = cnn_graph_create(context, &copy);
    if (status)
        return status;
    for (int32_t i = 0; i < graph->count; i++) {
        const cnn_graph_node *node = &graph->nodes[i];
        cnn_graph_add(copy, node->layer.type, node->inputs, node->layer.input_count, node->layer.attributes,
                      node->name);
    }
    copy->output = graph->output;
    status = cnn_graph_status(copy);
    if (status)
        cnn_graph_destroy(copy);
    else
        *result = copy;
    return status;
}

int32_t cnn_graph_node_count(const cnn_graph *graph)
{
    return graph ? graph->count : 0;
}

const char *cnn_graph_node_name(const cnn_graph *graph, cnn_node node)
{
    return contains(graph, node) ? graph->nodes[node].name : "";
}

const char *cnn_graph_node_type(const cnn_graph *graph, cnn_node node)
{
    return contains(graph, node) ? graph->nodes[node].layer.type->name : "";
}

cnn_shape cnn_graph_node_shape(const cnn_graph *graph, cnn_node node)
{
    return contains(graph, node) ? graph->nodes[node].layer.output : (cnn_shape){ 0 };
}

int32_t cnn_shape_dims(cnn_shape shape, int64_t *dims, int32_t capacity)
{
    for (int32_t i = 0; dims && i < shape.rank && i < capacity; i++)
        dims[i] = shape.dims[i];
    return shape.rank;
}

int32_t cnn_graph_node_dims(const cnn_graph *graph, cnn_node node, int64_t *dims, int32_t capacity)
{
    return cnn_shape_dims(cnn_graph_node_shape(graph, node), dims, capacity);
}

int32_t cnn_graph_node_inputs(const cnn_graph *graph, cnn_node node, cnn_node *inputs, int32_t capacity)
{
    int32_t count = contains(graph, node) ? graph->nodes[node].layer.input_count : 0;
    for (int32_t i = 0; inputs && i < count && i < capacity; i++)
        inputs[i] = graph->nodes[node].inputs[i];
    return count;
}
