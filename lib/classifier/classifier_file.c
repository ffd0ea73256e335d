#include "classifier/classifier_internal.h"
#include "core/context_internal.h"
#include "core/error.h"
#include "core/file_callbacks.h"

cnn_status cnn_classifier_save(const cnn_classifier *classifier, const char *path)
{
    cnn_status status = cnn_classifier_check_trained(classifier, "cnn_classifier_save");
    return status ? status : cnn_model_save(classifier->model, path);
}

cnn_status cnn_classifier_save_to_memory(const cnn_classifier *classifier, void **bytes, size_t *size)
{
    if (bytes)
        *bytes = NULL;
    if (size)
        *size = 0;
    cnn_status status = cnn_classifier_check_trained(classifier, "cnn_classifier_save_to_memory");
    return status ? status : cnn_model_save_to_memory(classifier->model, CNN_FLOAT32, bytes, size);
}

cnn_status cnn_classifier_save_to_callbacks(const cnn_classifier *classifier, const cnn_file_callbacks *callbacks)
{
    cnn_status status = cnn_classifier_check_trained(classifier, "cnn_classifier_save_to_callbacks");
    return status ? status : cnn_model_save_to_callbacks(classifier->model, CNN_FLOAT32, callbacks);
}

/* Makes a classifier of a model, which it takes over. */
static cnn_status wrap(cnn_context *context, cnn_model *model, const char *path, cnn_classifier **result)
{
    cnn_classifier *classifier = NULL;
    cnn_status status = cnn_classifier_wrap(context, model, &classifier);
    if (status) {
        cnn_model_destroy(model);
        return cnn_fail(status, "%s: %s", path, cnn_last_error());
    }
    status = cnn_classifier_read_metadata(classifier, path);
    if (status)
        cnn_classifier_destroy(classifier);
    else
        *result = classifier;
    return status;
}

cnn_status cnn_classifier_load(cnn_context *context, const char *path, cnn_classifier **result)
{
    if (result)
        *result = NULL;
    if (!path || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_load: NULL was given");
    cnn_model *model = NULL;
    context = cnn_context_or_default(context);
    cnn_status status = context ? cnn_model_load(context, path, &model) : CNN_ERROR_OUT_OF_MEMORY;
    return status ? status : wrap(context, model, path, result);
}

cnn_status cnn_classifier_load_from_memory(cnn_context *context, const void *bytes, size_t size,
                                           cnn_classifier **result)
{
    if (result)
        *result = NULL;
    if (!bytes || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_load_from_memory: NULL was given");
    cnn_model *model = NULL;
    context = cnn_context_or_default(context);
    cnn_status status = context ? cnn_model_load_from_memory(context, bytes, size, &model) : CNN_ERROR_OUT_OF_MEMORY;
    return status ? status : wrap(context, model, "the classifier in memory", result);
}

cnn_status cnn_classifier_load_from_callbacks(cnn_context *context, const cnn_file_callbacks *given,
                                              cnn_classifier **result)
{
    if (result)
        *result = NULL;
    if (!given || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_load_from_callbacks: NULL was given");
    cnn_model *model = NULL;
    cnn_file_callbacks callbacks;
    cnn_status status = cnn_file_callbacks_read(given, &callbacks);
    context = cnn_context_or_default(context);
    if (!status)
        status = context ? cnn_model_load_from_callbacks(context, &callbacks, &model) : CNN_ERROR_OUT_OF_MEMORY;
    return status ? status : wrap(context, model, callbacks.name, result);
}
