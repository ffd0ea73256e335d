/* What is known of a graph's nodes beside how they are computed: their weights, and what a model says of them. */
#ifndef CNN_GRAPH_WEIGHTS_H
#define CNN_GRAPH_WEIGHTS_H

#include "graph/graph_internal.h"

/* One parameter. They are numbered by node, then in the layer's order. */
typedef struct cnn_weights {
    char *name;
    cnn_tensor *value;
    cnn_tensor *scales;   /* of each output channel if the value is int8; else NULL */
    cnn_tensor *gradient; /* NULL before the first backward, or if not trainable */
    const cnn_layer_parameter *declared;
    cnn_node node; /* whose they are */
    float learning_rate_multiplier;
    bool trainable;
} cnn_weights;

typedef struct cnn_node_state {
    bool frozen;                   /* training computes it as prediction does; so it does all that it depends on */
    cnn_quantization quantization; /* of its value as bytes, in a quantised model; scale 0: has none */
} cnn_node_state;

#endif
