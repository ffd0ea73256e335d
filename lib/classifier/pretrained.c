/* A classifier that begins with what another net has learned. */
#include <stdio.h>

#include "classifier/classifier_internal.h"
#include "core/context_internal.h"
#include "core/error.h"
#include "core/options.h"
#include "graph/graph_internal.h"

/* A name that no layer of the pretrained net has, lest its head's weights are taken over. */
static void name_head(const cnn_graph *pretrained, char *name, size_t size)
{
    snprintf(name, size, "head");
    for (int number = 2; cnn_graph_find(pretrained, name) != CNN_NODE_ERROR; number++)
        snprintf(name, size, "head_%d", number);
}

/* The pretrained net with another head in place of its own. */
static cnn_status make_graph(cnn_context *context, const cnn_graph *pretrained, const cnn_net_options *options,
                             cnn_graph **graph)
{
    char name[32];
    cnn_status status = cnn_graph_truncate(context, pretrained, NULL, graph);
    if (status)
        return status;
    cnn_node x = cnn_graph_output(*graph);
    if (cnn_graph_node_shape(*graph, x).rank == 3)
        x = cnn_flatten(*graph, x);
    if (options->dropout > 0)
        x = cnn_dropout(*graph, x, options->dropout);
    name_head(pretrained, name, sizeof name);
    cnn_graph_set_name(*graph, cnn_dense(*graph, x, options->outputs, NULL), name);
    return cnn_graph_status(*graph);
}

/* Images are prepared as the pretrained net had them, if it says how. */
static cnn_status take_over(cnn_classifier *classifier, const cnn_model *pretrained, bool preprocess)
{
    cnn_status status = cnn_model_copy_weights(classifier->model, pretrained, NULL);
    if (!status && preprocess)
        status = cnn_classifier_read_preprocess(classifier, cnn_model_metadata(pretrained, CNN_METADATA_PREPROCESS));
    return status ? status : cnn_classifier_write_metadata(classifier);
}

cnn_status cnn_classifier_create_from_model(cnn_context *context, const cnn_model *pretrained,
                                            const cnn_classifier_options *given, cnn_classifier **result)
{
    if (!result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_create_from_model: the result has no place");
    *result = NULL;
    if (!pretrained)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_create_from_model: no model was given");
    cnn_classifier_options options;
    cnn_net_options net;
    cnn_graph *graph = NULL;
    cnn_classifier_options_init(&options);
    cnn_net_options_init(&net);
    cnn_status status = cnn_options_read(&options, sizeof options, given, "cnn_classifier_options");
    if (!status)
        status = cnn_options_read(&net, sizeof net, options.net, "cnn_net_options");
    if (!status)
        status = cnn_classifier_choose_outputs(&options, &net.outputs);
    if (!status)
        status = make_graph(context, cnn_model_graph(pretrained), &net, &graph);
    if (!status)
        status = cnn_classifier_create_from_graph(context, graph, &options, result);
    cnn_graph_destroy(graph);
    if (status)
        return status;
    status = take_over(*result, pretrained, !options.preprocess);
    if (status) {
        cnn_classifier_destroy(*result);
        *result = NULL;
    }
    return status;
}
