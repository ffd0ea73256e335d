/* What a classifier holds beside its model, and whether it is fit for use. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "classifier/classifier_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"
#include "runtime/model_internal.h"

cnn_status cnn_classifier_check(const cnn_classifier *classifier, const char *function)
{
    return classifier ? CNN_OK : cnn_fail(CNN_ERROR_ARGUMENT, "%s: the classifier is NULL", function);
}

cnn_status cnn_classifier_check_trained(const cnn_classifier *classifier, const char *function)
{
    cnn_status status = cnn_classifier_check(classifier, function);
    if (!status && !classifier->class_names[0])
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: the classifier has not been trained", function);
    return status;
}

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

static bool has_classes(const cnn_classifier *classifier, const char *const *names)
{
    uint32_t same = 0;
    while (same < classifier->class_count && classifier->class_names[same] &&
           !strcmp(classifier->class_names[same], names[same]))
        same++;
    return same == classifier->class_count;
}

/* Names that are there already stay where they are: callers may hold them. */
cnn_status cnn_classifier_set_classes(cnn_classifier *classifier, const char *const *names)
{
    if (has_classes(classifier, names))
        return CNN_OK;
    cnn_context *context = classifier->context;
    uint32_t count = classifier->class_count, done = 0;
    char **copies = cnn_allocate_zeroed(context, count, sizeof *copies);
    while (copies && done < count && (copies[done] = cnn_copy_text(context, names[done])))
        done++;
    char **unused = done == count ? classifier->class_names : copies;
    for (uint32_t i = 0; unused && i < count; i++)
        cnn_release(context, unused[i]);
    cnn_release(context, unused);
    if (done < count)
        return CNN_ERROR_OUT_OF_MEMORY;
    classifier->class_names = copies;
    return CNN_OK;
}
