/* Nets of inverted residual blocks, light enough for telephones. MobileNetV2: Sandler et al. 2018, arXiv:1801.04381.
 * EfficientNet-Lite0 is EfficientNet-B0 (Tan and Le 2019, arXiv:1905.11946) without squeeze-and-excitation, and with
 * ReLU6 in the place of swish: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite. */
#include <stdio.h>

#include "graph/graph_internal.h"
#include "graph/nets.h"

/* Many channels inside, each filtered alone, and few outside. */
typedef struct mobile_block {
    const cnn_mobile_stage *stage;
    int64_t width; /* outside */
    int32_t stride;
    const char *name;
} mobile_block;

static cnn_node add_convolution(cnn_graph *graph, cnn_node x, const cnn_mobile_plan *plan,
                                const cnn_convolution *wanted, const char *block)
{
    char full[48];
    int32_t pad = wanted->kernel / 2;
    cnn_conv2d_options options = { .struct_size = sizeof options,
                                   .kernel = { wanted->kernel, wanted->kernel },
                                   .stride = { wanted->stride, wanted->stride },
                                   .groups = wanted->groups,
                                   .padding = plan->padding,
                                   .no_bias = 1 };
    cnn_batch_norm_options norm;
    cnn_batch_norm_options_init(&norm);
    if (plan->momentum > 0) {
        norm.momentum = plan->momentum;
        norm.epsilon = plan->epsilon;
    }
    for (int side = 0; side < 4 && plan->padding == CNN_PADDING_EXPLICIT; side++)
        options.pads[side] = pad;
    snprintf(full, sizeof full, "%s.%s", block, wanted->name);
    x = cnn_graph_set_name(graph, cnn_conv2d(graph, x, wanted->filters, &options), full);
    snprintf(full, sizeof full, "%s.%s_norm", block, wanted->name);
    return cnn_graph_set_name(graph, cnn_batch_norm(graph, x, &norm), full);
}

static cnn_node add_block(cnn_graph *graph, cnn_node x, const cnn_mobile_plan *plan, const mobile_block *it)
{
    cnn_node input = x;
    int64_t channels = cnn_graph_node_shape(graph, x).dims[2], inner = channels * it->stage->expansion;
    const cnn_convolution expand = { inner, 1, 1, "expand" }, project = { it->width, 1, 1, "project" };
    const cnn_convolution depthwise = { inner, it->stage->kernel, it->stride, "depthwise", (int32_t)inner };
    if (it->stage->expansion > 1)
        x = cnn_relu6(graph, add_convolution(graph, x, plan, &expand, it->name));
    x = cnn_relu6(graph, add_convolution(graph, x, plan, &depthwise, it->name));
    x = add_convolution(graph, x, plan, &project, it->name);
    return it->stride == 1 && channels == it->width ? cnn_add(graph, x, input) : x;
}

cnn_node cnn_mobile_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan_given)
{
    const cnn_mobile_plan *plan = plan_given;
    const cnn_convolution stem = { cnn_scaled_width(options, 32), 3, 2, "conv" };
    const cnn_convolution head = { cnn_scaled_width(options, 1280), 1, 1, "conv" };
    x = cnn_relu6(graph, add_convolution(graph, x, plan, &stem, "stem"));
    for (int s = 0; s < CNN_MOBILE_STAGES; s++)
        for (int i = 0; i < plan->stages[s].blocks; i++) {
            const cnn_mobile_stage *stage = &plan->stages[s];
            char name[40];
            snprintf(name, sizeof name, "stage%d.block%d", s + 1, i + 1);
            const mobile_block wanted = { stage, cnn_scaled_width(options, stage->width), i ? 1 : stage->stride, name };
            x = add_block(graph, x, plan, &wanted);
        }
    return cnn_global_avg_pool(graph, cnn_relu6(graph, add_convolution(graph, x, plan, &head, "head")));
}
