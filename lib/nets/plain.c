/* Chains of convolutions with pooling between them, as people use them for cats and dogs: a table, and one builder. */
#include <string.h>

#include <cnn/graph.h>

#include "core/error.h"
#include "core/options.h"
#include "graph/graph_internal.h"

enum { MAX_CONVOLUTIONS = 4 };

typedef struct plain_net {
    const char *name;
    uint32_t size;
    int64_t filters[MAX_CONVOLUTIONS]; /* 0: no more */
    cnn_padding padding;
    int64_t units;
    float dropout;
} plain_net;

static const plain_net nets[] = {
    { "two_conv", 64, { 64, 64 }, CNN_PADDING_VALID, 64, 0 },
    { "three_conv", 128, { 32, 64, 128 }, CNN_PADDING_SAME, 128, 0 },
    { "four_conv", 150, { 32, 64, 128, 128 }, CNN_PADDING_VALID, 512, 0.5f },
};

enum { NETS = sizeof nets / sizeof nets[0] };

static cnn_node add_convolution(cnn_graph *graph, cnn_node x, const plain_net *net, int64_t filters, bool batch_norm)
{
    cnn_conv2d_options options = {
        .struct_size = sizeof options,
        .padding = net->padding,
        .no_bias = batch_norm, /* normalisation has an offset of its own */
    };
    x = cnn_conv2d(graph, x, filters, &options);
    if (batch_norm)
        x = cnn_batch_norm(graph, x, NULL);
    return cnn_max_pool2d(graph, cnn_relu(graph, x), NULL);
}

static void build(cnn_graph *graph, const plain_net *net, const cnn_net_options *options)
{
    int64_t size = options->size ? options->size : net->size;
    float dropout = options->dropout != 0 ? options->dropout : net->dropout;
    cnn_node x = cnn_input(graph, size, size, 3);
    for (int i = 0; i < MAX_CONVOLUTIONS && net->filters[i]; i++)
        x = add_convolution(graph, x, net, net->filters[i], options->batch_norm);
    x = cnn_relu(graph, cnn_dense(graph, cnn_flatten(graph, x), net->units, NULL));
    if (dropout > 0)
        x = cnn_dropout(graph, x, dropout);
    cnn_dense(graph, x, options->outputs ? options->outputs : 1, NULL);
}

void cnn_net_options_init(cnn_net_options *options)
{
    *options = (cnn_net_options){ .struct_size = sizeof *options };
}

const char *cnn_net_name(uint32_t index)
{
    return index < NETS ? nets[index].name : NULL;
}

static const plain_net *find_net(const char *name)
{
    for (size_t i = 0; i < NETS; i++)
        if (!strcmp(nets[i].name, name))
            return &nets[i];
    return NULL;
}

cnn_status cnn_graph_create_net(cnn_context *context, const char *name, const cnn_net_options *given,
                                cnn_graph **result)
{
    if (!name || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_graph_create_net: the name is NULL, or the result has no place");
    *result = NULL;
    cnn_net_options options;
    cnn_net_options_init(&options);
    cnn_status status = cnn_options_read(&options, sizeof options, given, "cnn_net_options");
    if (status)
        return status;
    const plain_net *net = find_net(name);
    if (!net)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: there is no net of this name", name);
    cnn_graph *graph;
    status = cnn_graph_create(context, &graph);
    if (status)
        return status;
    build(graph, net, &options);
    status = cnn_graph_status(graph);
    if (status)
        cnn_graph_destroy(graph);
    else
        *result = graph;
    return status;
}
