#include "formats/safetensors/quantized_arrays.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "runtime/quantize.h"

enum { NAME_SIZE = sizeof((cnn_quantized_array){ 0 }.name) };

static void scales_name(const char *weights, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%.240s_scale", weights);
}

static void quantization_name(const char *node, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%.240s.quantization", node);
}

size_t cnn_quantized_array_limit(const cnn_model *model)
{
    return model->quantized ? (size_t)model->weights_count + (size_t)model->graph->count : 0;
}

cnn_status cnn_quantized_arrays_collect(const cnn_model *model, cnn_safetensors_array *arrays, size_t *count,
                                        cnn_quantized_array **memory)
{
    cnn_quantized_array *all = *memory =
        cnn_allocate_zeroed(model->context, cnn_quantized_array_limit(model), sizeof *all);
    if (!all)
        return CNN_ERROR_OUT_OF_MEMORY;
    size_t used = 0;
    for (int32_t i = 0; i < model->weights_count; i++) {
        const cnn_tensor *scales = model->weights[i].scales;
        if (!scales)
            continue;
        char *name = all[used++].name;
        scales_name(model->weights[i].name, name);
        arrays[(*count)++] =
            (cnn_safetensors_array){ name, CNN_FLOAT32, 1, { scales->count }, scales->data, cnn_tensor_bytes(scales) };
    }
    for (int32_t i = 0; i < model->graph->count; i++) {
        const cnn_quantization *quantization = &model->nodes[i].quantization;
        if (quantization->scale <= 0)
            continue;
        char *name = all[used].name;
        float *values = all[used++].quantization;
        quantization_name(model->graph->nodes[i].name, name);
        values[0] = quantization->scale;
        values[1] = (float)quantization->zero;
        arrays[(*count)++] = (cnn_safetensors_array){ name, CNN_FLOAT32, 1, { 2 }, values, 2 * sizeof values[0] };
    }
    return CNN_OK;
}

static bool is_scale(float value)
{
    return isfinite(value) && value > 0;
}

/* Data in a mapped file may be not aligned. */
static float float_at(const cnn_safetensors_array *array, int64_t index)
{
    float value;
    memcpy(&value, (const char *)array->data + (size_t)index * sizeof value, sizeof value);
    return value;
}

/* NULL if it isn't there; else an error if it isn't `length` floats. */
static cnn_status find_floats(const cnn_safetensors *file, const char *path, const char *name, int64_t length,
                              const cnn_safetensors_array **array)
{
    *array = cnn_safetensors_find(file, name);
    if (*array && ((*array)->dtype != CNN_FLOAT32 || (*array)->rank != 1 || (*array)->dims[0] != length))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: the array %s is not %lld values of type F32", path, name,
                        (long long)length);
    return CNN_OK;
}

static cnn_status check_weights(const cnn_safetensors *file, const char *path, const cnn_graph_node *node,
                                const cnn_layer_parameter *declared, size_t *expected)
{
    char weights[NAME_SIZE], name[NAME_SIZE];
    snprintf(weights, sizeof weights, "%.200s.%.40s", node->name, declared->name);
    const cnn_safetensors_array *array = cnn_safetensors_find(file, weights), *scales;
    if (array->dtype != CNN_INT8)
        return CNN_OK;
    if (strcmp(declared->name, "weight") != 0 || !cnn_int8_can_compute(&node->layer))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: the array %s can't be of type I8", path, weights);
    int64_t channels = declared->dims[declared->rank - 1];
    scales_name(weights, name);
    cnn_status status = find_floats(file, path, name, channels, &scales);
    if (status)
        return status;
    if (!scales)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: the array %s is missing", path, name);
    for (int64_t i = 0; i < channels; i++)
        if (!is_scale(float_at(scales, i)))
            return cnn_fail(CNN_ERROR_FORMAT, "%s: the array %s holds a value that is no scale", path, name);
    (*expected)++;
    return CNN_OK;
}

static cnn_status check_quantization(const cnn_safetensors *file, const char *path, const char *node, size_t *expected)
{
    char name[NAME_SIZE];
    const cnn_safetensors_array *array;
    quantization_name(node, name);
    cnn_status status = find_floats(file, path, name, 2, &array);
    if (status || !array)
        return status;
    float zero = float_at(array, 1);
    if (!is_scale(float_at(array, 0)) || !(zero >= 0 && zero <= 255) || zero != (float)(int32_t)zero)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: the array %s is no scale and zero", path, name);
    (*expected)++;
    return CNN_OK;
}

cnn_status cnn_quantized_arrays_check(const cnn_safetensors *file, const char *path, const cnn_graph *graph,
                                      size_t *expected)
{
    cnn_status status = CNN_OK;
    for (int32_t i = 0; i < graph->count && !status; i++) {
        const cnn_graph_node *node = &graph->nodes[i];
        for (int32_t k = 0; k < node->layer.parameter_count && !status; k++)
            status = check_weights(file, path, node, &node->layer.parameters[k], expected);
        if (!status)
            status = check_quantization(file, path, node->name, expected);
    }
    return status;
}

cnn_status cnn_quantized_arrays_fill(cnn_model *model, const cnn_safetensors *file, const char *path)
{
    char name[NAME_SIZE];
    for (int32_t i = 0; i < model->weights_count; i++) {
        cnn_weights *weights = &model->weights[i];
        weights->trainable = false;
        scales_name(weights->name, name);
        if (weights->scales)
            memcpy(weights->scales->data, cnn_safetensors_find(file, name)->data, cnn_tensor_bytes(weights->scales));
    }
    for (int32_t i = 0; i < model->graph->count; i++) {
        quantization_name(model->graph->nodes[i].name, name);
        const cnn_safetensors_array *array = cnn_safetensors_find(file, name);
        if (array)
            model->nodes[i].quantization = (cnn_quantization){ float_at(array, 0), (int32_t)float_at(array, 1) };
    }
    cnn_program_source source = cnn_model_source(model);
    cnn_status status = cnn_program_check(&source);
    return status ? cnn_fail(status, "%s: %s", path, cnn_last_error()) : CNN_OK;
}
