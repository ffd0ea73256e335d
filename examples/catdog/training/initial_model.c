#include "training/initial_model.h"

#include "cli/output.h"

/* A net from a file may be for another number of classes. */
static int check_classes(const char *data, uint32_t classes, cnn_classifier *classifier)
{
    int64_t outputs = 0;
    cnn_model_output_dims(cnn_classifier_model(classifier), &outputs, 1);
    if (classes == (outputs == 1 ? 2 : outputs))
        return EXIT_DONE;
    output_error("'%s' has %u classes: the net must end in %u logits, not in %lld", data, classes,
                 classes == 2 ? 1 : classes, (long long)outputs);
    return EXIT_FAILED;
}

static int create_from_net(cnn_context *context, const net_arguments *net, const cnn_classifier_options *options,
                           cnn_classifier **classifier)
{
    cnn_graph *graph;
    if (net_create_graph(context, net, &graph))
        return EXIT_FAILED;
    cnn_status status = cnn_classifier_create_from_graph(context, graph, options, classifier);
    cnn_graph_destroy(graph);
    return status ? output_library_error() : EXIT_DONE;
}

int initial_model_create(cnn_context *context, const train_arguments *arguments, const training_data *photographs,
                         cnn_classifier **classifier)
{
    cnn_classifier_options options;
    cnn_classifier_options_init(&options);
    options.seed = arguments->seed;
    options.classes = cnn_dataset_class_count(photographs->training);
    net_arguments net = arguments->net;
    net.outputs = options.classes == 2 ? 1 : options.classes;
    int result = arguments->transfer.from
                     ? transfer_create(context, &arguments->transfer, net.size, &options, classifier)
                     : create_from_net(context, &net, &options, classifier);
    return result ? EXIT_FAILED : check_classes(arguments->data.path, options.classes, *classifier);
}
