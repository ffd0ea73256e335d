/* Fitting a photograph of any shape to a network's input, and the public functions that do. */
#include <math.h>

#include "core/error.h"
#include "core/options.h"
#include "core/tensor_internal.h"
#include "image/warp.h"

static cnn_status check_shape(uint32_t width, uint32_t height, cnn_fit fit)
{
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
        return cnn_fail(CNN_ERROR_ARGUMENT, "an image can't be resized to %u×%u pixels", width, height);
    if (fit != CNN_FIT_STRETCH && fit != CNN_FIT_CROP && fit != CNN_FIT_LETTERBOX)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%d is no cnn_fit", (int)fit);
    return CNN_OK;
}

cnn_status cnn_preprocess_read(const cnn_preprocess *given, cnn_preprocess *preprocess)
{
    if (!given)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_preprocess: the network's input size is needed: NULL was given");
    cnn_preprocess_init(preprocess);
    cnn_status status = cnn_options_read(preprocess, sizeof *preprocess, given, "cnn_preprocess");
    if (status)
        return status;
    for (int channel = 0; channel < 3; channel++)
        if (!isfinite(preprocess->mean[channel]) || !isfinite(preprocess->scale[channel]))
            return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_preprocess: mean and scale must be finite");
    return check_shape(preprocess->width, preprocess->height, preprocess->fit);
}

cnn_status cnn_photo_open(const cnn_tensor *pixels, const char *function, cnn_photo *photo)
{
    char text[160];
    if (!pixels)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: pixels must not be NULL", function);
    if (pixels->dtype != CNN_UINT8 || pixels->rank != 3 || pixels->dims[2] != 3 || pixels->count == 0)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: pixels must be height×width×3 of CNN_UINT8, not %s", function,
                        cnn_tensor_text(pixels, text, sizeof text));
    *photo = (cnn_photo){ .bytes = pixels->data, .width = pixels->dims[1], .height = pixels->dims[0] };
    return CNN_OK;
}

cnn_affine cnn_fit_affine(cnn_fit fit, const cnn_photo *photo, uint32_t width, uint32_t height)
{
    double source_width = (double)photo->width, source_height = (double)photo->height;
    double across = source_width / width, down = source_height / height;
    if (fit == CNN_FIT_STRETCH)
        return (cnn_affine){ .xx = across, .yy = down };
    if (fit == CNN_FIT_CROP) {
        double step = fmin(across, down);
        return (cnn_affine){
            .xx = step, .x0 = (source_width - step * width) / 2, .yy = step, .y0 = (source_height - step * height) / 2
        };
    }
    /* the photograph takes whole pixels of the output */
    double step = fmax(across, down);
    double shown_width = fmax(1, rint(source_width / step)), shown_height = fmax(1, rint(source_height / step));
    double left = floor((width - shown_width) / 2), top = floor((height - shown_height) / 2);
    across = source_width / shown_width;
    down = source_height / shown_height;
    return (cnn_affine){ .xx = across, .x0 = -left * across, .yy = down, .y0 = -top * down };
}

cnn_status cnn_image_preprocess(cnn_context *context, const cnn_tensor *pixels, const cnn_preprocess *given,
                                float *output)
{
    cnn_photo photo = { 0 };
    cnn_preprocess preprocess = { 0 };
    cnn_status status = cnn_photo_open(pixels, "cnn_image_preprocess", &photo);
    if (!status)
        status = cnn_preprocess_read(given, &preprocess);
    if (status)
        return status;
    if (!output)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_image_preprocess: output must not be NULL");
    cnn_warp_target target = { .width = preprocess.width, .height = preprocess.height, .floats = output };
    for (int channel = 0; channel < 3; channel++) {
        target.mean[channel] = preprocess.mean[channel];
        target.scale[channel] = preprocess.scale[channel];
    }
    cnn_affine affine = cnn_fit_affine(preprocess.fit, &photo, preprocess.width, preprocess.height);
    return cnn_resample(context, &photo, &affine, cnn_fit_border(preprocess.fit), &target);
}

cnn_status cnn_image_resize(cnn_context *context, const cnn_tensor *pixels, uint32_t width, uint32_t height,
                            cnn_fit fit, cnn_tensor **resized)
{
    if (!resized)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_image_resize: resized must not be NULL");
    *resized = NULL;
    cnn_photo photo = { 0 };
    cnn_status status = cnn_photo_open(pixels, "cnn_image_resize", &photo);
    if (!status)
        status = check_shape(width, height, fit);
    cnn_tensor *result = NULL;
    if (!status)
        status = cnn_tensor_create(context, CNN_UINT8, 3, (int64_t[]){ height, width, 3 }, &result);
    if (status)
        return status;
    cnn_warp_target target = {
        .width = width, .height = height, .scale = { 1, 1, 1 }, .bytes = cnn_tensor_data(result)
    };
    cnn_affine affine = cnn_fit_affine(fit, &photo, width, height);
    status = cnn_resample(context, &photo, &affine, cnn_fit_border(fit), &target);
    if (status) {
        cnn_tensor_destroy(result);
        return status;
    }
    *resized = result;
    return CNN_OK;
}
