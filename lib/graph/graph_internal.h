/* A graph from within. */
#ifndef CNN_GRAPH_GRAPH_INTERNAL_H
#define CNN_GRAPH_GRAPH_INTERNAL_H

#include <cnn/graph.h>

#include "core/names.h"
#include "layers/layer.h"

typedef struct cnn_graph_node {
    char *name;
    cnn_layer layer;
    cnn_node inputs[CNN_MAX_INPUTS];
} cnn_graph_node;

struct cnn_graph {
    cnn_context *context;
    cnn_graph_node *nodes; /* in topological order: a node's inputs come before it */
    int32_t count;
    size_t capacity;
    cnn_names names; /* of nodes */
    cnn_node output; /* CNN_NODE_ERROR until cnn_graph_set_output: then the last node is it */
    cnn_status status;
    char error[512];
};

/* Adds a layer: copies `attributes` (the type's struct), names it (`name` NULL: type and a number), infers its shape.
 * All builders, and readers of files, come through here. */
cnn_node cnn_graph_add(cnn_graph *graph, const cnn_layer_type *type, const cnn_node *inputs, int32_t count,
                       const void *attributes, const char *name);

/* Makes the error stick to the graph (unless one does already), and returns CNN_NODE_ERROR. */
cnn_node cnn_graph_fail(cnn_graph *graph, cnn_status status, const char *sentence);

cnn_shape cnn_graph_node_shape(const cnn_graph *graph, cnn_node node); /* rank 0 for a node that is none */

/* As cnn_graph_node_dims gives it to callers. */
int32_t cnn_shape_dims(cnn_shape shape, int64_t *dims, int32_t capacity);

cnn_node cnn_graph_output(const cnn_graph *graph); /* CNN_NODE_ERROR if empty */

/* Marks the nodes that `last` depends on, itself among them. */
void cnn_graph_mark(const cnn_graph *graph, cnn_node last, bool *marked);

/* Where cnn_graph_truncate cuts. */
cnn_status cnn_graph_find_cut(const cnn_graph *graph, const char *layer, cnn_node *node);

/* What follows a node, as a graph of its own whose input is the node's value, named as the node is. An error if
 * something uses the values before the node, too. */
cnn_status cnn_graph_rest(cnn_context *context, const cnn_graph *graph, cnn_node cut, cnn_graph **rest);

/* A copy in another context; the error that stuck to the graph, if one did. */
cnn_status cnn_graph_copy(cnn_context *context, const cnn_graph *graph, cnn_graph **copy);

#endif
