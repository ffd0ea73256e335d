/* A model as a safetensors file: docs/model-file.md. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cnn/model.h>
#include <cnn/onnx.h>

#include "core/error.h"
#include "core/file_callbacks.h"
#include "core/memory.h"
#include "core/os.h"
#include "core/tensor_internal.h"
#include "formats/safetensors/quantized_arrays.h"
#include "formats/safetensors/safetensors.h"
#include "kernels/elementwise/convert_bf16.h"
#include "kernels/elementwise/elementwise.h"
#include "runtime/model_internal.h"

/* What begins a sentence on a model that is no file. */
#define MEMORY "the model in memory"

#define KEY_FORMAT "format"
#define KEY_VERSION "cnn.version"
#define KEY_GRAPH "cnn.graph"

/* Of what is in the file. It rises when older libraries can't read newer files. */
#define FORMAT "cnn"
#define VERSION "1"

/* Metadata that are the file's own, and not the model's. */
static bool is_reserved(const char *key)
{
    return !strcmp(key, KEY_FORMAT) || !strcmp(key, KEY_VERSION) || !strcmp(key, KEY_GRAPH);
}

/* Data in a file may be not aligned. */
static float float_at(const char *bytes, size_t index)
{
    float value;
    memcpy(&value, bytes + index * sizeof value, sizeof value);
    return value;
}

static float bfloat16_at(const char *bytes, size_t index)
{
    cnn_bf16 value;
    memcpy(&value, bytes + index * sizeof value, sizeof value);
    return cnn_bf16_widen(value);
}

static bool all_finite(cnn_context *context, cnn_dtype dtype, const void *data, size_t count)
{
    if ((uintptr_t)data % cnn_dtype_size(dtype) == 0)
        return cnn_elementwise_finite(context, dtype, data, count);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(dtype == CNN_BFLOAT16 ? bfloat16_at(data, i) : float_at(data, i)))
            return false;
    return true;
}

static cnn_status collect_arrays(const cnn_model *model, const char *path, cnn_safetensors_array *arrays)
{
    const char *weight = cnn_model_find_not_finite(model);
    if (weight)
        return cnn_fail(CNN_ERROR_NOT_FINITE, "%s: is not written: %s holds a value that is not finite", path, weight);
    for (int32_t i = 0; i < model->weights_count; i++) {
        const cnn_weights *weights = &model->weights[i];
        const cnn_tensor *value = weights->value;
        cnn_safetensors_array *array = &arrays[i];
        *array = (cnn_safetensors_array){ weights->name, value->dtype, value->rank,
                                          { 0 },         value->data,  cnn_tensor_bytes(value) };
        memcpy(array->dims, value->dims, sizeof array->dims);
    }
    return CNN_OK;
}

/* Rounds the arrays that weigh: vectors (biases, statistics) are small, and their precision matters. What they are
 * rounded to lies in `*rounded`. */
static cnn_status round_arrays(cnn_context *context, cnn_safetensors_array *arrays, size_t count, cnn_bf16 **rounded)
{
    size_t values = 0;
    for (size_t i = 0; i < count; i++)
        values += arrays[i].rank > 1 ? arrays[i].bytes / sizeof(float) : 0;
    cnn_bf16 *next = *rounded = cnn_allocate_zeroed(context, values, sizeof *next);
    if (!next)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (arrays[i].rank <= 1)
            continue;
        size_t length = arrays[i].bytes / sizeof(float);
        cnn_bf16_round_array(context, arrays[i].data, next, length);
        arrays[i].dtype = CNN_BFLOAT16;
        arrays[i].data = next;
        arrays[i].bytes = length * sizeof *next;
        next += length;
    }
    return CNN_OK;
}

static size_t collect_metadata(const cnn_model *model, const char *graph, cnn_safetensors_metadata *metadata)
{
    size_t count = 0;
    metadata[count++] = (cnn_safetensors_metadata){ KEY_FORMAT, FORMAT };
    metadata[count++] = (cnn_safetensors_metadata){ KEY_VERSION, VERSION };
    metadata[count++] = (cnn_safetensors_metadata){ KEY_GRAPH, graph };
    for (size_t i = 0; i < model->metadata_count; i++)
        if (!is_reserved(model->metadata[i].key))
            metadata[count++] = (cnn_safetensors_metadata){ model->metadata[i].key, model->metadata[i].text };
    return count;
}

