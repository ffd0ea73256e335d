/* What can be changed of a classifier once it is made. It is saved with it. */
#include "classifier/classifier_internal.h"
#include "core/error.h"

cnn_status cnn_classifier_set_threshold(cnn_classifier *classifier, float threshold)
{
    cnn_status status = cnn_classifier_check(classifier, "cnn_classifier_set_threshold");
    if (status)
        return status;
    if (!(threshold >= 0 && threshold <= 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_set_threshold: %g is not between 0 and 1",
                        (double)threshold);
    classifier->threshold = threshold;
    return cnn_classifier_write_notes(classifier);
}

cnn_status cnn_classifier_set_flip(cnn_classifier *classifier, uint32_t flip)
{
    cnn_status status = cnn_classifier_check(classifier, "cnn_classifier_set_flip");
    if (status)
        return status;
    classifier->flip = flip != 0;
    return cnn_classifier_write_notes(classifier);
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
    return cnn_classifier_write_notes(classifier);
}
