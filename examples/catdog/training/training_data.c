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

int training_data_open(cnn_context *context, const train_arguments *arguments, const train_settings *settings,
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

int training_data_prepare(cnn_context *context, const train_arguments *arguments, const train_settings *settings,
                          progress_line *progress, training_data *photographs)
{
    if (leave_out_bad(arguments, settings, progress, photographs) ||
        duplicates_tell_leak(photographs->training, photographs->validation, "photographs to validate on",
                             "the validation accuracy will be too good") ||
        tell_leak_of_test(context, arguments, photographs))
        return EXIT_FAILED;
    return EXIT_DONE;
}

void training_data_release(training_data *photographs)
{
    cnn_dataset_destroy(photographs->validation);
    cnn_dataset_destroy(photographs->training);
}
