#include "core/memory.h"

#include <assert.h>
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"

/* What stands before each block: whose memory it is, and how much. */
typedef struct header {
    cnn_context *context;
    size_t bytes;  /* with what stands before */
    size_t before; /* bytes from the memory's beginning to the block */
} header;

/* The space for a header keeps a block's alignment; that of a large one keeps whole pages together, too: kernels that
 * read rows of weights at 64 bytes from a page's beginning took 2 % longer. */
enum { HEADER_SIZE = 64, PAGE = 4096, LARGE = 4 * PAGE };
_Static_assert(sizeof(header) <= HEADER_SIZE, "a header must fit");

static header *header_of(void *memory)
{
    return (header *)((char *)memory - HEADER_SIZE);
}

static void note_peak(cnn_context *context, size_t used)
{
    size_t peak = atomic_load_explicit(&context->peak, memory_order_relaxed);
    while (used > peak && !atomic_compare_exchange_weak_explicit(&context->peak, &peak, used, memory_order_relaxed,
                                                                 memory_order_relaxed))
        continue;
}

static bool reserve(cnn_context *context, size_t bytes)
{
    size_t used = atomic_load_explicit(&context->memory, memory_order_relaxed);
    do {
        if (used > context->memory_limit || bytes > context->memory_limit - used) {
            cnn_fail(CNN_ERROR_OUT_OF_MEMORY,
                     "out of memory: %zu bytes were asked for and %zu are in use; the context's limit is %zu: set "
                     "memory_limit in cnn_context_options higher",
                     bytes, used, context->memory_limit);
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&context->memory, &used, used + bytes, memory_order_relaxed,
                                                    memory_order_relaxed));
    note_peak(context, used + bytes);
    return true;
}

static void cancel_reservation(cnn_context *context, size_t bytes)
{
    size_t used = atomic_fetch_sub_explicit(&context->memory, bytes, memory_order_relaxed);
    assert(used >= bytes);
    (void)used;
}

void *cnn_allocate(cnn_context *context, size_t size)
{
    size_t bytes, before = size < LARGE ? HEADER_SIZE : PAGE;
    context = cnn_context_or_default(context);
    if (!context)
        return NULL;
    /* at least a byte: an address behind the block's end is no way to it for leak checkers */
    if (!cnn_sum(size ? size : 1, before, &bytes)) {
        cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %zu bytes were asked for", size);
        return NULL;
    }
    if (!reserve(context, bytes))
        return NULL;
    char *memory = context->allocate(bytes, context->allocator_user);
    if (!memory) {
        cancel_reservation(context, bytes);
        cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %zu bytes were asked for", size);
        return NULL;
    }
    memory += before;
    *header_of(memory) = (header){ context, bytes, before };
    return memory;
}

void *cnn_allocate_zeroed(cnn_context *context, uint64_t count, size_t size)
{
    size_t bytes;
    if (!cnn_multiply(count, size, &bytes)) {
        cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %llu times %zu bytes were asked for",
                 (unsigned long long)count, size);
        return NULL;
    }
    void *memory = cnn_allocate(context, bytes);
    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

char *cnn_copy_text(cnn_context *context, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = cnn_allocate(context, size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

bool cnn_grow(cnn_context *context, void **array, size_t *capacity, size_t count, size_t size)
{
    if (count <= *capacity)
        return true;
    size_t larger = *capacity > SIZE_MAX / 2 ? count : *capacity * 2;
    if (larger < count)
        larger = count;
    if (larger < 8)
        larger = 8;
    size_t bytes;
    if (!cnn_multiply(larger, size, &bytes)) {
        cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %zu times %zu bytes were asked for", larger, size);
        return false;
    }
    void *grown = cnn_allocate(context, bytes);
    if (!grown)
        return false;
    if (*array)
        memcpy(grown, *array, *capacity * size);
    cnn_release(context, *array);
    *array = grown;
    *capacity = larger;
    return true;
}

void cnn_release_to_owner(void *memory)
{
    if (!memory)
        return;
    header *h = header_of(memory);
    cnn_context *context = h->context;
    cancel_reservation(context, h->bytes);
    context->release((char *)memory - h->before, context->allocator_user);
}

void cnn_text_free(char *text)
{
    cnn_release_to_owner(text);
}

void cnn_bytes_free(void *bytes)
{
    cnn_release_to_owner(bytes);
}

void cnn_release(cnn_context *context, void *memory)
{
    assert(!memory || header_of(memory)->context == cnn_context_or_made_default(context));
    (void)context;
    cnn_release_to_owner(memory);
}
