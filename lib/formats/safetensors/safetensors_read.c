#include "formats/safetensors/safetensors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/byte_order.h"
#include "core/error.h"
#include "core/file.h"
#include "core/file_callbacks.h"
#include "core/memory.h"
#include "formats/json.h"
#include "formats/safetensors/safetensors_types.h"

/* The limit on headers is the one of the format's own reader. */
enum { LENGTH_BYTES = 8, MAX_HEADER = 100000000 };

struct cnn_safetensors {
    cnn_context *context;
    char *path; /* for sentences */
    void *bytes;
    size_t size;
    const unsigned char *data; /* behind the header */
    size_t data_size;
    json_t *header; /* owns the names and texts */
    cnn_safetensors_array *arrays;
    size_t count;
    cnn_safetensors_metadata *metadata;
    size_t metadata_count;
};

static cnn_status copy_bytes(cnn_safetensors *file, const void *bytes, size_t size)
{
    file->bytes = cnn_allocate(file->context, size);
    if (!file->bytes)
        return CNN_ERROR_OUT_OF_MEMORY;
    memcpy(file->bytes, bytes, size);
    file->size = size;
    return CNN_OK;
}

/* Into memory: a mapped file changes, or is gone, when somebody writes over it or cuts it off. */
static cnn_status read_bytes(cnn_safetensors *file, const cnn_safetensors_source *source)
{
    const uint64_t most = PTRDIFF_MAX - 1;
    if (source->bytes)
        return copy_bytes(file, source->bytes, source->size);
    if (source->callbacks)
        return cnn_file_callbacks_load(file->context, source->callbacks, most, &file->bytes, &file->size);
    return cnn_file_read(file->context, file->path, most, &file->bytes, &file->size);
}

static cnn_status read_file(cnn_safetensors *file, const cnn_safetensors_source *source)
{
    cnn_status status = read_bytes(file, source);
    if (!status && file->size < LENGTH_BYTES)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: is %s; it is no safetensors file", file->path,
                        file->size ? "only a few bytes long" : "empty");
    return status;
}

static cnn_status parse_header(cnn_safetensors *file)
{
    const unsigned char *bytes = file->bytes;
    uint64_t length = cnn_load_little64(bytes);
    const char *json = (const char *)bytes + LENGTH_BYTES;
    size_t behind = file->size - LENGTH_BYTES;
    if (length > MAX_HEADER || (behind && *json != '{'))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: is no safetensors file", file->path);
    if (length > behind)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: is cut off: its header should be %llu bytes, and %zu are there",
                        file->path, (unsigned long long)length, behind);
    file->data = bytes + LENGTH_BYTES + length;
    file->data_size = behind - (size_t)length;
    cnn_status status = cnn_json_parse(file->path, json, (size_t)length, &file->header);
    if (!status && !json_is_object(file->header))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: is no safetensors file", file->path);
    return status;
}

static cnn_status read_metadata(cnn_safetensors *file)
{
    json_t *metadata = json_object_get(file->header, CNN_SAFETENSORS_METADATA), *text;
    if (!metadata)
        return CNN_OK;
    if (!json_is_object(metadata))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: its metadata is %s, not a map of texts", file->path,
                        cnn_json_kind(metadata));
    file->metadata = cnn_allocate_zeroed(file->context, json_object_size(metadata), sizeof *file->metadata);
    if (!file->metadata)
        return CNN_ERROR_OUT_OF_MEMORY;
    const char *key;
    json_object_foreach(metadata, key, text)
    {
        if (!json_is_string(text))
            return cnn_fail(CNN_ERROR_FORMAT, "%s: metadata %s is %s, not a text", file->path, key,
                            cnn_json_kind(text));
        file->metadata[file->metadata_count++] = (cnn_safetensors_metadata){ key, json_string_value(text) };
    }
    return CNN_OK;
}

