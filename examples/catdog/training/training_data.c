#include "training/training_data.h"

#include <stdio.h>

#include "cli/data.h"
#include "cli/output.h"
#include "training/duplicates.h"

/* Which part of data that is divided does what. */
static void tell_parts(const char *data, const cnn_dataset_parts *parts, int validates)
{
    output_text(stderr, data);
    fprintf(stderr, " is divided: %llu images train", (unsigned long long)parts->training);
    if (parts->validation && validates)
        fprintf(stderr, ", %llu validate", (unsigned long long)parts->validation);
    if (!parts->test)
        fputs("\n", stderr);
    else if (parts->validation || !validates)
        fprintf(stderr, ", %llu are kept for 'catdog eval'\n", (unsigned long long)parts->test);
    else
        fprintf(stderr,
                ", and the %llu of its test part validate: for figures that nothing was chosen by, give it a "
                "valid part, too\n",
                (unsigned long long)parts->test);
}

int setup_open(cnn_context *context, const train_arguments *arguments, const train_settings *settings,
               training_data *photographs)
{
    const char *data = arguments->data, *validation = arguments->validation;
    if (data_open(context, data, CNN_PART_AUTO, &photographs->training))
        return EXIT_FAILED;
    cnn_dataset_parts parts = data_parts(photographs->training);
    if (parts.divided)
        tell_parts(data, &parts, !validation);
    if (settings->validation_fraction <= 0 && validation &&
        data_open_for_validation(context, validation, &photographs->validation))
        return EXIT_FAILED;
    if (!validation && parts.divided && data_open(context, data, CNN_PART_VALIDATION, &photographs->validation))
        return EXIT_FAILED;
    return photographs->validation && data_align(photographs->validation, photographs->training) ? EXIT_FAILED
                                                                                                 : EXIT_DONE;
}

static int split_off_validation(training_data *photographs, double fraction, uint64_t seed)
{
    cnn_dataset *rest, *part;
    if (cnn_dataset_split(photographs->training, fraction, seed, &rest, &part)) {
        output_error("%s; name photographs to validate on by --val PATH", cnn_last_error());
        return EXIT_FAILED;
    }
    cnn_dataset_destroy(photographs->training);
    photographs->training = rest;
    photographs->validation = part;
    return EXIT_DONE;
}

/* The test part, where it is kept for a test, is read for this alone. */
static int tell_leak_of_test(cnn_context *context, const train_arguments *arguments, const training_data *photographs)
{
    cnn_dataset_parts parts = data_parts(photographs->training);
    if (!parts.test || (!parts.validation && !arguments->validation))
        return 0;
    cnn_dataset *test;
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.part = CNN_PART_TEST;
    if (cnn_dataset_open(context, arguments->data, &options, &test))
        return 0; /* 'catdog eval' will say what is wrong with it */
    int failed = duplicates_tell_leak(photographs->training, test, "photographs of the test part",
                                      "'catdog eval' will find the model too good");
    cnn_dataset_destroy(test);
    return failed;
}

static int leave_out_bad(const train_arguments *arguments, const train_settings *settings, progress_line *progress,
                         training_data *photographs)
{
    double fraction = settings->validation_fraction;
    if (data_leave_out_bad(photographs->training, "checking the photographs", progress, NULL) ||
        duplicates_tell_contradictions(photographs->training))
        return EXIT_FAILED;
    if (!photographs->validation)
        return split_off_validation(photographs, fraction > 0 ? fraction : 0.1, arguments->seed);
    return data_leave_out_bad(photographs->validation, "checking the photographs to validate on", progress, NULL)
               ? EXIT_FAILED
               : EXIT_DONE;
}

int setup_prepare(cnn_context *context, const train_arguments *arguments, const train_settings *settings,
                  progress_line *progress, training_data *photographs)
{
    if (leave_out_bad(arguments, settings, progress, photographs) ||
        duplicates_tell_leak(photographs->training, photographs->validation, "photographs to validate on",
                             "the validation accuracy will be too good") ||
        tell_leak_of_test(context, arguments, photographs))
        return EXIT_FAILED;
    return EXIT_DONE;
}

void setup_release(training_data *photographs)
{
    cnn_dataset_destroy(photographs->validation);
    cnn_dataset_destroy(photographs->training);
}

/* A net from a file may be for another number of classes. */
static int check_classes(const char *data, uint32_t classes, cnn_classifier *classifier)
{
    int64_t outputs = cnn_model_output_shape(cnn_classifier_model(classifier)).dims[0];
    if (classes == (outputs == 1 ? 2 : outputs))
        return EXIT_DONE;
    output_error("'%s' has %u classes, for which the net must end in %u logits; it ends in %lld", data, classes,
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

int setup_create_classifier(cnn_context *context, const train_arguments *arguments, const training_data *photographs,
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
    return result ? EXIT_FAILED : check_classes(arguments->data, options.classes, *classifier);
}
