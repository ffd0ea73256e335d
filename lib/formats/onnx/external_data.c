/* Weights that an ONNX file keeps in other files. Their names come from a stranger: only files in the model's folder
 * and below it are opened. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/os.h"
#include "formats/onnx/import.h"

#define MAX_BYTES ((uint64_t)4 << 30) /* in all */

typedef struct place {
    const char *location;
    uint64_t offset, length;
    bool has_length;
} place;

static bool read_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && !errno;
}

static cnn_status find_place(const cnn_onnx_import *import, const CnnOnnx__Tensor *from, place *result)
{
    *result = (place){ 0 };
    for (size_t i = 0; i < from->n_external_data; i++) {
        const char *key = from->external_data[i]->key, *value = from->external_data[i]->value;
        bool sound = key && value;
        if (sound && !strcmp(key, "location"))
            result->location = value;
        else if (sound && !strcmp(key, "offset"))
            sound = read_number(value, &result->offset);
        else if (sound && !strcmp(key, "length"))
            sound = result->has_length = read_number(value, &result->length);
        if (!sound)
            return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "where its weights are is not said properly");
    }
    if (!result->location || !*result->location)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "weights are in another file, which is not named");
    return CNN_OK;
}

/* A relative path without "..". */
static bool stays_below(const char *path)
{
    if (!path || *path == '/')
        return false;
    for (const char *at = path; *at;) {
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return false;
        at += length + (at[length] == '/');
    }
    return true;
}

/* Links may still lead out: what counts is where they end. */
static bool ends_below(const char *folder, const char *path)
{
    char real_folder[CNN_PATH_MAX], real_path[CNN_PATH_MAX];
    if (!cnn_os_real_path(folder, real_folder) || !cnn_os_real_path(path, real_path))
        return errno == ENOENT; /* which opening it will say */
    size_t length = strlen(real_folder);
    return !strncmp(real_folder, real_path, length) && (real_path[length] == '/' || length == 1);
}

static cnn_status fail_to_open(const cnn_onnx_import *import, const char *path)
{
    char what[CNN_PATH_MAX + 64];
    bool absent = errno == ENOENT;
    snprintf(what, sizeof what, "can't be opened, but holds the weights of %s", import->path);
    cnn_status status = cnn_fail_errno(path, what);
    return absent ? cnn_fail(status, "%s; copy it there: it belongs to the ONNX file", cnn_last_error()) : status;
}

static cnn_status open_place(const cnn_onnx_import *import, const place *at, int *descriptor)
{
    char folder[CNN_PATH_MAX], path[CNN_PATH_MAX];
    const char *slash = strrchr(import->path, '/');
    int length = slash ? (int)(slash - import->path) + 1 : 2;
    snprintf(folder, sizeof folder, "%.*s", length, slash ? import->path : "./");
    if ((size_t)snprintf(path, sizeof path, "%s%s", folder, at->location) >= sizeof path)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "the name of the file with its weights is too long");
    if (!stays_below(at->location) || !ends_below(folder, path))
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT,
                             "its weights are in \"%.*s\", which leads out of the model's folder: it is not opened",
                             cnn_quoted(at->location, 200), at->location);
    *descriptor = cnn_os_open(path);
    return *descriptor < 0 ? fail_to_open(import, path) : CNN_OK;
}

/* Weights may be shared, but a small file that is named again and again must not fill the memory. */
static cnn_status count_bytes(cnn_onnx_import *import, const place *at, uint64_t size, uint64_t bytes)
{
    enum { MOST_AGAIN = 64 << 20 };
    uint32_t index = cnn_names_find(&import->external_names, at->location);
    if (index == CNN_NO_PLACE) {
        index = (uint32_t)import->external_count;
        if (!cnn_grow(import->context, (void **)&import->external_read, &import->external_capacity, index + 1,
                      sizeof *import->external_read) ||
            !cnn_names_add(import->context, &import->external_names, at->location, index))
            return CNN_ERROR_OUT_OF_MEMORY;
        import->external_read[import->external_count++] = 0;
    }
    uint64_t read = import->external_read[index] += bytes;
    import->external_again += read > size ? (bytes < read - size ? bytes : read - size) : 0;
    import->external_bytes += bytes;
    if (import->external_again > MOST_AGAIN)
        return cnn_onnx_fail(import, CNN_ERROR_LIMIT, "many of its weights are the same bytes of \"%.*s\"",
                             cnn_quoted(at->location, 200), at->location);
    if (import->external_bytes > MAX_BYTES)
        return cnn_onnx_fail(import, CNN_ERROR_LIMIT, "its weights in other files are more than 4 GiB");
    return CNN_OK;
}

static cnn_status read_place(cnn_onnx_import *import, int descriptor, const place *at, uint64_t bytes, void **data)
{
    cnn_file_info info;
    if (!cnn_os_fstat(descriptor, &info) || info.kind != CNN_FILE_REGULAR)
        return cnn_onnx_fail(import, CNN_ERROR_IO, "\"%.*s\", which holds its weights, is no regular file",
                             cnn_quoted(at->location, 200), at->location);
    if (at->offset > info.size || bytes > info.size - at->offset)
        return cnn_onnx_fail(import, CNN_ERROR_IO,
                             "\"%.*s\" is incomplete, shorter than the weights that it should hold: copy it again",
                             cnn_quoted(at->location, 200), at->location);
    cnn_status status = count_bytes(import, at, info.size, bytes);
    if (!status)
        status = cnn_onnx_memory(import, (int64_t)bytes, 1, data);
    if (!status && !cnn_os_read_at(descriptor, *data, (size_t)bytes, at->offset))
        status =
            cnn_onnx_fail(import, CNN_ERROR_IO, "\"%.*s\", which holds its weights, can't be read: %s",
                          cnn_quoted(at->location, 200), at->location, errno ? strerror(errno) : "it ends before them");
    return status;
}

cnn_status cnn_onnx_read_external(cnn_onnx_import *import, const CnnOnnx__Tensor *from, uint64_t bytes,
                                  const unsigned char **data)
{
    place at;
    int descriptor = -1;
    void *memory = NULL;
    cnn_status status = find_place(import, from, &at);
    if (!status && at.has_length && at.length != bytes)
        status = cnn_onnx_fail(import, CNN_ERROR_FORMAT,
                               "a constant has %llu bytes in another file; by its type and dimensions it has %llu",
                               (unsigned long long)at.length, (unsigned long long)bytes);
    if (!status)
        status = open_place(import, &at, &descriptor);
    if (status)
        return status;
    status = read_place(import, descriptor, &at, bytes, &memory);
    cnn_os_close(descriptor);
    *data = memory;
    return status;
}
