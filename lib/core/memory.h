/* Memory from a context's allocator, aligned to 64 bytes, and arithmetic on sizes that can't overflow unseen. */
#ifndef CNN_CORE_MEMORY_H
#define CNN_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>

/* NULL, with cnn_last_error() set, if there is none. A size of 0 gives memory too. `context` may be NULL. */
void *cnn_allocate(cnn_context *context, size_t size);
void *cnn_allocate_zeroed(cnn_context *context, size_t count, size_t size);

/* A copy of `text` (NULL: NULL without an error). */
char *cnn_copy_text(cnn_context *context, const char *text);

/* Grows `*array` to hold at least `count` elements of `size` bytes, at least doubling `*capacity`. False, with the
 * error set and the array as it was, if there is no memory. */
bool cnn_grow(cnn_context *context, void **array, size_t *capacity, size_t count, size_t size);

void cnn_release(cnn_context *context, void *memory); /* NULL is ignored */

/* False if the product or sum doesn't fit. */
static inline bool cnn_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

static inline bool cnn_sum(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

static inline size_t cnn_round_up(size_t value, size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

#endif
