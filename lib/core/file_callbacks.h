/* Files that the program keeps itself: read and written by its callbacks. */
#ifndef CNN_CORE_FILE_CALLBACKS_H
#define CNN_CORE_FILE_CALLBACKS_H

#include <cnn/context.h>
#include <cnn/file.h>

#include "core/os.h"

/* What the caller gave, with a name in any case. */
cnn_status cnn_file_callbacks_read(const cnn_file_callbacks *given, cnn_file_callbacks *callbacks);

/* As cnn_file_read. */
cnn_status cnn_file_callbacks_load(cnn_context *context, const cnn_file_callbacks *callbacks, uint64_t max_bytes,
                                   void **bytes, size_t *size);

/* The chunks come one after the other; empty ones aren't written. */
cnn_status cnn_file_callbacks_save(const cnn_file_callbacks *callbacks, const cnn_chunk *chunks, size_t count);

#endif
