/* Residual networks: He, Zhang, Ren and Sun 2015, arXiv:1512.03385. */
#include <stdio.h>

#include "nets/nets.h"

/* Two convolutions, and the block's input added to what they give. Where that has another shape, a convolution of 1×1
 * makes the input fit. */
static cnn_node add_block(cnn_graph *graph, cnn_node x, int64_t filters, int32_t stride, const char *name)
{
    cnn_node shortcut = x;
    if (stride != 1 || cnn_graph_node_shape(graph, x).dims[2] != filters)
        shortcut = cnn_normed_conv2d(graph, x, filters, 1, stride, name, "shortcut");
    x = cnn_relu(graph, cnn_normed_conv2d(graph, x, filters, 3, stride, name, "conv1"));
    x = cnn_normed_conv2d(graph, x, filters, 3, 1, name, "conv2");
    return cnn_relu(graph, cnn_add(graph, x, shortcut));
}

cnn_node cnn_resnet18_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan)
{
    (void)plan;
    enum { STAGES = 4, BLOCKS = 2 };
    cnn_pool2d_options pool = { .struct_size = sizeof pool,
                                .kernel = { 3, 3 },
                                .stride = { 2, 2 },
                                .padding = CNN_PADDING_EXPLICIT,
                                .pads = { 1, 1, 1, 1 } };
    x = cnn_max_pool2d(
        graph, cnn_relu(graph, cnn_normed_conv2d(graph, x, cnn_scaled_width(options, 64), 7, 2, "stem", "conv")),
        &pool);
    for (int stage = 0; stage < STAGES; stage++)
        for (int block = 0; block < BLOCKS; block++) {
            char name[24];
            snprintf(name, sizeof name, "stage%d.block%d", stage + 1, block + 1);
            x = add_block(graph, x, cnn_scaled_width(options, (int64_t)64 << stage), stage && !block ? 2 : 1, name);
        }
    return cnn_global_avg_pool(graph, x);
}