static cnn_status read_type(const cnn_safetensors *file, const json_t *entry, cnn_safetensors_array *array)
{
    const json_t *dtype = json_object_get(entry, "dtype"), *shape = json_object_get(entry, "shape");
    if (!json_is_string(dtype))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: array %s: its dtype is %s, not a text", file->path, array->name,
                        cnn_json_kind(dtype));
    if (!cnn_safetensors_dtype(json_string_value(dtype), &array->dtype))
        return cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: array %s: elements of type %.*s are not supported", file->path,
                        array->name, cnn_quoted(json_string_value(dtype), 20), json_string_value(dtype));
    if (!json_is_array(shape))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: array %s: its shape is %s, not a list", file->path, array->name,
                        cnn_json_kind(shape));
    size_t rank = json_array_size(shape);
    if (rank > CNN_MAX_RANK)
        return cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: array %s: it has %zu dimensions; at most %d are supported",
                        file->path, array->name, rank, CNN_MAX_RANK);
    array->rank = (int32_t)rank;
    for (size_t i = 0; i < rank; i++) {
        const json_t *dim = json_array_get(shape, i);
        array->dims[i] = json_integer_value(dim);
        if (!json_is_integer(dim) || array->dims[i] < 0)
            return cnn_fail(CNN_ERROR_FORMAT, "%s: array %s: dimension %zu is not a whole number from 0", file->path,
                            array->name, i);
    }
    return CNN_OK;
}

static cnn_status read_place(const cnn_safetensors *file, const json_t *entry, cnn_safetensors_array *array)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *second = json_array_get(offsets, 1);
    json_int_t begin = json_integer_value(first), end = json_integer_value(second);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(second) || begin < 0 ||
        end < begin)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: array %s: its data_offsets are not two whole numbers in order",
                        file->path, array->name);
    if ((uint64_t)end > file->data_size)
        return cnn_fail(CNN_ERROR_FORMAT,
                        "%s: array %s: it ends at byte %lld of the data, which is %zu bytes: the file is cut off",
                        file->path, array->name, (long long)end, file->data_size);
    size_t bytes;
    if (!cnn_safetensors_bytes(array, &bytes) || bytes != (uint64_t)(end - begin))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: array %s: its shape and type don't fit its %lld bytes", file->path,
                        array->name, (long long)(end - begin));
    array->data = file->data + begin;
    array->bytes = bytes;
    return CNN_OK;
}

static cnn_status read_arrays(cnn_safetensors *file)
{
    file->arrays = cnn_allocate_zeroed(file->context, json_object_size(file->header), sizeof *file->arrays);
    if (!file->arrays)
        return CNN_ERROR_OUT_OF_MEMORY;
    const char *name;
    json_t *entry;
    json_object_foreach(file->header, name, entry)
    {
        if (!strcmp(name, CNN_SAFETENSORS_METADATA))
            continue;
        cnn_safetensors_array *array = &file->arrays[file->count];
        array->name = name;
        if (!json_is_object(entry))
            return cnn_fail(CNN_ERROR_FORMAT, "%s: array %s: its entry is %s, not an object", file->path, name,
                            cnn_json_kind(entry));
        cnn_status status = read_type(file, entry, array);
        if (!status)
            status = read_place(file, entry, array);
        if (status)
            return status;
        file->count++;
    }
    return CNN_OK;
}

static int compare_places(const void *a, const void *b)
{
    const cnn_safetensors_array *x = a, *y = b;
    const unsigned char *begin_x = x->data, *begin_y = y->data;
    if (begin_x != begin_y)
        return begin_x > begin_y ? 1 : -1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const cnn_safetensors_array *)a)->name, ((const cnn_safetensors_array *)b)->name);
}

