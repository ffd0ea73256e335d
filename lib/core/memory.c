#include "core/memory.h"

#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"

void *cnn_allocate(cnn_context *context, size_t size)
{
    context = cnn_context_or_default(context);
    if (!context)
        return NULL;
    void *memory = context->allocate(size ? size : 1, context->allocator_user);
    if (!memory)
        cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %zu bytes were asked for", size);
    return memory;
}

void *cnn_allocate_zeroed(cnn_context *context, size_t count, size_t size)
{
    size_t bytes;
    if (!cnn_multiply(count, size, &bytes)) {
        cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %zu times %zu bytes were asked for", count, size);
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

void cnn_release(cnn_context *context, void *memory)
{
    context = cnn_context_or_default(context);
    if (context && memory)
        context->release(memory, context->allocator_user);
}
