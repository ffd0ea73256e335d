#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cnn/cnn.h>

#include "cli/context.h"
#include "cli/data.h"
#include "cli/destination.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/shipped.h"
#include "commands/commands.h"
#include "training/initial_model.h"
#include "training/train_options.h"
#include "training/training_data.h"
#include "training/transfer.h"

typedef struct training {
    train_arguments arguments;
    train_settings settings;
    progress_line progress;
    uint32_t epochs; /* those that the progress counts to */
    cnn_context *context;
    training_data photographs;
    cnn_classifier *classifier;
    transfer_training transfer;
    cnn_history *history;
} training;

static int after_step(const cnn_progress *state, void *user)
{
    training *t = user;
    cnn_progress shown = *state;
    shown.epochs += t->transfer.epochs_after;
    t->epochs = shown.epochs;
    if (state->epoch == 0)
        progress_work(&t->progress, "computing features", state->step, state->steps);
    else
        progress_training(&t->progress, &shown);
    return interrupt_asked();
}

static int after_epoch(const cnn_epoch *epoch, void *user)
{
    training *t = user;
    progress_epoch(&t->progress, epoch, t->epochs);
    return interrupt_asked();
}

static void announce(const training *t)
{
    fprintf(stderr, "training %s on %llu photographs of ",
            t->arguments.transfer.from ? t->arguments.transfer.from : t->arguments.net.name,
            (unsigned long long)cnn_dataset_count(t->photographs.training));
    data_print_classes(stderr, t->photographs.training);
    unsigned threads = cnn_context_threads(t->context);
    fprintf(stderr, ", validating on %llu; %llu weights, %u thread%s\n",
            (unsigned long long)cnn_dataset_count(t->photographs.validation),
            (unsigned long long)cnn_model_weight_count(cnn_classifier_model(t->classifier), NULL), threads,
            threads == 1 ? "" : "s");
}

static int report(const training *t)
{
    FILE *results = output_results();
    cnn_epoch best = { .struct_size = sizeof best };
    uint32_t epochs = cnn_history_count(t->history);
    if (!cnn_history_get(t->history, cnn_history_best(t->history), &best)) {
        fprintf(results, "best epoch %u of %u", best.epoch, epochs);
        if (!isnan(best.validation_accuracy))
            fprintf(results, ": validation accuracy %.2f %%, loss %.4f", 100 * best.validation_accuracy,
                    best.validation_loss);
        fputs("\n", results);
    }
    fputs("saved ", results);
    output_text(results, t->arguments.model);
    fputs("\n", results);
    return output_finish();
}

static cnn_status fit_transfer(training *t)
{
    t->transfer.arguments = &t->arguments.transfer;
    t->transfer.classifier = t->classifier;
    t->transfer.training = t->photographs.training;
    t->transfer.validation = t->photographs.validation;
    t->transfer.options = &t->settings.options;
    cnn_status status = transfer_fit(&t->transfer);
    t->history = t->transfer.history;
    return status;
}

static int has_content(const char *path)
{
    struct stat info;
    return !stat(path, &info) && S_ISREG(info.st_mode) && info.st_size;
}

/* Prints what becomes of an interrupted training. Not 0: nothing is saved, because less than an epoch of training is no
 * model. */
static int print_interruption(const training *t)
{
    const char *model = t->arguments.model;
    if (cnn_history_count(t->history)) {
        fputs("interrupted: the best epoch so far is saved\n", stderr);
        return 0;
    }
    if (has_content(model))
        output_error("interrupted before the end of the first epoch: '%s' is unchanged", model);
    else
        output_error("interrupted before the end of the first epoch; nothing was written");
    return -1;
}

