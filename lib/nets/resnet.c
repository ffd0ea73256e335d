/* Residual networks: He, Zhang, Ren and Sun 2015, arXiv:1512.03385. */
#include <stdio.h>

#include "nets/nets.h"

/* Convolution without bias, padded so that a stride of 1 keeps the size, and batch normalisation. */
static cnn_node add_normed(cnn_graph *graph, cnn_node x, int64_t filters, int32_t kernel, int32_t stride,
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
    x = cnn_name(graph, cnn_conv2d(graph, x, filters, &options), full);
    snprintf(full, sizeof full, "%s.%s_norm", block, name);
    return cnn_name(graph, cnn_batch_norm(graph, x, NULL), full);
}

/* Two convolutions, and the block's input added to what they give. Where that has another shape, a convolution of 1×1
 * makes the input fit. */
static cnn_node add_block(cnn_graph *graph, cnn_node x, int64_t filters, int32_t stride, const char *name)
{
    cnn_node shortcut = x;
    if (stride != 1 || cnn_graph_node_shape(graph, x).dims[2] != filters)
        shortcut = add_normed(graph, x, filters, 1, stride, name, "shortcut");
    x = cnn_relu(graph, add_normed(graph, x, filters, 3, stride, name, "conv1"));
    x = add_normed(graph, x, filters, 3, 1, name, "conv2");
    return cnn_relu(graph, cnn_add(graph, x, shortcut));
}

cnn_node cnn_resnet18_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan)
{
    (void)options, (void)plan;
    enum { STAGES = 4, BLOCKS = 2 };
    cnn_pool2d_options pool = { .struct_size = sizeof pool,
                                .kernel = { 3, 3 },
                                .stride = { 2, 2 },
                                .padding = CNN_PADDING_EXPLICIT,
                                .pads = { 1, 1, 1, 1 } };
    x = cnn_max_pool2d(graph, cnn_relu(graph, add_normed(graph, x, 64, 7, 2, "stem", "conv")), &pool);
    for (int stage = 0; stage < STAGES; stage++)
        for (int block = 0; block < BLOCKS; block++) {
            char name[24];
            snprintf(name, sizeof name, "stage%d.block%d", stage + 1, block + 1);
            x = add_block(graph, x, (int64_t)64 << stage, stage && !block ? 2 : 1, name);
        }
    return cnn_global_avg_pool(graph, x);
}
