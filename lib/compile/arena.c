/* Placing buffers in one arena. Largest first, each at the lowest place that is free for as long as it is in use:
 * "greedy by size" of Pisarchyk and Lee 2020, arXiv:2001.03288. */
#include <assert.h>
#include <stdlib.h>

#include "compile/passes.h"
#include "core/error.h"
#include "core/memory.h"

enum { ALIGNMENT = 64 };

/* For sorting by one thing or another. */
typedef struct entry {
    cnn_buffer *buffer;
} entry;

static int larger_first(const void *left, const void *right)
{
    const cnn_buffer *a = ((const entry *)left)->buffer, *b = ((const entry *)right)->buffer;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return a < b ? -1 : a > b; /* qsort isn't stable, and places must not depend on it */
}

/* `placed` is sorted by offset. */
static size_t lowest_place(const cnn_buffer *buffer, const entry *placed, size_t count)
{
    size_t place = 0;
    for (size_t i = 0; i < count; i++) {
        const cnn_buffer *other = placed[i].buffer;
        if (other->last < buffer->first || other->first > buffer->last)
            continue;
        if (other->offset >= place && other->offset - place >= buffer->bytes)
            break;
        size_t end = other->offset + other->bytes;
        place = end > place ? end : place;
    }
    return place;
}

static void insert_by_offset(entry *placed, size_t count, cnn_buffer *buffer)
{
    size_t i = count;
    for (; i && placed[i - 1].buffer->offset > buffer->offset; i--)
        placed[i] = placed[i - 1];
    placed[i].buffer = buffer;
}

static cnn_status place_all(const entry *sorted, entry *placed, size_t count, size_t *bytes)
{
    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        cnn_buffer *buffer = sorted[i].buffer;
        size_t end;
        buffer->offset = lowest_place(buffer, placed, i);
        if (!cnn_sum(buffer->offset, buffer->bytes, &end) || end > PTRDIFF_MAX)
            return cnn_fail(CNN_ERROR_LIMIT, "the model's values for an image are too large for memory");
        insert_by_offset(placed, i, buffer);
        *bytes = end > *bytes ? end : *bytes;
    }
    return CNN_OK;
}

#ifndef NDEBUG
/* Whether each buffer lies in the arena, aligned, and over no other that is in use at the same time. `placed` is sorted
 * by offset. */
static bool are_apart(const entry *placed, size_t count, size_t bytes)
{
    for (size_t i = 0; i < count; i++) {
        const cnn_buffer *a = placed[i].buffer;
        size_t end = a->offset + a->bytes;
        if (a->offset % ALIGNMENT || end > bytes || a->first > a->last)
            return false;
        for (size_t k = i + 1; k < count && placed[k].buffer->offset < end; k++)
            if (placed[k].buffer->first <= a->last && a->first <= placed[k].buffer->last)
                return false;
    }
    return true;
}
#endif

cnn_status cnn_arena_assign(cnn_context *context, cnn_buffer *buffers, int32_t first, int32_t count, size_t *bytes)
{
    size_t used = count > first ? (size_t)(count - first) : 0;
    entry *sorted = cnn_allocate_zeroed(context, used, 2 * sizeof *sorted);
    if (!sorted)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (size_t i = 0; i < used; i++) {
        cnn_buffer *buffer = &buffers[(size_t)first + i];
        buffer->bytes = cnn_round_up(buffer->bytes, ALIGNMENT);
        sorted[i].buffer = buffer;
    }
    qsort(sorted, used, sizeof *sorted, larger_first);
    cnn_status status = place_all(sorted, sorted + used, used, bytes);
    assert(status || are_apart(sorted + used, used, *bytes));
    cnn_release(context, sorted);
    return status;
}

cnn_status cnn_assign_arena(cnn_program *program)
{
    return cnn_arena_assign(program->source.context, program->buffers, CNN_BUFFER_FIRST, program->buffer_count,
                            &program->image_bytes);
}
