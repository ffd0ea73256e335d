/* The table of nets, and what they have in common: an input, a body that gives features, and logits. */
#include "graph/nets.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/options.h"

static const cnn_resnet_plan resnet18 = { { 2, 2, 2, 2 }, false }, resnet50 = { { 3, 4, 6, 3 }, true };

static const cnn_mobile_plan mobilenet_v2 = {
    .stages = { { 1, 16, 1, 1, 3 },
                { 6, 24, 2, 2, 3 },
                { 6, 32, 3, 2, 3 },
                { 6, 64, 4, 2, 3 },
                { 6, 96, 3, 1, 3 },
                { 6, 160, 3, 2, 3 },
                { 6, 320, 1, 1, 3 } },
    .padding = CNN_PADDING_EXPLICIT,
};

static const cnn_mobile_plan efficientnet_lite0 = {
    .stages = { { 1, 16, 1, 1, 3 },
                { 6, 24, 2, 2, 3 },
                { 6, 40, 2, 2, 5 },
                { 6, 80, 3, 2, 3 },
                { 6, 112, 3, 1, 5 },
                { 6, 192, 4, 2, 5 },
                { 6, 320, 1, 1, 3 } },
    .padding = CNN_PADDING_SAME,
    .momentum = 0.99f,
    .epsilon = 1e-3f,
};

static const cnn_net nets[] = {
    { "two_conv", 64, 0, cnn_plain_body, &(const cnn_plain_plan){ { 64, 64 }, CNN_PADDING_VALID, 64 } },
    { "three_conv", 128, 0, cnn_plain_body, &(const cnn_plain_plan){ { 32, 64, 128 }, CNN_PADDING_SAME, 128 } },
    { "four_conv", 150, 0.5f, cnn_plain_body, &(const cnn_plain_plan){ { 32, 64, 128, 128 }, CNN_PADDING_VALID, 512 } },
    { "catdog_net", 128, 0, cnn_catdog_body, NULL },
    { "vgg16", 224, CNN_VGG16_DROPOUT, cnn_vgg16_body, NULL },
    { "resnet18", 128, 0, cnn_resnet_body, &resnet18 },
    { "resnet50", 224, 0, cnn_resnet_body, &resnet50 },
    { "mobilenet_v2", 224, 0.2f, cnn_mobile_body, &mobilenet_v2 },
    { "efficientnet_lite0", 224, 0.2f, cnn_mobile_body, &efficientnet_lite0 },
};

enum { NETS = sizeof nets / sizeof nets[0] };

static void build(cnn_graph *graph, const cnn_net *net, const cnn_net_options *options)
{
    int64_t size = options->size ? options->size : net->size;
    float dropout = options->dropout >= 0 ? options->dropout : net->dropout;
    cnn_node x = net->body(graph, cnn_input(graph, size, size, 3), options, net->plan);
    if (dropout > 0)
        x = cnn_dropout(graph, x, dropout);
    cnn_dense(graph, x, options->outputs, NULL);
}

const char *cnn_net_name(uint32_t index)
{
    return index < NETS ? nets[index].name : NULL;
}

static const cnn_net *find_net(const char *name)
{
    for (size_t i = 0; i < NETS; i++)
        if (!strcmp(nets[i].name, name))
            return &nets[i];
    return NULL;
}

cnn_status cnn_graph_create_net(cnn_context *context, const char *name, const cnn_net_options *given,
                                cnn_graph **result)
{
    if (result)
        *result = NULL;
    if (!name || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_graph_create_net: the name is NULL, or the result has no place");
    cnn_net_options options;
    cnn_net_options_init(&options);
    cnn_status status = cnn_options_read(&options, sizeof options, given, "cnn_net_options");
    if (status)
        return status;
    if (!(options.width > 0 && options.width <= 16))
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: a width of %g is not possible; it is above 0 and at most 16", name,
                        (double)options.width);
    if (!isfinite(options.dropout))
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "%s: a dropout of %g is not possible; it is below 1, and negative for the net's own", name,
                        (double)options.dropout);
    const cnn_net *net = find_net(name);
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
