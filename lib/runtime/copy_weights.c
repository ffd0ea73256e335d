/* Weights taken over from another model. */
#include <string.h>

#include "core/error.h"
#include "core/tensor_internal.h"
#include "runtime/model_internal.h"

static cnn_weights *find_like(cnn_model *model, const cnn_weights *like)
{
    for (int32_t i = 0; i < model->weights_count; i++) {
        cnn_weights *weights = &model->weights[i];
        if (!strcmp(weights->name, like->name) && weights->value->rank == like->value->rank &&
            !memcmp(weights->value->dims, like->value->dims, (size_t)like->value->rank * sizeof like->value->dims[0]))
            return weights;
    }
    return NULL;
}

cnn_status cnn_model_copy_weights(cnn_model *model, const cnn_model *source, int32_t *copied)
{
    if (!model || !source)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_copy_weights: NULL was given");
    cnn_status status = cnn_model_check_floats(model, "cnn_model_copy_weights");
    if (!status)
        status = cnn_model_check_floats(source, "cnn_model_copy_weights");
    if (status)
        return status;
    int32_t count = 0;
    for (int32_t i = 0; i < source->weights_count; i++) {
        cnn_weights *to = find_like(model, &source->weights[i]);
        if (!to)
            continue;
        memcpy(to->value->data, source->weights[i].value->data, cnn_tensor_bytes(to->value));
        count++;
    }
    cnn_model_changed(model);
    if (copied)
        *copied = count;
    return CNN_OK;
}
