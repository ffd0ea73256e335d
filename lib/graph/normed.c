#include <math.h>
#include <stdio.h>

#include "graph/nets.h"

cnn_node cnn_normed_conv2d(cnn_graph *graph, cnn_node x, int64_t filters, int32_t kernel, int32_t stride,
                           const char *block, const char *name)
{
    int32_t pad = kernel / 2;
    char full[48];
    cnn_conv2d_options options = {
        .struct_size = sizeof options,
        .kernel = { kernel, kernel },
        .stride = { stride, stride },
        .padding = CNN_PADDING_EXPLICIT,
        .pads = { pad, pad, pad, pad },
        .no_bias = 1,
    };
    snprintf(full, sizeof full, "%s.%s", block, name);
    x = cnn_graph_set_name(graph, cnn_conv2d(graph, x, filters, &options), full);
    snprintf(full, sizeof full, "%s.%s_norm", block, name);
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
