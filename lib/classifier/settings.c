/* What a classifier keeps beside its model: preprocessing, classes and threshold. */
#include <math.h>

#include "classifier/classifier_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"

cnn_status cnn_classifier_set_preprocess(cnn_classifier *classifier, const cnn_preprocess *given)
{
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    cnn_status status = cnn_options_read(&preprocess, sizeof preprocess, given, "cnn_preprocess");
    if (status)
        return status;
    for (int c = 0; c < 3; c++)
        if (!isfinite(preprocess.mean[c]) || !isfinite(preprocess.scale[c]) || preprocess.scale[c] == 0)
            return cnn_fail(CNN_ERROR_ARGUMENT,
                            "preprocessing: a mean of %g and a scale of %g are not possible: both are finite, and the "
                            "scale is not 0",
                            (double)preprocess.mean[c], (double)preprocess.scale[c]);
    if ((unsigned)preprocess.fit > CNN_FIT_LETTERBOX)
        return cnn_fail(CNN_ERROR_ARGUMENT, "preprocessing: %d is no way to fit an image", (int)preprocess.fit);
    const cnn_shape input = cnn_model_input_shape(classifier->model);
    preprocess.height = (uint32_t)input.dims[0];
    preprocess.width = (uint32_t)input.dims[1];
    classifier->preprocess = preprocess;
    return CNN_OK;
}

cnn_status cnn_classifier_set_classes(cnn_classifier *classifier, const char *const names[CNN_CLASSIFIER_CLASSES])
{
    char *copies[CNN_CLASSIFIER_CLASSES];
    for (int i = 0; i < CNN_CLASSIFIER_CLASSES; i++) {
        copies[i] = cnn_copy_text(classifier->context, names[i]);
        if (!copies[i]) {
            while (i--)
                cnn_release(classifier->context, copies[i]);
            return CNN_ERROR_OUT_OF_MEMORY;
        }
    }
    for (int i = 0; i < CNN_CLASSIFIER_CLASSES; i++) {
        cnn_release(classifier->context, classifier->class_names[i]);
        classifier->class_names[i] = copies[i];
    }
    return CNN_OK;
}

float cnn_classifier_threshold(const cnn_classifier *classifier)
{
    return classifier ? classifier->threshold : 0.5f;
}

const char *cnn_classifier_class_name(const cnn_classifier *classifier, uint32_t class_index)
{
    return classifier && class_index < CNN_CLASSIFIER_CLASSES ? classifier->class_names[class_index] : NULL;
}

const cnn_preprocess *cnn_classifier_preprocess(const cnn_classifier *classifier)
{
    return classifier ? &classifier->preprocess : NULL;
}
