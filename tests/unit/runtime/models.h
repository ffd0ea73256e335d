/* What the tests of models share: contexts, random graphs and tensors. */
#ifndef CNN_TESTS_GRAPH_MODELS_H
#define CNN_TESTS_GRAPH_MODELS_H

#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "core/random.h"
#include "core/tensor_internal.h"
#include "runtime/model_internal.h"

static inline cnn_context *context_of(uint32_t threads)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = threads;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    return context;
}

static inline void fill_random(cnn_tensor *tensor, uint64_t seed)
{
    cnn_random random;
    cnn_random_init(&random, seed, CNN_RANDOM_AUGMENT, 0, 0);
    for (int64_t i = 0; i < tensor->count; i++)
        ((float *)tensor->data)[i] = cnn_random_between(&random, -1, 1);
}

/* A batch of that shape, of random values. */
static inline cnn_tensor *batch_of(int64_t count, cnn_shape shape, uint64_t seed)
{
    int64_t dims[4] = { count, shape.dims[0], shape.dims[1], shape.dims[2] };
    cnn_tensor *tensor;
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, shape.rank + 1, dims, &tensor));
    fill_random(tensor, seed);
    return tensor;
}

/* Weights, biases, running statistics: all random, so that nothing hides behind a zero or one. */
static inline void fill_parameters(cnn_model *model, uint64_t seed)
{
    for (int32_t i = 0; i < model->weights_count; i++) {
        cnn_tensor *value = model->weights[i].value;
        cnn_random random;
        cnn_random_init(&random, seed, CNN_RANDOM_WEIGHTS, (uint32_t)i, 0);
        bool positive = strstr(model->weights[i].name, "variance") || strstr(model->weights[i].name, "scale");
        for (int64_t k = 0; k < value->count; k++)
            ((float *)value->data)[k] =
                positive ? cnn_random_between(&random, 0.5f, 1.5f) : cnn_random_between(&random, -0.4f, 0.4f);
    }
    cnn_model_changed(model);
}

typedef struct grower {
    cnn_graph *graph;
    cnn_random random;
    cnn_node nodes[64];
    int32_t count;
} grower;

static inline bool same_shape(const cnn_graph *graph, cnn_node a, cnn_node b, int32_t dims)
{
    cnn_shape left = cnn_graph_node_shape(graph, a), right = cnn_graph_node_shape(graph, b);
    return !memcmp(left.dims, right.dims, (size_t)dims * sizeof left.dims[0]);
}

/* One of the later nodes, of the same height and width (2) or shape (3) as `like`. */
static inline cnn_node pick_like(grower *g, cnn_node like, int32_t dims)
{
    for (int tries = 0; tries < 20; tries++) {
        cnn_node node = g->nodes[cnn_random_below(&g->random, (uint32_t)g->count)];
        if (same_shape(g->graph, node, like, dims))
            return node;
    }
    return like;
}

/* Batch normalisation, and perhaps what can be fused with it. */
static inline cnn_node grow_normed(grower *g, cnn_node x, bool smooth)
{
    x = cnn_batch_norm(g->graph, x, NULL);
    if (cnn_random_below(&g->random, 2))
        x = cnn_add(g->graph, x, pick_like(g, x, 3));
    if (!smooth && cnn_random_below(&g->random, 2))
        x = cnn_random_below(&g->random, 2) ? cnn_relu(g->graph, x) : cnn_relu6(g->graph, x);
    return x;
}

static inline cnn_node grow_layer(grower *g, cnn_node x, bool smooth)
{
    cnn_graph *graph = g->graph;
    cnn_conv2d_options conv = { .struct_size = sizeof conv, .padding = CNN_PADDING_SAME };
    conv.no_bias = (int32_t)cnn_random_below(&g->random, 2);
    cnn_pool2d_options pool = {
        .struct_size = sizeof pool, .kernel = { 3, 3 }, .stride = { 1, 1 }, .padding = CNN_PADDING_SAME
    };
    switch (cnn_random_below(&g->random, 20)) {
    case 0:
    case 1:
    case 2: return cnn_conv2d(graph, x, 1 + cnn_random_below(&g->random, 9), &conv);
    case 3: return smooth ? cnn_tanh(graph, x) : cnn_relu(graph, x);
    case 4: return smooth ? cnn_sigmoid(graph, x) : cnn_relu6(graph, x);
    case 5: return cnn_tanh(graph, x);
    case 6: return grow_normed(g, x, smooth);
    case 7: return cnn_dropout(graph, x, 0.3f);
    case 8:
    case 9: return cnn_add(graph, x, pick_like(g, x, 3));
    case 10:
    case 11: return cnn_concat(graph, (cnn_node[]){ pick_like(g, x, 2), x }, 2);
    case 12: return smooth ? cnn_avg_pool2d(graph, x, &pool) : cnn_max_pool2d(graph, x, &pool);
    case 13: return cnn_rescale(graph, x, 0.5f, 0.1f);
    case 14: return smooth ? cnn_sigmoid(graph, x) : cnn_leaky_relu(graph, x, 0.1f);
    case 15: return cnn_silu(graph, x);
    case 16: return cnn_gelu(graph, x, cnn_random_below(&g->random, 2) ? CNN_GELU_TANH : CNN_GELU_EXACT);
    case 17: return smooth ? cnn_softplus(graph, x) : cnn_hard_swish(graph, x);
    case 18: return smooth ? cnn_silu(graph, x) : cnn_selu(graph, x);
    default: return cnn_softmax(graph, x);
    }
}

/* A graph with branches that all lead to the output: conv, pool and activation chains, sums, joints. */
static inline cnn_graph *random_graph(cnn_context *context, uint64_t seed, bool smooth)
{
    grower g = { 0 };
    assert_ok(cnn_graph_create(context, &g.graph));
    cnn_random_init(&g.random, seed, CNN_RANDOM_SPLIT, 0, 0);
    cnn_node x = cnn_input(g.graph, 10, 9, 3);
    g.nodes[g.count++] = x;
    int32_t layers = 3 + (int32_t)cnn_random_below(&g.random, 14);
    for (int32_t i = 0; i < layers; i++) {
        x = grow_layer(&g, cnn_random_below(&g.random, 4) ? x : pick_like(&g, x, 2), smooth);
        g.nodes[g.count++] = x;
    }
    cnn_node branches[4] = { x, x, x, x };
    for (int i = 1; i < 4; i++)
        branches[i] = pick_like(&g, x, 2);
    x = cnn_concat(g.graph, branches, 4);
    if (!smooth)
        x = cnn_max_pool2d(g.graph, cnn_relu(g.graph, cnn_conv2d(g.graph, x, 5, NULL)), NULL);
    x = cnn_flatten(g.graph, x);
    x = cnn_add(g.graph, cnn_dense(g.graph, x, 3, NULL), cnn_tanh(g.graph, cnn_dense(g.graph, x, 3, NULL)));
    assert_ok(cnn_graph_status(g.graph));
    return g.graph;
}

/* One step of training by hand; the loss's gradient is random. */
static inline void step_of_training(cnn_model *model, int64_t batch, uint64_t seed)
{
    cnn_tensor *input = batch_of(batch, cnn_model_input_shape(model), seed);
    cnn_tensor *gradient = batch_of(batch, cnn_model_output_shape(model), seed + 1);
    const cnn_tensor *output;
    assert_ok(cnn_model_forward(model, input, seed, 7, &output));
    assert_int_equal(batch, cnn_tensor_dim(output, 0));
    assert_ok(cnn_model_backward(model, gradient));
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(gradient);
}

#endif
