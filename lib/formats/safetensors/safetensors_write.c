#include "formats/safetensors/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "core/byte_order.h"
#include "core/error.h"
#include "core/file.h"
#include "core/file_callbacks.h"
#include "core/memory.h"
#include "formats/json.h"
#include "formats/safetensors/safetensors_types.h"

enum { ALIGNMENT = 64, LENGTH_BYTES = 8 };

/* Arrays in the order in which they will lie: sizes that keep the alignment first, then the wider elements. */
static int compare_places(const void *a, const void *b)
{
    const cnn_safetensors_array *x = *(const cnn_safetensors_array *const *)a,
                                *y = *(const cnn_safetensors_array *const *)b;
    int ragged_x = x->bytes % ALIGNMENT != 0, ragged_y = y->bytes % ALIGNMENT != 0;
    if (ragged_x != ragged_y)
        return ragged_x - ragged_y;
    size_t width_x = cnn_dtype_size(x->dtype), width_y = cnn_dtype_size(y->dtype);
    if (width_x != width_y)
        return width_x > width_y ? -1 : 1;
    return (x > y) - (x < y);
}

static cnn_status add_entry(json_t *header, const cnn_safetensors_array *array, size_t begin, const char *path)
{
    if (!array->name || !strcmp(array->name, CNN_SAFETENSORS_METADATA) || json_object_get(header, array->name))
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: \"%s\" can't be an array's name, or is one already", path,
                        array->name ? array->name : "");
    size_t bytes, end;
    if (!cnn_safetensors_bytes(array, &bytes) || bytes != array->bytes || !cnn_sum(begin, bytes, &end))
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: array %s: its size is not that of its shape", path, array->name);
    json_t *dims = json_array();
    int failed = 0;
    for (int32_t i = 0; i < array->rank; i++)
        failed |= json_array_append_new(dims, json_integer(array->dims[i]));
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", cnn_safetensors_dtype_name(array->dtype), "shape", dims,
                              "data_offsets", (json_int_t)begin, (json_int_t)end);
    failed |= json_object_set_new(header, array->name, entry);
    if (failed)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: an array's name is not UTF-8, or there is no memory for it", path);
    return CNN_OK;
}

static cnn_status add_metadata(json_t *header, const cnn_safetensors_metadata *metadata, size_t count, const char *path)
{
    if (!count)
        return CNN_OK;
    json_t *map = json_object();
    if (json_object_set_new(header, CNN_SAFETENSORS_METADATA, map))
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %s can't be written", path);
    for (size_t i = 0; i < count; i++)
        if (json_object_get(map, metadata[i].key) ||
            json_object_set_new(map, metadata[i].key, json_string(metadata[i].text)))
            return cnn_fail(CNN_ERROR_ARGUMENT, "%s: the metadata %s is there twice, or is not UTF-8", path,
                            metadata[i].key);
    return CNN_OK;
}

/* The length in 8 bytes, little-endian; the JSON; and spaces up to a multiple of the alignment. */
static cnn_status print_header(cnn_context *context, const json_t *header, char **bytes, size_t *size)
{
    char *json;
    size_t length;
    cnn_status status = cnn_json_print(context, header, JSON_COMPACT, &json, &length);
    if (status)
        return status;
    size_t total = cnn_round_up(LENGTH_BYTES + length, ALIGNMENT);
    char *text = cnn_allocate(context, total);
    if (text) {
        for (int i = 0; i < LENGTH_BYTES; i++)
            text[i] = (char)((uint64_t)(total - LENGTH_BYTES) >> 8 * i);
        memcpy(text + LENGTH_BYTES, json, length);
        memset(text + LENGTH_BYTES + length, ' ', total - LENGTH_BYTES - length);
    }
    cnn_release(context, json);
    *bytes = text;
    *size = total;
    return text ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

static cnn_status build_header(json_t *header, const char *path, const cnn_safetensors_array *const *order,
                               const cnn_safetensors_contents *contents)
{
    cnn_status status = header ? add_metadata(header, contents->metadata, contents->metadata_count, path)
                               : cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %s can't be written", path);
    size_t begin = 0;
    for (size_t i = 0; i < contents->count && !status; i++) {
        status = add_entry(header, order[i], begin, path);
        begin += order[i]->bytes;
    }
    return status;
}

static cnn_status join_chunks(cnn_context *context, const cnn_chunk *chunks, size_t count, void **bytes, size_t *size)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += chunks[i].size;
    char *place = *bytes = cnn_allocate(context, total);
    if (!place)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; place += chunks[i++].size)
        if (chunks[i].size)
            memcpy(place, chunks[i].data, chunks[i].size);
    *size = total;
    return CNN_OK;
}

