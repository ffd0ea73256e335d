#include "train/flip.h"

#include <string.h>

#include "core/parallel.h"
#include "core/tensor_internal.h"
#include "runtime/model_internal.h"

enum { CHANNELS = 3 };

static void mirror_row(float *row, int64_t width)
{
    float kept[CHANNELS];
    float *left = row, *right = row + (width - 1) * CHANNELS;
    for (; left < right; left += CHANNELS, right -= CHANNELS) {
        memcpy(kept, left, sizeof kept);
        memcpy(left, right, sizeof kept);
        memcpy(right, kept, sizeof kept);
    }
}

static void mirror_image(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const cnn_tensor *images = argument;
    int64_t rows = images->dims[1], width = images->dims[2];
    float *image = (float *)images->data + (int64_t)task * rows * width * CHANNELS;
    for (int64_t y = 0; y < rows; y++)
        mirror_row(image + y * width * CHANNELS, width);
}

cnn_status cnn_predict_both_ways(const cnn_model *model, cnn_tensor *images, cnn_tensor *output)
{
    cnn_tensor *mirrored;
    cnn_status status = cnn_tensor_create(model->context, CNN_FLOAT32, output->rank, output->dims, &mirrored);
    if (status)
        return status;
    status = cnn_model_predict(model, images, output);
    if (!status) {
        cnn_parallel(model->context, (size_t)images->dims[0], mirror_image, images);
        status = cnn_model_predict(model, images, mirrored);
    }
    float *mean = output->data;
    const float *other = mirrored->data;
    for (int64_t i = 0; i < output->count && !status; i++)
        mean[i] = 0.5f * (mean[i] + other[i]);
    cnn_tensor_destroy(mirrored);
    return status;
}
