#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cnn/transfer.h>

#include "classifier/classifier_internal.h"
#include "core/cancel.h"
#include "core/context_internal.h"
#include "core/error.h"
#include "core/options.h"
#include "data/dataset_internal.h"
#include "train/head.h"

#define VALIDATION_FRACTION 0.1

/* "Bird, Cat, Dog" and so on, as far as there is room. */
static void list_classes(const cnn_dataset *dataset, char *text, size_t size)
{
    size_t used = 0;
    uint32_t count = cnn_dataset_class_count(dataset), shown = count < 8 ? count : 8;
    text[0] = 0;
    for (uint32_t i = 0; i < shown && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%.*s", i ? ", " : "",
                             cnn_quoted(cnn_dataset_class_name(dataset, i), 40), cnn_dataset_class_name(dataset, i));
    if (shown < count && used < size)
        snprintf(text + used, size - used, " and %u more", count - shown);
}

static cnn_status check_class_count(const cnn_classifier *classifier, const cnn_dataset *dataset)
{
    uint32_t count = cnn_dataset_class_count(dataset);
    if (count == classifier->class_count)
        return CNN_OK;
    char names[400];
    list_classes(dataset, names, sizeof names);
    return cnn_fail(CNN_ERROR_DATA, "the dataset has %u %s (%s); the classifier tells %u apart", count,
                    count == 1 ? "class" : "classes", names, classifier->class_count);
}

static void log_bad_file(const char *path, const char *reason, void *user)
{
    cnn_log(user, CNN_LOG_WARNING, "%s: is left out: %s", path, reason);
}

/* Broken files go, each named once in the log. */
static cnn_status verify(const cnn_classifier *classifier, cnn_dataset *dataset)
{
    if (dataset->verified)
        return CNN_OK;
    cnn_verify_options options;
    cnn_verify_options_init(&options);
    options.bad_file = log_bad_file;
    options.bad_file_user = classifier->context;
    return cnn_dataset_verify(dataset, &options, NULL);
}

/* The caller's dataset stays as it is: classes are put in order, and files left out, in a copy. */
static cnn_status prepare(const cnn_classifier *classifier, const cnn_dataset *dataset, const char *const *names,
                          cnn_dataset **copy)
{
    cnn_status status = cnn_dataset_copy(dataset, copy);
    if (!status && names)
        status = cnn_dataset_align_classes(*copy, names, classifier->class_count);
    if (!status)
        status = check_class_count(classifier, *copy);
    return status ? status : verify(classifier, *copy);
}

static cnn_status split_off_validation(cnn_dataset **training, cnn_dataset **validation, uint64_t seed)
{
    cnn_dataset *all = *training;
    *training = NULL;
    cnn_status status = cnn_dataset_split(all, VALIDATION_FRACTION, seed, training, validation);
    cnn_dataset_destroy(all);
    return status;
}

static cnn_status prepare_both(cnn_classifier *classifier, const cnn_dataset *given_training,
                               const cnn_dataset *given_validation, uint64_t seed, cnn_dataset **training,
                               cnn_dataset **validation)
{
    assert(classifier);
    /* one that was trained before, or loaded, goes on with its classes in their order */
    const char *const *known = classifier->class_names[0] ? (const char *const *)classifier->class_names : NULL;
    cnn_status status = prepare(classifier, given_training, known, training);
    if (status)
        return status;
    if (given_validation)
        return prepare(classifier, given_validation, (const char *const *)(*training)->class_names, validation);
    return split_off_validation(training, validation, seed);
}

/* Has the model say what the classifier now is. */
static cnn_status name_classes(cnn_classifier *classifier, const cnn_dataset *training)
{
    cnn_status status = cnn_classifier_set_classes(classifier, (const char *const *)training->class_names);
    return status ? status : cnn_classifier_write_metadata(classifier);
}

/* Keeps what the classifier now is, and how it became so. */
static cnn_status record(cnn_classifier *classifier, const cnn_dataset *training, const cnn_training_record *done)
{
    cnn_status status = name_classes(classifier, training);
    if (!status && cnn_history_count(done->history))
        status = cnn_classifier_write_training(classifier, done);
    return status;
}

static cnn_status calibrate(cnn_classifier *classifier, const cnn_dataset *dataset)
{
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    cnn_classifier_evaluate_options(classifier, &options);
    return cnn_calibrate(classifier->model, dataset, &options, &classifier->temperature);
}

/* What a training is to do. */
typedef struct fitting {
    bool head;         /* only what follows */
    const char *layer; /* this one */
    const char *function;
    const cnn_dataset *training, *validation; /* as given */
    const cnn_train_options *options;
} fitting;