/* The arrays must fill the data one after the other, without overlaps or gaps. */
static cnn_status check_places(const cnn_safetensors *file)
{
    qsort(file->arrays, file->count, sizeof *file->arrays, compare_places);
    const unsigned char *end = file->data;
    for (size_t i = 0; i < file->count; i++) {
        const cnn_safetensors_array *array = &file->arrays[i];
        const unsigned char *begin = array->data;
        if (begin < end)
            return cnn_fail(CNN_ERROR_FORMAT, "%s: arrays %s and %s overlap", file->path, array[-1].name, array->name);
        if (begin > end)
            return cnn_fail(CNN_ERROR_FORMAT, "%s: there is a gap of %zu bytes before array %s", file->path,
                            (size_t)(begin - end), array->name);
        end = begin + array->bytes;
    }
    size_t rest = file->data_size - (size_t)(end - file->data);
    if (rest)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: there are %zu bytes behind the last array", file->path, rest);
    return CNN_OK;
}

/* What has been read lies in memory of the file's own, so it can be changed there. */
static void swap_arrays(cnn_safetensors *file)
{
    unsigned char *data = (unsigned char *)file->bytes + file->size - file->data_size;
    for (size_t i = 0; i < file->count; i++) {
        const cnn_safetensors_array *array = &file->arrays[i];
        size_t begin = (size_t)((const unsigned char *)array->data - file->data);
        cnn_swap_little(data + begin, array->bytes, cnn_dtype_size(array->dtype));
    }
}

static cnn_status open_file(cnn_safetensors *file, const cnn_safetensors_source *source)
{
    file->path = cnn_copy_text(file->context, source->path);
    cnn_status status = file->path ? read_file(file, source) : CNN_ERROR_OUT_OF_MEMORY;
    if (!status)
        status = parse_header(file);
    if (!status)
        status = read_metadata(file);
    if (!status)
        status = read_arrays(file);
    if (!status)
        status = check_places(file);
    if (status)
        return status;
    swap_arrays(file);
    qsort(file->arrays, file->count, sizeof *file->arrays, compare_names);
    return CNN_OK;
}

cnn_status cnn_safetensors_open(cnn_context *context, const char *path, cnn_safetensors **result)
{
    return cnn_safetensors_open_from(context, &(const cnn_safetensors_source){ .path = path }, result);
}

cnn_status cnn_safetensors_open_from(cnn_context *context, const cnn_safetensors_source *source,
                                     cnn_safetensors **result)
{
    *result = NULL;
    cnn_safetensors *file = cnn_allocate_zeroed(context, 1, sizeof *file);
    if (!file)
        return CNN_ERROR_OUT_OF_MEMORY;
    file->context = context;
    cnn_status status = open_file(file, source);
    if (status)
        cnn_safetensors_close(file);
    else
        *result = file;
    return status;
}

void cnn_safetensors_close(cnn_safetensors *file)
{
    if (!file)
        return;
    json_decref(file->header);
    cnn_release(file->context, file->bytes);
    cnn_release(file->context, file->arrays);
    cnn_release(file->context, file->metadata);
    cnn_release(file->context, file->path);
    cnn_release(file->context, file);
}

size_t cnn_safetensors_count(const cnn_safetensors *file)
{
    return file->count;
}

const cnn_safetensors_array *cnn_safetensors_array_at(const cnn_safetensors *file, size_t index)
{
    return index < file->count ? &file->arrays[index] : NULL;
}

const cnn_safetensors_array *cnn_safetensors_find(const cnn_safetensors *file, const char *name)
{
    cnn_safetensors_array wanted = { .name = name };
    return bsearch(&wanted, file->arrays, file->count, sizeof wanted, compare_names);
}

const char *cnn_safetensors_metadata_text(const cnn_safetensors *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->header, CNN_SAFETENSORS_METADATA), key));
}

size_t cnn_safetensors_metadata_count(const cnn_safetensors *file)
{
    return file->metadata_count;
}

const cnn_safetensors_metadata *cnn_safetensors_metadata_at(const cnn_safetensors *file, size_t index)
{
    return index < file->metadata_count ? &file->metadata[index] : NULL;
}
