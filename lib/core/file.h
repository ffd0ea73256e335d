/* Whole files: read at once, and written so that the file of that name is always either the old one or the new one. */
#ifndef CNN_CORE_FILE_H
#define CNN_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/file.h>
#include <cnn/status.h>

#include "core/os.h"

/* Reads a regular file of at most `max_bytes`. `bytes` is freed with cnn_release, and is followed by a zero byte that
 * `size` doesn't count. */
cnn_status cnn_file_read(cnn_context *context, const char *path, uint64_t max_bytes, void **bytes, size_t *size);

/* As cnn_file_save; the chunks come one after the other. Of several that write the same file at once, the last one's
 * file stays. */
cnn_status cnn_file_write(const char *path, const cnn_chunk *chunks, size_t count);

/* Fails as a write to `path` would, as far as that is known before: long work that ends in a file asks at its start. */
cnn_status cnn_file_check_target(const char *path);

/* Whether what is written to `a` and to `b` goes to one file, so that one of the two would be lost. */
bool cnn_file_same_target(const char *a, const char *b);

/* Whether `path` names something that takes bytes as they come, such as a named pipe. */
bool cnn_file_is_stream(const char *path);

#endif
