/* Residual networks: He, Zhang, Ren and Sun 2015, arXiv:1512.03385. */
#include <stdio.h>

#include "graph/graph_internal.h"
#include "graph/nets.h"

/* Where the block's input has another shape than what it is added to, a convolution of 1×1 makes it fit. */
static cnn_node add_shortcut(cnn_graph *graph, cnn_node x, int64_t filters, int32_t stride, const char *name)
{
    if (stride == 1 && cnn_graph_node_shape(graph, x).dims[2] == filters)
        return x;
    return cnn_normed_conv2d(graph, x, &(cnn_convolution){ filters, 1, stride, "shortcut" }, name);
}

/* Two convolutions, and the block's input added to what they give. */
static cnn_node add_block(cnn_graph *graph, cnn_node x, int64_t filters, int32_t stride, const char *name)
{
    cnn_node shortcut = add_shortcut(graph, x, filters, stride, name);
    x = cnn_relu(graph, cnn_normed_conv2d(graph, x, &(cnn_convolution){ filters, 3, stride, "conv1" }, name));
    x = cnn_normed_conv2d(graph, x, &(cnn_convolution){ filters, 3, 1, "conv2" }, name);
    return cnn_relu(graph, cnn_add(graph, x, shortcut));
}

/* One convolution of 3×3 between two of 1×1, on a quarter of the channels. The step is taken by the one of 3×3, as
 * others do by now, and not by the first. */
static cnn_node add_bottleneck(cnn_graph *graph, cnn_node x, int64_t filters, int32_t stride, const char *name)
{
    cnn_node shortcut = add_shortcut(graph, x, 4 * filters, stride, name);
    x = cnn_relu(graph, cnn_normed_conv2d(graph, x, &(cnn_convolution){ filters, 1, 1, "conv1" }, name));
    x = cnn_relu(graph, cnn_normed_conv2d(graph, x, &(cnn_convolution){ filters, 3, stride, "conv2" }, name));
    x = cnn_normed_conv2d(graph, x, &(cnn_convolution){ 4 * filters, 1, 1, "conv3" }, name);
    return cnn_relu(graph, cnn_add(graph, x, shortcut));
}

cnn_node cnn_resnet_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan_given)
{
    const cnn_resnet_plan *plan = plan_given;
    cnn_pool2d_options pool = { .struct_size = sizeof pool,
                                .kernel = { 3, 3 },
                                .stride = { 2, 2 },
                                .padding = CNN_PADDING_EXPLICIT,
                                .pads = { 1, 1, 1, 1 } };
    x = cnn_max_pool2d(
        graph,
        cnn_relu(graph, cnn_normed_conv2d(graph, x, &(cnn_convolution){ cnn_scaled_width(options, 64), 7, 2, "conv" },
                                          "stem")),
        &pool);
    for (int stage = 0; stage < CNN_RESNET_STAGES; stage++)
        for (int block = 0; block < plan->blocks[stage]; block++) {
            char name[40];
            int64_t filters = cnn_scaled_width(options, (int64_t)64 << stage);
            int32_t stride = stage && !block ? 2 : 1;
            snprintf(name, sizeof name, "stage%d.block%d", stage + 1, block + 1);
            x = plan->bottleneck ? add_bottleneck(graph, x, filters, stride, name)
                                 : add_block(graph, x, filters, stride, name);
        }
    return cnn_global_avg_pool(graph, x);
}
