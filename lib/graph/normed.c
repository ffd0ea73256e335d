#include <math.h>
#include <stdio.h>

#include "graph/nets.h"

cnn_node cnn_normed_conv2d(cnn_graph *graph, cnn_node x, const cnn_convolution *wanted, const char *block)
{
    int32_t pad = wanted->kernel / 2;
    char full[48];
    cnn_conv2d_options options = {
        .struct_size = sizeof options,
        .kernel = { wanted->kernel, wanted->kernel },
        .stride = { wanted->stride, wanted->stride },
        .groups = wanted->groups,
        .padding = CNN_PADDING_EXPLICIT,
        .pads = { pad, pad, pad, pad },
        .no_bias = 1,
    };
    snprintf(full, sizeof full, "%s.%s", block, wanted->name);
    x = cnn_graph_set_name(graph, cnn_conv2d(graph, x, wanted->filters, &options), full);
    snprintf(full, sizeof full, "%s.%s_norm", block, wanted->name);
    return cnn_graph_set_name(graph, cnn_batch_norm(graph, x, NULL), full);
}

int64_t cnn_scaled_width(const cnn_net_options *options, int64_t width)
{
    enum { GRAIN = 8 }; /* what vectors of channels are filled by */
    if (options->width == 1)
        return width;
    double scaled = round((double)width * (double)options->width / GRAIN) * GRAIN;
    return scaled < GRAIN ? GRAIN : (int64_t)scaled;
}
