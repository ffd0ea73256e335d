/* From the file's constants to the model's weights. */
#include <math.h>
#include <string.h>

#include "core/tensor_internal.h"
#include "formats/onnx/import.h"
#include "runtime/model_internal.h"

/* A constant may be used by many layers, each of which gets its own. */
cnn_status cnn_onnx_check_weight_copies(const cnn_onnx_import *import)
{
    enum { GROWTH = 16, ALWAYS = 16 << 20 };
    uint64_t bytes = 0;
    for (size_t i = 0; i < import->copy_count; i++) {
        const int64_t *dims = import->copies[i].dims;
        bytes += sizeof(float) * (uint64_t)(dims[0] * dims[1] * dims[2] * dims[3]);
    }
    if (bytes > GROWTH * (import->file_bytes + import->external_bytes) + ALWAYS)
        return cnn_onnx_fail(import, CNN_ERROR_LIMIT, "its layers have many more weights than the file holds");
    return CNN_OK;
}

/* Four nested loops, the inner two in tiles: the file's order may run across ours. */
static bool copy_values(const cnn_onnx_weight_copy *copy, float *to)
{
    enum { TILE = 32 };
    const int64_t *dims = copy->dims, *strides = copy->strides;
    bool finite = true;
    for (int64_t i = 0; i < dims[0] * dims[1]; i++, to += dims[2] * dims[3]) {
        const float *plane = copy->data + i / dims[1] * strides[0] + i % dims[1] * strides[1];
        for (int64_t k0 = 0; k0 < dims[2]; k0 += TILE)
            for (int64_t l0 = 0; l0 < dims[3]; l0 += TILE)
                for (int64_t k = k0; k < k0 + TILE && k < dims[2]; k++)
                    for (int64_t l = l0; l < l0 + TILE && l < dims[3]; l++) {
                        float value = plane[k * strides[2] + l * strides[3]] * copy->factor;
                        value = value * (copy->scale ? copy->scale[l] : 1) + (copy->offset ? copy->offset[l] : 0);
                        to[k * dims[3] + l] = value;
                        finite = finite && isfinite(value);
                    }
    }
    return finite;
}

static cnn_weights *find_weights(const cnn_model *model, const cnn_onnx_weight_copy *copy)
{
    int32_t index = 0;
    for (cnn_node i = 0; i < copy->node; i++)
        index += model->graph->nodes[i].layer.parameter_count;
    const cnn_layer *layer = &model->graph->nodes[copy->node].layer;
    for (int32_t k = 0; k < layer->parameter_count; k++)
        if (!strcmp(layer->parameters[k].name, copy->parameter))
            return &model->weights[index + k];
    return NULL;
}

cnn_status cnn_onnx_copy_weights(const cnn_onnx_import *import, cnn_model *model)
{
    for (size_t i = 0; i < import->copy_count; i++) {
        const cnn_onnx_weight_copy *copy = &import->copies[i];
        cnn_weights *weights = find_weights(model, copy);
        if (!weights || weights->value->count != copy->dims[0] * copy->dims[1] * copy->dims[2] * copy->dims[3])
            return cnn_onnx_fail(import, CNN_ERROR_SHAPE, "the weights of layer %s don't fit it",
                                 model->graph->nodes[copy->node].name);
        if (!copy_values(copy, weights->value->data))
            return cnn_onnx_fail(import, CNN_ERROR_NOT_FINITE, "%s holds a value that is not finite", weights->name);
    }
    cnn_model_changed(model);
    return CNN_OK;
}