static cnn_status write_chunks(cnn_context *context, const cnn_safetensors_target *target, const cnn_chunk *chunks,
                               size_t count)
{
    if (target->bytes)
        return join_chunks(context, chunks, count, target->bytes, target->size);
    if (target->callbacks)
        return cnn_file_callbacks_save(target->callbacks, chunks, count);
    return cnn_file_write(target->path, chunks, count);
}

/* Makes chunks of the arrays, one after the other. Where the processor's order of bytes isn't the file's, they are
 * copies in `*copies`. */
static cnn_status fill_chunks(cnn_context *context, const cnn_safetensors_array *const *order, size_t count,
                              cnn_chunk *chunks, void **copies)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        chunks[i] = (cnn_chunk){ order[i]->data, order[i]->bytes };
        bytes += order[i]->bytes;
    }
    if (!CNN_BIG_ENDIAN)
        return CNN_OK;
    char *copy = *copies = cnn_allocate(context, bytes);
    if (!copy)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; copy += chunks[i++].size) {
        if (chunks[i].size)
            memcpy(copy, order[i]->data, chunks[i].size);
        cnn_swap_little(copy, chunks[i].size, cnn_dtype_size(order[i]->dtype));
        chunks[i].data = copy;
    }
    return CNN_OK;
}

/* `chunks` has room for the header and all arrays. */
static cnn_status write_ordered(cnn_context *context, const cnn_safetensors_target *target,
                                const cnn_safetensors_contents *contents, const cnn_safetensors_array *const *order,
                                cnn_chunk *chunks)
{
    json_t *header = json_object();
    char *text = NULL;
    void *copies = NULL;
    cnn_status status = build_header(header, target->path, order, contents);
    if (!status)
        status = print_header(context, header, &text, &chunks[0].size);
    json_decref(header);
    if (!status)
        status = fill_chunks(context, order, contents->count, chunks + 1, &copies);
    if (!status) {
        chunks[0].data = text;
        status = write_chunks(context, target, chunks, contents->count + 1);
    }
    cnn_release(context, copies);
    cnn_release(context, text);
    return status;
}

cnn_status cnn_safetensors_write(cnn_context *context, const char *path, const cnn_safetensors_array *arrays,
                                 size_t count, const cnn_safetensors_metadata *metadata, size_t metadata_count)
{
    const cnn_safetensors_target target = { .path = path };
    const cnn_safetensors_contents contents = { arrays, count, metadata, metadata_count };
    return cnn_safetensors_write_to(context, &target, &contents);
}

cnn_status cnn_safetensors_write_to(cnn_context *context, const cnn_safetensors_target *target,
                                    const cnn_safetensors_contents *contents)
{
    size_t count = contents->count;
    const cnn_safetensors_array **order = cnn_allocate_zeroed(context, count, sizeof(cnn_safetensors_array *));
    cnn_chunk *chunks = order ? cnn_allocate_zeroed(context, count + 1, sizeof *chunks) : NULL;
    cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
    if (chunks) {
        for (size_t i = 0; i < count; i++)
            order[i] = &contents->arrays[i];
        qsort(order, count, sizeof(cnn_safetensors_array *), compare_places);
        status = write_ordered(context, target, contents, order, chunks);
    }
    cnn_release(context, chunks);
    cnn_release(context, order);
    return status;
}
