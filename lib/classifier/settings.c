/* What a user sets and asks of a classifier: threshold, flip, size, and what it was made with. */
#include "classifier/classifier_internal.h"
#include "core/error.h"
#include "runtime/model_internal.h"

cnn_status cnn_classifier_set_threshold(cnn_classifier *classifier, float threshold)
{
    cnn_status status = cnn_classifier_check(classifier, "cnn_classifier_set_threshold");
    if (status)
        return status;
    if (!(threshold >= 0 && threshold <= 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_set_threshold: %g is not between 0 and 1",
                        (double)threshold);
    classifier->threshold = threshold;
    return cnn_classifier_write_metadata(classifier);
}

cnn_status cnn_classifier_set_flip(cnn_classifier *classifier, uint32_t flip)
{
    cnn_status status = cnn_classifier_check(classifier, "cnn_classifier_set_flip");
    if (status)
        return status;
    classifier->flip = flip != 0;
    return cnn_classifier_write_metadata(classifier);
}

cnn_status cnn_classifier_resize(cnn_classifier *classifier, uint32_t height, uint32_t width)
{
    cnn_status status = cnn_classifier_check(classifier, "cnn_classifier_resize");
    if (!status)
        status = cnn_model_resize(classifier->model, height, width);
    if (status)
        return status;
    classifier->preprocess.height = height;
    classifier->preprocess.width = width;
    return cnn_classifier_write_metadata(classifier);
}

uint32_t cnn_classifier_flip(const cnn_classifier *classifier)
{
    return classifier && classifier->flip;
}

float cnn_classifier_temperature(const cnn_classifier *classifier)
{
    return classifier ? classifier->temperature : 1;
}

void cnn_classifier_evaluate_options(const cnn_classifier *classifier, cnn_evaluate_options *options)
{
    if (!classifier || !options)
        return;
    options->preprocess = &classifier->preprocess;
    options->threshold = classifier->threshold;
    options->flip = classifier->flip;
    options->temperature = classifier->temperature;
}

float cnn_classifier_threshold(const cnn_classifier *classifier)
{
    return classifier ? classifier->threshold : 0.5f;
}

uint32_t cnn_classifier_class_count(const cnn_classifier *classifier)
{
    return classifier ? classifier->class_count : 0;
}

const char *cnn_classifier_class_name(const cnn_classifier *classifier, uint32_t class_index)
{
    return classifier && class_index < classifier->class_count ? classifier->class_names[class_index] : NULL;
}

const cnn_preprocess *cnn_classifier_preprocess(const cnn_classifier *classifier)
{
    return classifier ? &classifier->preprocess : NULL;
}

cnn_model *cnn_classifier_model(cnn_classifier *classifier)
{
    return classifier ? classifier->model : NULL;
}