static cnn_status save_to(const cnn_model *model, const cnn_safetensors_target *target, cnn_dtype weights)
{
    const char *path = target->path;
    if (weights != CNN_FLOAT32 && weights != CNN_BFLOAT16)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: is not written: weights are kept as float32 or bfloat16", path);
    if (weights == CNN_BFLOAT16 && model->quantized)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: is not written: a quantised model's weights are int8", path);
    cnn_context *context = model->context;
    char *graph = NULL;
    cnn_status status = cnn_graph_to_json(model->graph, &graph);
    if (status)
        return status;
    size_t count = (size_t)model->weights_count;
    cnn_safetensors_array *arrays =
        cnn_allocate_zeroed(context, count + cnn_quantized_array_limit(model), sizeof *arrays);
    cnn_quantized_array *quantized = NULL;
    cnn_safetensors_metadata *metadata = cnn_allocate_zeroed(context, model->metadata_count + 3, sizeof *metadata);
    cnn_bf16 *rounded = NULL;
    status = arrays && metadata ? collect_arrays(model, path, arrays) : CNN_ERROR_OUT_OF_MEMORY;
    if (!status && weights == CNN_BFLOAT16)
        status = round_arrays(context, arrays, count, &rounded);
    if (!status && model->quantized)
        status = cnn_quantized_arrays_collect(model, arrays, &count, &quantized);
    if (!status) {
        size_t metadata_count = collect_metadata(model, graph, metadata);
        status = cnn_safetensors_write_to(context, target,
                                          &(const cnn_safetensors_contents){ arrays, count, metadata, metadata_count });
    }
    cnn_release(context, quantized);
    cnn_release(context, rounded);
    cnn_release(context, metadata);
    cnn_release(context, arrays);
    cnn_text_free(graph);
    return status;
}

cnn_status cnn_model_save(const cnn_model *model, const char *path)
{
    return cnn_model_save_as(model, path, CNN_FLOAT32);
}

cnn_status cnn_model_save_as(const cnn_model *model, const char *path, cnn_dtype weights)
{
    if (!model || !path)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_save: NULL was given");
    const cnn_safetensors_target target = { .path = path };
    return save_to(model, &target, weights);
}

cnn_status cnn_model_save_to_memory(const cnn_model *model, cnn_dtype weights, void **bytes, size_t *size)
{
    if (bytes)
        *bytes = NULL;
    if (size)
        *size = 0;
    if (!model || !bytes || !size)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_save_to_memory: the model is NULL, or the result has no place");
    const cnn_safetensors_target target = { .path = MEMORY, .bytes = bytes, .size = size };
    return save_to(model, &target, weights);
}

cnn_status cnn_model_save_to_callbacks(const cnn_model *model, cnn_dtype weights, const cnn_file_callbacks *given)
{
    if (!model || !given)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_save_to_callbacks: NULL was given");
    cnn_file_callbacks callbacks;
    cnn_status status = cnn_file_callbacks_read(given, &callbacks);
    const cnn_safetensors_target target = { .path = callbacks.name, .callbacks = &callbacks };
    return status ? status : save_to(model, &target, weights);
}

static cnn_status check_format(const cnn_safetensors *file, const char *path)
{
    const char *format = cnn_safetensors_metadata_text(file, KEY_FORMAT);
    const char *version = cnn_safetensors_metadata_text(file, KEY_VERSION);
    if (!format || strcmp(format, FORMAT) != 0 || !version || !cnn_safetensors_metadata_text(file, KEY_GRAPH))
        return cnn_fail(CNN_ERROR_FORMAT,
                        "%s: is a safetensors file, but no model of this library: its metadata lacks \"" KEY_FORMAT
                        "\", \"" KEY_VERSION "\" or \"" KEY_GRAPH "\"",
                        path);
    if (strcmp(version, VERSION) != 0)
        return cnn_fail(CNN_ERROR_UNSUPPORTED,
                        "%s: is in version %.*s of the format; this library reads version " VERSION, path,
                        cnn_quoted(version, 20), version);
    return CNN_OK;
}