static cnn_status train(cnn_classifier *classifier, const fitting *f, const cnn_dataset *training,
                        const cnn_dataset *validation, const cnn_train_options *options, cnn_history **history)
{
    bool at_once = f->head && !classifier->flip; /* the head's values are not of mirror images */
    float temperature = classifier->temperature;
    const cnn_head_plan plan = { f->layer, training, validation, options };
    cnn_status status =
        f->head ? cnn_train_head_calibrated(classifier->model, &plan, history, at_once ? &temperature : NULL)
                : cnn_train(classifier->model, training, validation, options, history);
    if (status && !(*history && cnn_history_count(*history)))
        return status; /* it has learned nothing */
    classifier->temperature = temperature;
    cnn_status calibrated = at_once ? CNN_OK : calibrate(classifier, validation);
    if (!status)
        status = calibrated;
    const cnn_training_record done = { options, *history, cnn_dataset_count(training), cnn_dataset_count(validation) };
    cnn_status recorded = record(classifier, training, &done);
    return status ? status : recorded;
}

static cnn_status read_options(const cnn_classifier *classifier, const cnn_train_options *given,
                               cnn_train_options *options)
{
    cnn_train_options_init(options);
    cnn_status status = cnn_options_read(options, sizeof *options, given, "cnn_train_options");
    if (!status && options->preprocess)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_fit: preprocess is given to cnn_classifier_create, not to "
                                            "a training");
    options->preprocess = &classifier->preprocess;
    return status;
}

static cnn_status fit(cnn_classifier *classifier, const fitting *f, cnn_history **result)
{
    if (result)
        *result = NULL;
    cnn_status status = cnn_classifier_check(classifier, f->function);
    if (!status && !f->training)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: the dataset is NULL", f->function);
    cnn_train_options options;
    cnn_dataset *training = NULL, *validation = NULL;
    cnn_history *history = NULL;
    cnn_work work;
    cnn_work_begin(&work, classifier ? classifier->context : NULL);
    if (!status)
        status = read_options(classifier, f->options, &options);
    if (!status)
        status = prepare_both(classifier, f->training, f->validation, options.seed, &training, &validation);
    /* The callbacks of a first training may evaluate and save the classifier, too: it knows its classes from here on,
     * unless it then learns nothing. */
    bool first = !status && !classifier->class_names[0];
    if (first)
        status = name_classes(classifier, training);
    if (!status)
        status = train(classifier, f, training, validation, &options, &history);
    if (first && status && !cnn_history_count(history))
        cnn_classifier_forget_classes(classifier);
    cnn_work_end(&work);
    cnn_dataset_destroy(validation);
    cnn_dataset_destroy(training);
    if (result)
        *result = history;
    else
        cnn_history_destroy(history);
    return status;
}

cnn_status cnn_classifier_fit_with_history(cnn_classifier *classifier, const cnn_dataset *training,
                                           const cnn_dataset *validation, const cnn_train_options *options,
                                           cnn_history **history)
{
    const fitting f = {
        .function = "cnn_classifier_fit", .training = training, .validation = validation, .options = options
    };
    return fit(classifier, &f, history);
}

cnn_status cnn_classifier_fit_head(cnn_classifier *classifier, const char *layer, const cnn_dataset *training,
                                   const cnn_dataset *validation, const cnn_train_options *options,
                                   cnn_history **history)
{
    const fitting f = { .head = true,
                        .layer = layer,
                        .function = "cnn_classifier_fit_head",
                        .training = training,
                        .validation = validation,
                        .options = options };
    return fit(classifier, &f, history);
}

cnn_status cnn_classifier_fit(cnn_classifier *classifier, const cnn_dataset *training, const cnn_dataset *validation,
                              const cnn_train_options *options)
{
    return cnn_classifier_fit_with_history(classifier, training, validation, options, NULL);
}

cnn_status cnn_classifier_evaluate(const cnn_classifier *classifier, const cnn_dataset *dataset, cnn_metrics **metrics)
{
    if (metrics)
        *metrics = NULL;
    cnn_status status = cnn_classifier_check_trained(classifier, "cnn_classifier_evaluate");
    if (status)
        return status;
    if (!dataset || !metrics)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_evaluate: NULL was given");
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    cnn_classifier_evaluate_options(classifier, &options);
    cnn_dataset *copy = NULL;
    status = prepare(classifier, dataset, (const char *const *)classifier->class_names, &copy);
    if (!status)
        status = cnn_evaluate(classifier->model, copy, &options, metrics);
    cnn_dataset_destroy(copy);
    return status;
}

cnn_status cnn_classifier_calibrate(cnn_classifier *classifier, const cnn_dataset *dataset)
{
    cnn_status status = cnn_classifier_check_trained(classifier, "cnn_classifier_calibrate");
    if (!status && !dataset)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_calibrate: the dataset is NULL");
    cnn_dataset *copy = NULL;
    if (!status)
        status = prepare(classifier, dataset, (const char *const *)classifier->class_names, &copy);
    if (!status)
        status = calibrate(classifier, copy);
    cnn_dataset_destroy(copy);
    return status ? status : cnn_classifier_write_metadata(classifier);
}
