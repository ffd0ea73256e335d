#include "trial.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../unit/scratch.h"
#include "runtime/model_internal.h"

bool trial_fail(case_trial *trial, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(trial->why, trial->why_size, format, arguments);
    va_end(arguments);
    return false;
}

bool trial_ok(case_trial *trial, cnn_status status, const char *what)
{
    return status ? trial_fail(trial, "%s: %s: %s", what, cnn_status_name(status), cnn_last_error()) : true;
}

/* The weights of a quantised model lie in no graph: its copy goes by way of a file. */
static cnn_model *clone_quantized(case_trial *trial, const cnn_model *model, cnn_context *context)
{
    const char *path = scratch_path(trial->folder, "clone");
    cnn_model *clone;
    if (!trial_ok(trial, cnn_model_save(model, path), "cnn_model_save") ||
        !trial_ok(trial, cnn_model_load(context, path, &clone), "cnn_model_load"))
        return NULL;
    return clone;
}

cnn_model *trial_clone(case_trial *trial, const cnn_model *model, cnn_context *context)
{
    cnn_model *clone;
    int32_t copied;
    if (cnn_model_is_quantized(model))
        return clone_quantized(trial, model, context);
    if (!trial_ok(trial, cnn_model_create_blank(context, cnn_model_graph(model), &clone), "a copy of the graph") ||
        !trial_ok(trial, cnn_model_copy_weights(clone, model, &copied), "cnn_model_copy_weights"))
        return NULL;
    if (copied != cnn_model_parameter_count(model)) {
        trial_fail(trial, "cnn_model_copy_weights copied %d of %d", (int)copied, (int)cnn_model_parameter_count(model));
        return NULL;
    }
    return clone;
}

static int64_t image_size(const cnn_tensor *tensor)
{
    int64_t size = 1;
    for (int32_t i = 1; i < cnn_tensor_rank(tensor); i++)
        size *= cnn_tensor_dim(tensor, i);
    return size;
}

static cnn_status wrap_images(case_trial *trial, int64_t first, int64_t count, cnn_tensor **part)
{
    int64_t dims[CNN_MAX_RANK] = { count };
    for (int32_t i = 1; i < cnn_tensor_rank(trial->images); i++)
        dims[i] = cnn_tensor_dim(trial->images, i);
    return cnn_tensor_wrap(trial->plain, CNN_FLOAT32, cnn_tensor_rank(trial->images), dims,
                           (float *)cnn_tensor_data(trial->images) + first * image_size(trial->images), part);
}

cnn_tensor *trial_predict(case_trial *trial, const cnn_model *model, int64_t first, int64_t count)
{
    cnn_shape shape = cnn_model_output_shape(model);
    int64_t dims[4] = { count, shape.dims[0], shape.dims[1], shape.dims[2] };
    cnn_tensor *input = NULL, *output = NULL;
    cnn_status status = wrap_images(trial, first, count, &input);
    if (!status)
        status = cnn_tensor_create(trial->plain, CNN_FLOAT32, shape.rank + 1, dims, &output);
    if (!status) {
        memset(cnn_tensor_data(output), 0xff, cnn_tensor_bytes(output)); /* NaN */
        status = cnn_model_predict(model, input, output);
    }
    cnn_tensor_destroy(input);
    return trial_ok(trial, status, "cnn_model_predict") ? output : NULL;
}

bool trial_same_bits(case_trial *trial, const char *what, const cnn_tensor *whole, int64_t first, cnn_tensor *part)
{
    if (!part)
        return false;
    if (image_size(whole) != image_size(part))
        return trial_fail(trial, "%s: another shape", what);
    const float *expected = (const float *)cnn_tensor_const_data(whole) + first * image_size(whole);
    const float *found = cnn_tensor_const_data(part);
    for (int64_t i = 0; i < cnn_tensor_count(part); i++)
        if (memcmp(&expected[i], &found[i], sizeof *found) != 0)
            return trial_fail(trial, "%s: number %lld of image %lld is %.9g, not %.9g", what,
                              (long long)(i % image_size(whole)), (long long)(first + i / image_size(whole)),
                              (double)found[i], (double)expected[i]);
    cnn_tensor_destroy(part);
    return true;
}

bool trial_predicts_same_bits(case_trial *trial, const char *what, const cnn_tensor *expected, cnn_model *other)
{
    if (!expected || !other)
        return false;
    cnn_tensor *found = trial_predict(trial, other, 0, trial->it->images);
    cnn_model_destroy(other);
    return trial_same_bits(trial, what, expected, 0, found);
}

bool trial_take_model(case_trial *trial, cnn_model *model)
{
    cnn_shape before = cnn_model_input_shape(trial->model), after = cnn_model_input_shape(model);
    if (model != trial->model)
        cnn_model_destroy(trial->model);
    trial->model = model;
    if (!memcmp(before.dims, after.dims, sizeof before.dims) && cnn_tensor_dim(trial->images, 1) == after.dims[0] &&
        cnn_tensor_dim(trial->images, 2) == after.dims[1])
        return true;
    cnn_tensor_destroy(trial->images);
    trial->images = NULL;
    return trial_ok(trial, case_images(trial->it, trial->plain, after, trial->it->images, &trial->images), "images");
}
