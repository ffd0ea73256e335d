/* Whole files: read at once, and written so that the file of that name is always either the old one or the new one. */
#ifndef CNN_CORE_FILE_H
#define CNN_CORE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/status.h>

/* Reads a regular file of at most `max_bytes`. `bytes` is freed with cnn_release, and is followed by a zero byte that
 * `size` doesn't count. */
cnn_status cnn_file_read(cnn_context *context, const char *path, uint64_t max_bytes, void **bytes, size_t *size);

typedef struct cnn_chunk {
    const void *data;
    size_t size;
} cnn_chunk;

/* Writes the chunks one after the other beside `path`, syncs, and renames. On failure nothing is left behind and an
 * older file at `path` is as it was. Of several that write the same file at once each waits for the one before it; the
 * last one's file stays. */
cnn_status cnn_file_write(const char *path, const cnn_chunk *chunks, size_t count);

#endif
