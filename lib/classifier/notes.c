/* What a classifier keeps in its model's notes, as JSON: docs/model-file.md. */
#include <math.h>
#include <string.h>

#include "classifier/classifier_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "io/json.h"
#include "optim/optimizer_internal.h"

#define KEY_PREPROCESS CNN_NOTE_PREPROCESS
#define KEY_CLASSES "cnn.classes"
#define KEY_THRESHOLD "cnn.threshold"
#define KEY_TRAINING "cnn.training"

static const char *const fit_names[] = { "stretch", "crop", "letterbox" };
enum { FIT_COUNT = sizeof fit_names / sizeof *fit_names };

static const char *const optimizer_names[] = { "adam", "adamw", "sgd", "rmsprop", "sgdw" };
static const char *const schedule_names[] = { "constant", "step", "exponential", "cosine", "one_cycle", "plateau" };

/* Takes `value` over, which may be NULL. */
static cnn_status set_note(cnn_classifier *classifier, const char *key, json_t *value)
{
    if (!value)
        return cnn_fail(CNN_ERROR_ARGUMENT, "classifier: %s can't be written: a text is not UTF-8", key);
    char *text;
    cnn_status status = cnn_json_print(classifier->context, value, CNN_JSON_FLOATS, &text, NULL);
    json_decref(value);
    if (status)
        return status;
    status = cnn_model_set_note(classifier->model, key, text);
    cnn_release(classifier->context, text);
    return status;
}

static json_t *three_numbers(const float numbers[3])
{
    return json_pack("[o, o, o]", cnn_json_number(numbers[0]), cnn_json_number(numbers[1]),
                     cnn_json_number(numbers[2]));
}

static json_t *preprocess_to_json(const cnn_preprocess *preprocess)
{
    return json_pack("{s:I, s:I, s:s, s:o, s:o}", "width", (json_int_t)preprocess->width, "height",
                     (json_int_t)preprocess->height, "fit", fit_names[preprocess->fit], "mean",
                     three_numbers(preprocess->mean), "scale", three_numbers(preprocess->scale));
}

cnn_status cnn_classifier_write_notes(cnn_classifier *classifier)
{
    char *const *names = classifier->class_names;
    cnn_status status = set_note(classifier, KEY_PREPROCESS, preprocess_to_json(&classifier->preprocess));
    if (!status)
        status = set_note(classifier, KEY_THRESHOLD, cnn_json_number(classifier->threshold));
    if (!status && names[0])
        status = set_note(classifier, KEY_CLASSES, json_pack("[s, s]", names[0], names[1]));
    return status;
}

/* Left out if it isn't finite: there was no validation data. */
static void add_number(json_t *object, const char *key, double value)
{
    if (isfinite(value))
        json_object_set_new(object, key, json_real(value));
}

static json_t *training_to_json(const cnn_training_record *record, const cnn_optimizer_options *optimizer,
                                const cnn_schedule *schedule)
{
    const cnn_train_options *options = record->options;
    uint32_t best = cnn_history_best(record->history), epochs = cnn_history_count(record->history);
    cnn_epoch epoch = { .struct_size = sizeof epoch };
    double seconds = 0;
    for (uint32_t i = 0; i < epochs; i++)
        if (!cnn_history_get(record->history, i, &epoch))
            seconds += epoch.seconds;
    cnn_history_get(record->history, best, &epoch);
    json_t *object = json_pack("{s:I, s:I, s:I, s:s, s:s, s:o, s:I, s:I, s:I}", "epochs", (json_int_t)epochs,
                               "best_epoch", (json_int_t)epoch.epoch, "seed", (json_int_t)options->seed, "optimizer",
                               optimizer_names[optimizer->kind], "schedule", schedule_names[schedule->kind],
                               "learning_rate", cnn_json_number(optimizer->learning_rate), "batch_size",
                               (json_int_t)(options->batch_size ? options->batch_size : 32), "images",
                               (json_int_t)record->images, "validation_images", (json_int_t)record->validation_images);
    if (object) {
        add_number(object, "loss", epoch.loss);
        add_number(object, "accuracy", epoch.accuracy);
        add_number(object, "validation_loss", epoch.validation_loss);
        add_number(object, "validation_accuracy", epoch.validation_accuracy);
        add_number(object, "seconds", seconds);
    }
    return object;
}

cnn_status cnn_classifier_write_training(cnn_classifier *classifier, const cnn_training_record *record)
{
    cnn_optimizer_options optimizer;
    cnn_schedule schedule;
    cnn_status status = cnn_optimizer_options_resolve(record->options->optimizer, &optimizer);
    if (!status)
        status = cnn_schedule_resolve(record->options->schedule, &schedule);
    return status ? status : set_note(classifier, KEY_TRAINING, training_to_json(record, &optimizer, &schedule));
}

