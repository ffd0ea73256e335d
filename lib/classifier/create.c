#include <string.h>

#include "classifier/classifier_internal.h"
#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"
#include "runtime/model_internal.h"
#include "train/loss.h"

/* The type of the layer that computes the graph's output: in prediction, dropout and flatten pass on what they get. */
static const char *type_of_last_layer(const cnn_graph *graph)
{
    cnn_node node = cnn_graph_output(graph);
    const char *type = cnn_graph_node_type(graph, node);
    while (!strcmp(type, "dropout") || !strcmp(type, "flatten")) {
        cnn_graph_node_inputs(graph, node, &node, 1);
        type = cnn_graph_node_type(graph, node);
    }
    return type;
}

/* A graph that a classifier can be made of takes images in colour and gives logits. */
static cnn_status check_model(const cnn_model *model)
{
    const cnn_shape input = cnn_model_input_shape(model), output = cnn_model_output_shape(model);
    if (input.rank != 3 || input.dims[2] != 3)
        return cnn_fail(CNN_ERROR_SHAPE, "classifier: the graph's input has %lld channels; photographs have 3",
                        (long long)input.dims[2]);
    if (output.rank != 1 || output.dims[0] > CNN_MAX_METRIC_CLASSES)
        return cnn_fail(CNN_ERROR_SHAPE,
                        "classifier: the graph doesn't end in one logit, such as dense with 1 unit, or in one for each "
                        "of at most %d classes",
                        CNN_MAX_METRIC_CLASSES);
    const char *last = type_of_last_layer(cnn_model_graph(model));
    if (!strcmp(last, "sigmoid") || !strcmp(last, "softmax"))
        return cnn_fail(CNN_ERROR_SHAPE, "classifier: the graph ends in %s; leave that out, it is added to the logit",
                        last);
    return CNN_OK;
}

cnn_status cnn_classifier_wrap(cnn_context *context, cnn_model *model, cnn_classifier **result)
{
    *result = NULL;
    cnn_status status = check_model(model);
    if (status)
        return status;
    cnn_classifier *classifier = cnn_allocate_zeroed(context, 1, sizeof *classifier);
    if (!classifier)
        return CNN_ERROR_OUT_OF_MEMORY;
    classifier->context = context;
    classifier->outputs = (uint32_t)cnn_model_output_shape(model).dims[0];
    classifier->class_count = cnn_classes_of_outputs(classifier->outputs);
    classifier->threshold = 0.5f;
    classifier->temperature = 1;
    classifier->class_names = cnn_allocate_zeroed(context, classifier->class_count, sizeof *classifier->class_names);
    if (!classifier->class_names) {
        cnn_release(context, classifier);
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    classifier->model = model;
    *result = classifier;
    return CNN_OK;
}

static cnn_status create(cnn_context *context, const cnn_graph *graph, const cnn_classifier_options *options,
                         cnn_classifier **result)
{
    cnn_model *model = NULL;
    cnn_classifier *classifier = NULL;
    cnn_status status = cnn_model_create(context, graph, options->seed, &model);
    if (!status)
        status = cnn_classifier_wrap(context, model, &classifier);
    if (status) {
        cnn_model_destroy(model);
        return status;
    }
    status = cnn_classifier_set_preprocess(classifier, options->preprocess);
    if (!status)
        status = cnn_classifier_write_metadata(classifier);
    if (status)
        cnn_classifier_destroy(classifier);
    else
        *result = classifier;
    return status;
}

cnn_status cnn_classifier_choose_outputs(const cnn_classifier_options *options, uint32_t *outputs)
{
    uint32_t classes = options->classes;
    if (classes < 2 || classes > CNN_MAX_METRIC_CLASSES)
        return cnn_fail(CNN_ERROR_ARGUMENT, "classifier: %u classes are not possible; there are 2 to %d", classes,
                        CNN_MAX_METRIC_CLASSES);
    *outputs = classes == 2 ? 1 : classes;
    return CNN_OK;
}

static cnn_status read_options(const cnn_classifier_options *given, cnn_classifier_options *options,
                               cnn_context **context, cnn_classifier **result)
{
    cnn_classifier_options_init(options);
    if (!result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_create: the result has no place: NULL was given");
    *result = NULL;
    *context = cnn_context_or_default(*context);
    if (!*context)
        return CNN_ERROR_OUT_OF_MEMORY;
    return cnn_options_read(options, sizeof *options, given, "cnn_classifier_options");
}

cnn_status cnn_classifier_create(cnn_context *context, const char *net, const cnn_classifier_options *given,
                                 cnn_classifier **result)
{
    cnn_classifier_options options;
    cnn_net_options net_options;
    cnn_graph *graph = NULL;
    cnn_status status = read_options(given, &options, &context, result);
    if (status)
        return status;
    cnn_net_options_init(&net_options);
    status = cnn_options_read(&net_options, sizeof net_options, options.net, "cnn_net_options");
    if (status)
        return status;
    status = cnn_classifier_choose_outputs(&options, &net_options.outputs);
    if (status)
        return status;
    status = cnn_graph_create_net(context, net, &net_options, &graph);
    if (!status)
        status = create(context, graph, &options, result);
    cnn_graph_destroy(graph);
    return status;
}

cnn_status cnn_classifier_create_from_graph(cnn_context *context, const cnn_graph *graph,
                                            const cnn_classifier_options *given, cnn_classifier **result)
{
    cnn_classifier_options options;
    cnn_status status = read_options(given, &options, &context, result);
    if (!status && !graph)
        status = cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_create_from_graph: the graph is NULL");
    return status ? status : create(context, graph, &options, result);
}

void cnn_classifier_destroy(cnn_classifier *classifier)
{
    if (!classifier)
        return;
    cnn_model_destroy(classifier->model);
    for (uint32_t i = 0; i < classifier->class_count; i++)
        cnn_release(classifier->context, classifier->class_names[i]);
    cnn_release(classifier->context, classifier->class_names);
    cnn_release(classifier->context, classifier);
}
