/* Our own net for learning from scratch on a few cores. What counts there is the accuracy after a given time, so its
 * layers are those that kernels run fastest per operation: convolutions of 3×3 and stride 1, which Winograd's algorithm
 * takes, on maps that were made small early. It is a residual net (He et al. 2015, arXiv:1512.03385) that halves maps
 * by pooling alone, with one to three blocks a stage, most of them where maps are small. */
#include <stdio.h>

#include "graph/graph_internal.h"
#include "graph/nets.h"

enum { STAGES = 4 };

static const struct {
    int64_t width;
    int blocks;
} stages[STAGES] = { { 64, 1 }, { 128, 2 }, { 256, 3 }, { 512, 1 } };

static cnn_node add_block(cnn_graph *graph, cnn_node x, int64_t width, const char *name)
{
    cnn_node shortcut = x;
    if (cnn_graph_node_shape(graph, x).dims[2] != width)
        shortcut = cnn_normed_conv2d(graph, x, &(cnn_convolution){ width, 1, 1, "shortcut" }, name);
    x = cnn_relu(graph, cnn_normed_conv2d(graph, x, &(cnn_convolution){ width, 3, 1, "conv1" }, name));
    x = cnn_normed_conv2d(graph, x, &(cnn_convolution){ width, 3, 1, "conv2" }, name);
    return cnn_relu(graph, cnn_add(graph, x, shortcut));
}

cnn_node cnn_catdog_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan)
{
    (void)plan;
    x = cnn_relu(
        graph, cnn_normed_conv2d(graph, x, &(cnn_convolution){ cnn_scaled_width(options, 32), 3, 2, "conv1" }, "stem"));
    x = cnn_max_pool2d(graph, x, NULL);
    x = cnn_relu(
        graph, cnn_normed_conv2d(graph, x, &(cnn_convolution){ cnn_scaled_width(options, 64), 3, 1, "conv2" }, "stem"));
    for (int stage = 0; stage < STAGES; stage++) {
        if (stage)
            x = cnn_max_pool2d(graph, x, NULL);
        for (int block = 0; block < stages[stage].blocks; block++) {
            char name[40];
            snprintf(name, sizeof name, "stage%d.block%d", stage + 1, block + 1);
            x = add_block(graph, x, cnn_scaled_width(options, stages[stage].width), name);
        }
    }
    return cnn_global_avg_pool(graph, x);
}