/* The caller owns `*value`; a note that is not there gives NULL. */
static cnn_status parse_note(const cnn_classifier *classifier, const char *path, const char *key, json_t **value)
{
    const char *text = cnn_model_note(classifier->model, key);
    *value = NULL;
    cnn_status status = text ? cnn_json_parse(key, text, strlen(text), value) : CNN_OK;
    return status ? cnn_fail(status, "%s: %s", path, cnn_last_error()) : CNN_OK;
}

static bool read_three(const json_t *list, float numbers[3])
{
    for (size_t i = 0; i < 3; i++)
        if (!cnn_json_float(json_array_get(list, i), &numbers[i]))
            return false;
    return json_array_size(list) == 3;
}

static bool read_fit(const json_t *name, cnn_fit *fit)
{
    for (int i = 0; i < FIT_COUNT; i++)
        if (json_is_string(name) && !strcmp(json_string_value(name), fit_names[i])) {
            *fit = (cnn_fit)i;
            return true;
        }
    return false;
}

/* How images are prepared, but for their size. */
static cnn_status read_preparation(cnn_classifier *classifier, const char *path, const json_t *value)
{
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    if (!read_three(json_object_get(value, "mean"), preprocess.mean) ||
        !read_three(json_object_get(value, "scale"), preprocess.scale) ||
        !read_fit(json_object_get(value, "fit"), &preprocess.fit))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: " KEY_PREPROCESS " lacks a sound mean, scale or fit", path);
    cnn_status status = cnn_classifier_set_preprocess(classifier, &preprocess);
    return status ? cnn_fail(CNN_ERROR_FORMAT, "%s: %s", path, cnn_last_error()) : CNN_OK;
}

static cnn_status read_preprocess(cnn_classifier *classifier, const char *path, const json_t *value)
{
    cnn_status status = read_preparation(classifier, path, value);
    const cnn_shape input = cnn_model_input_shape(classifier->model);
    if (status)
        return status;
    if (json_integer_value(json_object_get(value, "height")) != input.dims[0] ||
        json_integer_value(json_object_get(value, "width")) != input.dims[1])
        return cnn_fail(CNN_ERROR_FORMAT,
                        "%s: width and height in " KEY_PREPROCESS " are not those of the graph's input", path);
    return CNN_OK;
}

cnn_status cnn_classifier_read_preprocess(cnn_classifier *classifier, const char *text)
{
    json_t *value;
    cnn_status status = text ? cnn_json_parse(KEY_PREPROCESS, text, strlen(text), &value) : CNN_OK;
    if (status || !text)
        return status;
    status = read_preparation(classifier, "the pretrained model", value);
    json_decref(value);
    return status;
}

static cnn_status read_classes(cnn_classifier *classifier, const char *path, const json_t *value)
{
    const char *names[CNN_CLASSIFIER_CLASSES];
    for (size_t i = 0; i < CNN_CLASSIFIER_CLASSES; i++)
        names[i] = json_string_value(json_array_get(value, i));
    if (json_array_size(value) != CNN_CLASSIFIER_CLASSES || !names[0] || !names[1])
        return cnn_fail(CNN_ERROR_FORMAT, "%s: " KEY_CLASSES " is no list of two class names", path);
    return cnn_classifier_set_classes(classifier, names);
}

static cnn_status read_threshold(cnn_classifier *classifier, const char *path, const json_t *value)
{
    float threshold;
    if (!value)
        return CNN_OK;
    if (!cnn_json_float(value, &threshold) || threshold < 0 || threshold > 1)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: " KEY_THRESHOLD " is no number between 0 and 1", path);
    classifier->threshold = threshold;
    return CNN_OK;
}

cnn_status cnn_classifier_read_notes(cnn_classifier *classifier, const char *path)
{
    static const struct {
        const char *key;
        cnn_status (*read)(cnn_classifier *classifier, const char *path, const json_t *value);
        bool needed;
    } notes[] = { { KEY_PREPROCESS, read_preprocess, true },
                  { KEY_CLASSES, read_classes, true },
                  { KEY_THRESHOLD, read_threshold, false } };
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        json_t *value;
        cnn_status status = parse_note(classifier, path, notes[i].key, &value);
        if (!status && !value && notes[i].needed)
            status = cnn_fail(CNN_ERROR_FORMAT, "%s: is a model, but no trained classifier: %s is missing", path,
                              notes[i].key);
        if (!status)
            status = notes[i].read(classifier, path, value);
        json_decref(value);
        if (status)
            return status;
    }
    return CNN_OK;
}
