#include "classifier/classifier_internal.h"
#include "core/context_internal.h"
#include "core/error.h"

cnn_status cnn_classifier_save(const cnn_classifier *classifier, const char *path)
{
    cnn_status status = cnn_classifier_check_trained(classifier, "cnn_classifier_save");
    return status ? status : cnn_model_save(classifier->model, path);
}

cnn_status cnn_classifier_load(cnn_context *context, const char *path, cnn_classifier **result)
{
    if (!path || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_load: NULL was given");
    *result = NULL;
    cnn_model *model = NULL;
    cnn_classifier *classifier = NULL;
    context = cnn_context_or_default(context);
    cnn_status status = context ? cnn_model_load(context, path, &model) : CNN_ERROR_OUT_OF_MEMORY;
    if (status)
        return status;
    status = cnn_classifier_wrap(context, model, &classifier);
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
