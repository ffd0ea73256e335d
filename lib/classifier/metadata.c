/* What a classifier keeps in its model's metadata, as JSON: docs/model-file.md. */
#include <math.h>
#include <string.h>

#include "classifier/classifier_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "formats/json.h"
#include "optim/optimizer_internal.h"
#include "runtime/model_internal.h"

#define KEY_PREPROCESS CNN_METADATA_PREPROCESS
#define KEY_CLASSES "cnn.classes"
#define KEY_THRESHOLD "cnn.threshold"
#define KEY_TEMPERATURE "cnn.temperature"
#define KEY_FLIP "cnn.flip"
#define KEY_TRAINING "cnn.training"

static const char *const fit_names[] = { "stretch", "crop", "letterbox" };
enum { FIT_COUNT = sizeof fit_names / sizeof *fit_names };

/* Takes `value` over, which may be NULL. */
static cnn_status set_metadata(cnn_classifier *classifier, const char *key, json_t *value)
{
    if (!value)
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: the classifier's %s can't be written", key);
    char *text;
    cnn_status status = cnn_json_print(classifier->context, value, CNN_JSON_FLOATS, &text, NULL);
    json_decref(value);
    if (status)
        return status;
    status = cnn_model_set_metadata(classifier->model, key, text);
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

static json_t *classes_to_json(const cnn_classifier *classifier)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < classifier->class_count; i++)
        if (json_array_append_new(list, json_string(classifier->class_names[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* What is so without being said is left out. */
static cnn_status set_or_remove(cnn_classifier *classifier, const char *key, bool wanted, json_t *value)
{
    if (wanted)
        return set_metadata(classifier, key, value);
    json_decref(value);
    return cnn_model_set_metadata(classifier->model, key, NULL);
}

cnn_status cnn_classifier_write_metadata(cnn_classifier *classifier)
{
    cnn_status status = set_metadata(classifier, KEY_PREPROCESS, preprocess_to_json(&classifier->preprocess));
    if (!status)
        status = set_metadata(classifier, KEY_THRESHOLD, cnn_json_number(classifier->threshold));
    if (!status)
        status = set_or_remove(classifier, KEY_TEMPERATURE, classifier->temperature != 1,
                               cnn_json_number(classifier->temperature));
    if (!status)
        status = set_or_remove(classifier, KEY_FLIP, classifier->flip, json_true());
    if (!status && classifier->class_names[0])
        status = set_metadata(classifier, KEY_CLASSES, classes_to_json(classifier));
    return status;
}

void cnn_classifier_forget_classes(cnn_classifier *classifier)
{
    for (uint32_t i = 0; i < classifier->class_count; i++) {
        cnn_release(classifier->context, classifier->class_names[i]);
        classifier->class_names[i] = NULL;
    }
    (void)cnn_model_set_metadata(classifier->model, KEY_CLASSES, NULL); /* removing one can't fail */
}

/* Left out if it isn't finite: there was no validation data. */
static int add_number(json_t *object, const char *key, double value)
{
    return isfinite(value) ? json_object_set_new(object, key, json_real(value)) : 0;
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
    json_t *object =
        json_pack("{s:I, s:I, s:I, s:s, s:s, s:o, s:I, s:I, s:I}", "epochs", (json_int_t)epochs, "best_epoch",
                  (json_int_t)epoch.epoch, "seed", (json_int_t)options->seed, "optimizer",
                  cnn_optimizer_kind_name(optimizer->kind), "schedule", cnn_schedule_kind_name(schedule->kind),
                  "learning_rate", cnn_json_number(optimizer->learning_rate), "batch_size",
                  (json_int_t)(options->batch_size ? options->batch_size : 32), "images", (json_int_t)record->images,
                  "validation_images", (json_int_t)record->validation_images);
    if (add_number(object, "loss", epoch.loss) || add_number(object, "accuracy", epoch.accuracy) ||
        add_number(object, "validation_loss", epoch.validation_loss) ||
        add_number(object, "validation_accuracy", epoch.validation_accuracy) ||
        add_number(object, "seconds", seconds)) {
        json_decref(object);
        return NULL;
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
    return status ? status : set_metadata(classifier, KEY_TRAINING, training_to_json(record, &optimizer, &schedule));
}

/* The caller owns `*value`; a key that is not there gives NULL. */
static cnn_status parse_metadata(const cnn_classifier *classifier, const char *path, const char *key, json_t **value)
{
    const char *text = cnn_model_metadata(classifier->model, key);
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
    uint32_t count = classifier->class_count;
    const char **names = cnn_allocate_zeroed(classifier->context, count, sizeof *names);
    if (!names)
        return CNN_ERROR_OUT_OF_MEMORY;
    bool sound = json_array_size(value) == count;
    for (uint32_t i = 0; i < count && sound; i++)
        sound = (names[i] = json_string_value(json_array_get(value, i))) != NULL;
    cnn_status status =
        sound ? cnn_classifier_set_classes(classifier, names)
              : cnn_fail(CNN_ERROR_FORMAT, "%s: " KEY_CLASSES " is no list of %u class names", path, count);
    cnn_release(classifier->context, names);
    return status;
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

static cnn_status read_temperature(cnn_classifier *classifier, const char *path, const json_t *value)
{
    float temperature;
    if (!value)
        return CNN_OK;
    if (!cnn_json_float(value, &temperature) || !(temperature > 0))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: " KEY_TEMPERATURE " is no number above 0", path);
    classifier->temperature = temperature;
    return CNN_OK;
}

static cnn_status read_flip(cnn_classifier *classifier, const char *path, const json_t *value)
{
    if (value && !json_is_boolean(value))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: " KEY_FLIP " is neither true nor false", path);
    classifier->flip = json_is_true(value);
    return CNN_OK;
}

cnn_status cnn_classifier_read_metadata(cnn_classifier *classifier, const char *path)
{
    static const struct {
        const char *key;
        cnn_status (*read)(cnn_classifier *classifier, const char *path, const json_t *value);
        bool needed;
    } keys[] = { { KEY_PREPROCESS, read_preprocess, true },
                 { KEY_CLASSES, read_classes, true },
                 { KEY_THRESHOLD, read_threshold, false },
                 { KEY_TEMPERATURE, read_temperature, false },
                 { KEY_FLIP, read_flip, false } };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *value;
        cnn_status status = parse_metadata(classifier, path, keys[i].key, &value);
        if (!status && !value && keys[i].needed)
            status = cnn_fail(CNN_ERROR_FORMAT, "%s: is a model, but no trained classifier: %s is missing", path,
                              keys[i].key);
        if (!status)
            status = keys[i].read(classifier, path, value);
        json_decref(value);
        if (status)
            return status;
    }
    return CNN_OK;
}