static cnn_status read_graph(cnn_context *context, const cnn_safetensors *file, const char *path, cnn_graph **graph)
{
    const char *text = cnn_safetensors_metadata_text(file, KEY_GRAPH);
    cnn_status status = cnn_graph_from_json(context, text, strlen(text), graph);
    if (status == CNN_ERROR_ARGUMENT) /* of a layer, and so the file's fault */
        status = CNN_ERROR_FORMAT;
    return status ? cnn_fail(status, "%s: %s", path, cnn_last_error()) : CNN_OK;
}

static cnn_status check_array(cnn_context *context, const cnn_safetensors *file, const char *path, const char *name,
                              const cnn_layer_parameter *declared)
{
    const cnn_safetensors_array *array = cnn_safetensors_find(file, name);
    if (!array)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: the array %s is missing", path, name);
    if (array->dtype != CNN_INT8 && array->dtype != CNN_FLOAT32 && array->dtype != CNN_BFLOAT16)
        return cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: the array %s is not of type F32 or BF16", path, name);
    if (array->rank != declared->rank ||
        memcmp(array->dims, declared->dims, (size_t)array->rank * sizeof *array->dims) != 0) {
        char given[128], wanted[128];
        return cnn_fail(CNN_ERROR_SHAPE, "%s: the array %s is %s; the graph has it as %s", path, name,
                        cnn_dims_text(array->rank, array->dims, given, sizeof given),
                        cnn_dims_text(declared->rank, declared->dims, wanted, sizeof wanted));
    }
    if (array->dtype != CNN_INT8 &&
        !all_finite(context, array->dtype, array->data, array->bytes / cnn_dtype_size(array->dtype)))
        return cnn_fail(CNN_ERROR_NOT_FINITE, "%s: the array %s holds a value that is not finite", path, name);
    return CNN_OK;
}

/* Done before the model is made, so that no graph can ask for more memory than the file is large. */
static cnn_status check_arrays(cnn_context *context, const cnn_safetensors *file, const char *path,
                               const cnn_graph *graph)
{
    size_t expected = 0;
    for (int32_t i = 0; i < graph->count; i++) {
        const cnn_graph_node *node = &graph->nodes[i];
        for (int32_t j = 0; j < node->layer.parameter_count; j++, expected++) {
            char name[256];
            snprintf(name, sizeof name, "%s.%s", node->name, node->layer.parameters[j].name);
            cnn_status status = check_array(context, file, path, name, &node->layer.parameters[j]);
            if (status)
                return status;
        }
    }
    cnn_status status = cnn_quantized_arrays_check(file, path, graph, &expected);
    if (status)
        return status;
    if (cnn_safetensors_count(file) != expected)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: it has %zu arrays; its graph has %zu", path, cnn_safetensors_count(file),
                        expected);
    return CNN_OK;
}

static cnn_status fill_model(cnn_model *model, const cnn_safetensors *file, const char *path)
{
    for (int32_t i = 0; i < model->weights_count; i++) {
        cnn_tensor *value = model->weights[i].value;
        const cnn_safetensors_array *array = cnn_safetensors_find(file, model->weights[i].name);
        size_t count = (size_t)value->count;
        if (!array || array->bytes != count * cnn_dtype_size(array->dtype))
            return cnn_fail(CNN_ERROR_FORMAT, "%s: the array %s is missing", path, model->weights[i].name);
        if (array->dtype == CNN_FLOAT32 && value->data != array->data)
            memcpy(value->data, array->data, array->bytes);
        else if (array->dtype == CNN_BFLOAT16)
            for (size_t k = 0; k < count; k++)
                ((float *)value->data)[k] = bfloat16_at(array->data, k);
    }
    cnn_model_changed(model);
    for (size_t i = 0; i < cnn_safetensors_metadata_count(file); i++) {
        const cnn_safetensors_metadata *metadata = cnn_safetensors_metadata_at(file, i);
        cnn_status status =
            is_reserved(metadata->key) ? CNN_OK : cnn_model_set_metadata(model, metadata->key, metadata->text);
        if (status)
            return cnn_fail(status, "%s: %s", path, cnn_last_error());
    }
    return model->quantized ? cnn_quantized_arrays_fill(model, file, path) : CNN_OK;
}

