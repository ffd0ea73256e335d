#include "training/training_data.h"

#include <stdio.h>

#include "cli/data.h"
#include "cli/output.h"
#include "training/duplicates.h"

/* Prints which part of divided data is used for what. */
static void print_parts(const char *data, const cnn_dataset_parts *parts, int validates)
{
    output_text(stderr, data);
    fprintf(stderr, " is divided into parts: %llu images for training", (unsigned long long)parts->training);
    if (parts->validation && validates)
        fprintf(stderr, ", %llu for validation", (unsigned long long)parts->validation);
    if (!parts->test)
        fputs("\n", stderr);
    else if (parts->validation || !validates)
        fprintf(stderr, ", %llu for 'catdog eval'\n", (unsigned long long)parts->test);
    else
        fprintf(stderr, ", the %llu of its test part for validation; for an unbiased test, add a validation part\n",
                (unsigned long long)parts->test);
}

int training_data_open(cnn_context *context, const train_arguments *arguments, const train_settings *settings,
                       training_data *photographs)
{
    const data_options *data = &arguments->data;
    const data_options validation = { arguments->validation, data->trusted };
    if (data_open(context, data, CNN_PART_AUTO, &photographs->training))
        return EXIT_FAILED;
    cnn_dataset_parts parts = data_parts(photographs->training);
    if (parts.divided)
        print_parts(data->path, &parts, !validation.path);
    if (settings->validation_fraction <= 0 && validation.path &&
        data_open_for_validation(context, &validation, &photographs->validation))
        return EXIT_FAILED;
    if (!validation.path && parts.divided && data_open(context, data, CNN_PART_VALIDATION, &photographs->validation))
        return EXIT_FAILED;
    return photographs->validation && data_align(photographs->validation, photographs->training) ? EXIT_FAILED
                                                                                                 : EXIT_DONE;
}

static int split_off_validation(training_data *photographs, double fraction, uint64_t seed)
{
    cnn_dataset *rest, *part;
    if (cnn_dataset_split(photographs->training, fraction, seed, &rest, &part)) {
        output_error("%s; name photographs to validate on with --val PATH", cnn_last_error());
        return EXIT_FAILED;
    }
    cnn_dataset_destroy(photographs->training);
    photographs->training = rest;
    photographs->validation = part;
    return EXIT_DONE;
}

/* Warns if photographs of the test part are trained on. */
static int warn_of_leak_to_test(cnn_context *context, const train_arguments *arguments,
                                const training_data *photographs)
{
    cnn_dataset_parts parts = data_parts(photographs->training);
    if (!parts.test || (!parts.validation && !arguments->validation))
        return 0;
    cnn_dataset *test;
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.part = CNN_PART_TEST;
    if (cnn_dataset_open(context, arguments->data.path, &options, &test))
        return 0; /* 'catdog eval' will report the error */
    int failed = duplicates_warn_of_leak(photographs->training, test, "test photographs",
                                         "'catdog eval' will overestimate the accuracy");
    cnn_dataset_destroy(test);
    return failed;
}

static int leave_out_bad(const train_arguments *arguments, const train_settings *settings, progress_line *progress,
                         training_data *photographs)
{
    double fraction = settings->validation_fraction;
    if (data_leave_out_bad(photographs->training, "checking photographs", progress, NULL) ||
        duplicates_warn_of_contradictions(photographs->training))
        return EXIT_FAILED;
    if (!photographs->validation)
        return split_off_validation(photographs, fraction > 0 ? fraction : 0.1, arguments->seed);
    return data_leave_out_bad(photographs->validation, "checking validation photographs", progress, NULL) ? EXIT_FAILED
                                                                                                          : EXIT_DONE;
}

int training_data_prepare(cnn_context *context, const train_arguments *arguments, const train_settings *settings,
                          progress_line *progress, training_data *photographs)
{
    if (leave_out_bad(arguments, settings, progress, photographs) ||
        duplicates_warn_of_leak(photographs->training, photographs->validation, "validation photographs",
                                "the validation accuracy will be too high") ||
        warn_of_leak_to_test(context, arguments, photographs))
        return EXIT_FAILED;
    return EXIT_DONE;
}

void training_data_release(training_data *photographs)
{
    cnn_dataset_destroy(photographs->validation);
    cnn_dataset_destroy(photographs->training);
}
