/* safetensors files: named arrays and a map of texts. https://huggingface.co/docs/safetensors describes the format. */
#ifndef CNN_FORMATS_SAFETENSORS_H
#define CNN_FORMATS_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/file.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

typedef struct cnn_safetensors_array {
    const char *name;
    cnn_dtype dtype;
    int32_t rank;
    int64_t dims[CNN_MAX_RANK];
    const void *data; /* when read: in the file's bytes, which may be written to, in memory alone; maybe not aligned
                         to an element */
    size_t bytes;
} cnn_safetensors_array;

typedef struct cnn_safetensors_metadata {
    const char *key, *text;
} cnn_safetensors_metadata;

typedef struct cnn_safetensors_contents {
    const cnn_safetensors_array *arrays;
    size_t count;
    const cnn_safetensors_metadata *metadata;
    size_t metadata_count;
} cnn_safetensors_contents;

/* Where the bytes of a file go: to `path`. Or, where these aren't NULL, to memory, which the caller frees by
 * cnn_bytes_free, or to callbacks; `path` then only begins sentences. */
typedef struct cnn_safetensors_target {
    const char *path;
    void **bytes;
    size_t *size;
    const cnn_file_callbacks *callbacks;
} cnn_safetensors_target;

/* Writes a file whole or not at all (see core/file.h). The same arguments give the same bytes. Arrays lie without gaps,
 * as the format demands, in an order in which each starts at a multiple of its element's size, and those whose size is
 * a multiple of 64 bytes at a multiple of 64. */
cnn_status cnn_safetensors_write_to(cnn_context *context, const cnn_safetensors_target *target,
                                    const cnn_safetensors_contents *contents);
cnn_status cnn_safetensors_write(cnn_context *context, const char *path, const cnn_safetensors_array *arrays,
                                 size_t count, const cnn_safetensors_metadata *metadata, size_t metadata_count);

typedef struct cnn_safetensors cnn_safetensors;

/* Where the bytes of a file come from: from `path`. Or, where these aren't NULL, from memory, which is copied, or from
 * callbacks; `path` then only begins sentences. */
typedef struct cnn_safetensors_source {
    const char *path;
    const void *bytes;
    size_t size;
    const cnn_file_callbacks *callbacks;
} cnn_safetensors_source;

/* Reads a file and checks all of its header: sizes, offsets, overlaps, types. What it gives is valid until closed. */
cnn_status cnn_safetensors_open_from(cnn_context *context, const cnn_safetensors_source *source,
                                     cnn_safetensors **file);
cnn_status cnn_safetensors_open(cnn_context *context, const char *path, cnn_safetensors **file);
void cnn_safetensors_close(cnn_safetensors *file); /* NULL is ignored */

/* Arrays come in the order of their names, metadata in that of the file. */
size_t cnn_safetensors_count(const cnn_safetensors *file);
const cnn_safetensors_array *cnn_safetensors_array_at(const cnn_safetensors *file, size_t index);
const cnn_safetensors_array *cnn_safetensors_find(const cnn_safetensors *file,
                                                  const char *name);                     /* NULL if not there */
const char *cnn_safetensors_metadata_text(const cnn_safetensors *file, const char *key); /* NULL if not there */
size_t cnn_safetensors_metadata_count(const cnn_safetensors *file);
const cnn_safetensors_metadata *cnn_safetensors_metadata_at(const cnn_safetensors *file, size_t index);

#endif
