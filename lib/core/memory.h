/* Memory from a context's allocator, aligned to 64 bytes. */
#ifndef CNN_CORE_MEMORY_H
#define CNN_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>

#include "core/size.h"

/* NULL, with cnn_last_error() set, if there is none. A size of 0 gives memory too. `context` may be NULL. */
void *cnn_allocate(cnn_context *context, size_t size);
void *cnn_allocate_zeroed(cnn_context *context, uint64_t count, size_t size);

/* A copy of `text` (NULL: NULL without an error). */
char *cnn_copy_text(cnn_context *context, const char *text);

/* Grows `*array` to hold at least `count` elements of `size` bytes, at least doubling `*capacity`. False, with the
 * error set and the array as it was, if there is no memory. */
bool cnn_grow(cnn_context *context, void **array, size_t *capacity, size_t count, size_t size);

/* Back to the context that it is from, which `context` must be. NULL is ignored. */
void cnn_release(cnn_context *context, void *memory);

/* The same where nobody knows the context any more, as with text that a caller frees. */
void cnn_release_to_owner(void *memory);

#endif