/* Trains and saves. After an error the best epoch is saved, if there is a whole one. */
static int fit(training *t)
{
    cnn_train_options *options = &t->settings.options;
    options->on_step = after_step;
    options->on_epoch = after_epoch;
    options->on_step_user = options->on_epoch_user = t;
    cnn_status status = t->arguments.transfer.from
                            ? fit_transfer(t)
                            : cnn_classifier_fit_with_history(t->classifier, t->photographs.training,
                                                              t->photographs.validation, options, &t->history);
    progress_clear(&t->progress);
    if (status == CNN_ERROR_STOPPED && interrupt_asked())
        status = CNN_OK; /* print_interruption says it */
    if (status)
        output_library_error();
    if (status && (!t->history || !cnn_history_count(t->history)))
        return EXIT_FAILED;
    if (interrupt_asked() && print_interruption(t))
        return EXIT_FAILED;
    if (cnn_classifier_save(t->classifier, t->arguments.model))
        return output_library_error();
    int reported = report(t);
    return status ? EXIT_FAILED : reported;
}

static int check_files(const catdog_command *command, const train_arguments *a)
{
    const char *from = a->transfer.from ? shipped_model_unless(a->transfer.from) : NULL;
    if (a->transfer.from && !from)
        return EXIT_FAILED;
    const destination files[] = {
        { "--data", a->data.path, DESTINATION_INPUT },
        { "--val", a->validation, DESTINATION_INPUT },
        { "--net", net_is_file(a->net.name) ? a->net.name : NULL, DESTINATION_INPUT },
        { "--from", from, DESTINATION_INPUT },
        { "--model", a->model, DESTINATION_MODEL },
        { "--history", a->history, DESTINATION_HISTORY },
        { "--checkpoint", a->checkpoint, DESTINATION_CHECKPOINT },
        { 0 },
    };
    return destinations_check(command, files, a->force);
}

static int train(training *t)
{
    const train_arguments *a = &t->arguments;
    interrupt_catch();
    if (context_create(&a->resources, &t->context) ||
        training_data_open(t->context, a, &t->settings, &t->photographs) ||
        initial_model_create(t->context, a, &t->photographs, &t->classifier) ||
        training_data_prepare(t->context, a, &t->settings, &t->progress, &t->photographs))
        return EXIT_FAILED;
    announce(t);
    return fit(t);
}

static int run(const catdog_command *command, int argc, char **argv)
{
    training t = { 0 };
    int parsed = train_options_parse(command, argc, argv, &t.arguments, &t.settings);
    if (parsed != PARSED)
        return parsed;
    int wrong = check_files(command, &t.arguments);
    if (wrong)
        return wrong;
    progress_init(&t.progress);
    int result = train(&t);
    cnn_history_destroy(t.history);
    cnn_classifier_destroy(t.classifier);
    training_data_release(&t.photographs);
    cnn_context_destroy(t.context);
    return result;
}

const catdog_command train_command = {
    "train",
    "train a model on photographs of two or more classes",
    "--data PATH --model FILE [OPTION]...",
    "Trains a model on labelled photographs of two or more classes, and writes a model file.\n\n"
    "  catdog train --data PetImages --model pets.safetensors\n"
    "  catdog train --data photos.zip --val 0.2 --model pets.safetensors --epochs 40\n"
    "  catdog train --data train.csv --val test.csv --model pets.safetensors --net two_conv\n"
    "  catdog train --data PetImages --model pets.safetensors --checkpoint pets.state --resume\n\n"
    "The data may be a folder of class folders; a folder with such folders named train, valid and\n"
    "test; a folder of files named after their class (cat.0.jpg, great_dane_3.jpg); a zip of any\n"
    "of these; or a CSV file with the columns path and label, and optionally split.\n\n"
    "The model is validated after each epoch on the photographs of --val. Without --val, the\n"
    "validation part of the data is used, or the test part if there is none, or a tenth of the\n"
    "photographs. Broken files are reported and left out.\n\n"
    "The model of the epoch with the highest validation accuracy is written. Ctrl-C stops after\n"
    "the current step and writes the best model so far; during the first epoch there is none yet,\n"
    "and nothing is written. A second Ctrl-C stops at once.\n\n"
    "--augment takes a list of these changes: flip, vertical_flip, rotation, zoom, shift, shear,\n"
    "brightness, contrast, saturation, crop, aspect, erase. All but the first two may have a value,\n"
    "as in rotation=15 (up to 15 degrees), zoom=0.15 (up to 15 %) or crop=0.5 (at least half of the\n"
    "area). 'catdog augment-preview' draws what they do.\n",
    run,
};
