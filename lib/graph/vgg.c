/* VGG-16: Simonyan and Zisserman 2014, arXiv:1409.1556. With batch_norm it is torchvision's vgg16_bn. */
#include <stdio.h>

#include "graph/nets.h"

enum { STAGES = 5, DENSE = 2, UNITS = 4096 };

static const struct {
    int64_t width;
    int convolutions;
} stages[STAGES] = { { 64, 2 }, { 128, 2 }, { 256, 3 }, { 512, 3 }, { 512, 3 } };

static cnn_node add_convolution(cnn_graph *graph, cnn_node x, int64_t width, bool batch_norm, const char *block,
                                const char *name)
{
    char full[48];
    if (batch_norm)
        return cnn_relu(graph, cnn_normed_conv2d(graph, x, &(cnn_convolution){ width, 3, 1, name }, block));
    snprintf(full, sizeof full, "%s.%s", block, name);
    const cnn_conv2d_options options = { .struct_size = sizeof options, .padding = CNN_PADDING_SAME };
    return cnn_relu(graph, cnn_graph_set_name(graph, cnn_conv2d(graph, x, width, &options), full));
}

cnn_node cnn_vgg16_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan)
{
    (void)plan;
    for (int stage = 0; stage < STAGES; stage++) {
        for (int i = 0; i < stages[stage].convolutions; i++) {
            char block[24], name[24];
            snprintf(block, sizeof block, "stage%d", stage + 1);
            snprintf(name, sizeof name, "conv%d", i + 1);
            x = add_convolution(graph, x, cnn_scaled_width(options, stages[stage].width), options->batch_norm, block,
                                name);
        }
        x = cnn_max_pool2d(graph, x, NULL);
    }
    x = cnn_flatten(graph, x);
    for (int i = 0; i < DENSE; i++) {
        if (i && options->dropout != 0)
            x = cnn_dropout(graph, x, options->dropout > 0 ? options->dropout : CNN_VGG16_DROPOUT);
        x = cnn_relu(graph, cnn_dense(graph, x, cnn_scaled_width(options, UNITS), NULL));
    }
    return x;
}