static void *find_in_file(void *owner, const char *name, int64_t count, cnn_dtype *type)
{
    const cnn_safetensors_array *array = cnn_safetensors_find(owner, name);
    if (array && array->dtype == CNN_INT8 && array->bytes == (size_t)count) {
        *type = CNN_INT8;
        return (void *)array->data;
    }
    bool fits = array && array->dtype == CNN_FLOAT32 && array->bytes == (size_t)count * sizeof(float) && count;
    return fits && (uintptr_t)array->data % sizeof(float) == 0 ? (void *)array->data : NULL;
}

static void close_file(void *owner)
{
    cnn_safetensors_close(owner);
}

/* On success the model owns the file: its weights lie in the file's bytes. */
static cnn_status load_from(cnn_context *context, cnn_safetensors *file, const char *path, cnn_model **model)
{
    cnn_weight_memory memory = { file, find_in_file, close_file };
    cnn_graph *graph = NULL;
    cnn_status status = check_format(file, path);
    if (!status)
        status = read_graph(context, file, path, &graph);
    if (!status)
        status = check_arrays(context, file, path, graph);
    if (!status)
        status = cnn_model_create_over(context, graph, &memory, model);
    cnn_graph_destroy(graph);
    if (status) {
        cnn_safetensors_close(file);
        return status;
    }
    return fill_model(*model, file, path);
}

/* Gives a model only if all of it could be read. */
static cnn_status load_whole(cnn_context *context, const cnn_safetensors_source *source, cnn_model **result)
{
    cnn_model *model = NULL;
    cnn_safetensors *file;
    cnn_status status = cnn_safetensors_open_from(context, source, &file);
    if (!status)
        status = load_from(context, file, source->path, &model);
    if (status)
        cnn_model_destroy(model);
    else
        *result = model;
    return status;
}

/* ONNX begins with the field of its version, safetensors with a length of 8 bytes and a brace. */
static bool looks_like_onnx(const char *path)
{
    unsigned char start[9];
    int descriptor = cnn_os_open(path);
    bool there = descriptor >= 0 && cnn_os_read_at(descriptor, start, sizeof start, 0);
    if (descriptor >= 0)
        cnn_os_close(descriptor);
    return there && start[0] == 0x08 && start[8] != '{';
}

cnn_status cnn_model_load(cnn_context *context, const char *path, cnn_model **result)
{
    if (result)
        *result = NULL;
    if (!path || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_load: NULL was given");
    if (looks_like_onnx(path))
        return cnn_model_load_onnx(context, path, NULL, result);
    return load_whole(context, &(const cnn_safetensors_source){ .path = path }, result);
}

cnn_status cnn_model_load_from_memory(cnn_context *context, const void *bytes, size_t size, cnn_model **result)
{
    if (result)
        *result = NULL;
    if (!bytes || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_load_from_memory: NULL was given");
    const cnn_safetensors_source source = { .path = MEMORY, .bytes = bytes, .size = size };
    return load_whole(context, &source, result);
}

cnn_status cnn_model_load_from_callbacks(cnn_context *context, const cnn_file_callbacks *given, cnn_model **result)
{
    if (result)
        *result = NULL;
    if (!given || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_load_from_callbacks: NULL was given");
    cnn_file_callbacks callbacks;
    cnn_status status = cnn_file_callbacks_read(given, &callbacks);
    const cnn_safetensors_source source = { .path = callbacks.name, .callbacks = &callbacks };
    return status ? status : load_whole(context, &source, result);
}
