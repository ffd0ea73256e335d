/* Chains of convolutions with pooling between them, as people use them for cats and dogs. */
#include <stdbool.h>

#include "graph/nets.h"

enum { MAX_CONVOLUTIONS = sizeof((cnn_plain_plan){ 0 }.filters) / sizeof(int64_t) };

static cnn_node add_convolution(cnn_graph *graph, cnn_node x, cnn_padding padding, int64_t filters, bool batch_norm)
{
    cnn_conv2d_options options = {
        .struct_size = sizeof options,
        .padding = padding,
        .no_bias = batch_norm, /* normalisation has an offset of its own */
    };
    x = cnn_conv2d(graph, x, filters, &options);
    if (batch_norm)
        x = cnn_batch_norm(graph, x, NULL);
    return cnn_max_pool2d(graph, cnn_relu(graph, x), NULL);
}

cnn_node cnn_plain_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan)
{
    const cnn_plain_plan *net = plan;
    for (int i = 0; i < MAX_CONVOLUTIONS && net->filters[i]; i++)
        x = add_convolution(graph, x, net->padding, cnn_scaled_width(options, net->filters[i]), options->batch_norm);
    return cnn_relu(graph, cnn_dense(graph, cnn_flatten(graph, x), cnn_scaled_width(options, net->units), NULL));
}
