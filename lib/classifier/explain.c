/* Predictions with heat maps. */
#include <cnn/explain.h>

#include "classifier/classifier_internal.h"
#include "core/error.h"
#include "image/decode.h"

static cnn_status start(const cnn_classifier *classifier, const void *image, const cnn_prediction *prediction,
                        cnn_tensor **map, const char *function)
{
    if (map)
        *map = NULL;
    cnn_status status = cnn_classifier_check_trained(classifier, function);
    if (!status && (!image || !prediction || !map))
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: NULL was given", function);
    return status;
}

static cnn_status make_map(const cnn_classifier *classifier, const cnn_tensor *pixels, int32_t class_index,
                           cnn_tensor **map)
{
    const int64_t dims[] = { 1, classifier->preprocess.height, classifier->preprocess.width, 3 };
    cnn_tensor *input = NULL;
    cnn_status status = cnn_tensor_create(classifier->context, CNN_FLOAT32, 4, dims, &input);
    if (!status)
        status = cnn_classifier_prepare(classifier, pixels, cnn_tensor_data(input));
    if (!status)
        status = cnn_model_heat_map(classifier->model, input, class_index, map);
    cnn_tensor_destroy(input);
    return status;
}

cnn_status cnn_classifier_explain_pixels(const cnn_classifier *classifier, const cnn_tensor *pixels,
                                         int32_t class_index, cnn_prediction *prediction, cnn_tensor **map)
{
    cnn_status status = start(classifier, pixels, prediction, map, "cnn_classifier_explain_pixels");
    if (!status)
        status = cnn_classifier_predict_pixels(classifier, pixels, prediction);
    if (status)
        return status;
    return make_map(classifier, pixels, class_index == -1 ? prediction->class_index : class_index, map);
}

static cnn_status finish(const cnn_classifier *classifier, cnn_status status, cnn_tensor *pixels, int32_t class_index,
                         cnn_prediction *prediction, cnn_tensor **map)
{
    if (status) /* nothing was decoded */
        return cnn_classifier_finish_prediction(classifier, status, NULL, prediction);
    status = cnn_classifier_explain_pixels(classifier, pixels, class_index, prediction, map);
    cnn_tensor_destroy(pixels);
    return status;
}

cnn_status cnn_classifier_explain_file(const cnn_classifier *classifier, const char *path, int32_t class_index,
                                       cnn_prediction *prediction, cnn_tensor **map)
{
    cnn_status status = start(classifier, path, prediction, map, "cnn_classifier_explain_file");
    if (status)
        return status;
    const cnn_image_options options = cnn_classifier_image_options(classifier);
    cnn_tensor *pixels = NULL;
    status = cnn_image_load_to_fit(classifier->context, path, &options, (int)classifier->preprocess.fit, &pixels);
    return finish(classifier, status, pixels, class_index, prediction, map);
}

cnn_status cnn_classifier_explain_memory(const cnn_classifier *classifier, const void *bytes, size_t size,
                                         int32_t class_index, cnn_prediction *prediction, cnn_tensor **map)
{
    cnn_status status = start(classifier, bytes, prediction, map, "cnn_classifier_explain_memory");
    if (status)
        return status;
    const cnn_image_options options = cnn_classifier_image_options(classifier);
    cnn_tensor *pixels = NULL;
    status = cnn_image_decode_to_fit(classifier->context, &(cnn_image_file){ bytes, size, NULL }, &options,
                                     (int)classifier->preprocess.fit, &pixels);
    return finish(classifier, status, pixels, class_index, prediction, map);
}
