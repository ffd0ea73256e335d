#include "data/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"

/* Texts are many, small and freed together. */
struct text_block {
    struct text_block *next;
    size_t size, used;
    char text[];
};

enum { TEXT_BLOCK = 64 * 1024 };

char *cnn_source_text(cnn_source *source, size_t size)
{
    struct text_block *block = source->texts;
    if (!block || block->size - block->used < size) {
        size_t room = size > TEXT_BLOCK ? size : TEXT_BLOCK, bytes;
        if (!cnn_sum(sizeof *block, room, &bytes)) {
            cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %zu bytes were asked for", size);
            return NULL;
        }
        block = cnn_allocate(source->context, bytes);
        if (!block)
            return NULL;
        *block = (struct text_block){ .next = source->texts, .size = room };
        source->texts = block;
    }
    char *text = block->text + block->used;
    block->used += size;
    return text;
}

char *cnn_source_join(cnn_source *source, const char *first, const char *second)
{
    size_t size = strlen(first) + strlen(second) + 1;
    char *text = cnn_source_text(source, size);
    if (text)
        snprintf(text, size, "%s%s", first, second);
    return text;
}

char *cnn_source_number(cnn_source *source, uint64_t index)
{
    char name[32];
    snprintf(name, sizeof name, "image %" PRIu64, index);
    return cnn_source_join(source, name, "");
}

cnn_status cnn_source_reserve(cnn_source *source, size_t count)
{
    cnn_entry_list *list = &source->images;
    bool room = cnn_grow(source->context, (void **)&list->entries, &list->capacity, count, sizeof *list->entries);
    return room ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

cnn_status cnn_source_add(cnn_source *source, cnn_entry_list *list, const char *path, uint64_t locator)
{
    if (!cnn_grow(source->context, (void **)&list->entries, &list->capacity, list->count + 1, sizeof *list->entries))
        return CNN_ERROR_OUT_OF_MEMORY;
    list->entries[list->count++] = (cnn_entry){ .path = path, .locator = locator };
    return CNN_OK;
}

cnn_status cnn_source_read_file(cnn_source *source, const cnn_entry *entry, uint64_t max_bytes, void **bytes,
                                size_t *size)
{
    return cnn_file_read(source->context, entry->path, max_bytes, bytes, size);
}

cnn_status cnn_source_make_contents(cnn_source *source)
{
    source->contents = cnn_allocate_zeroed(source->context, source->images.count, sizeof *source->contents);
    return source->contents ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

cnn_source *cnn_source_share(cnn_source *source)
{
    atomic_fetch_add(&source->references, 1);
    return source;
}

cnn_source *cnn_source_new(cnn_context *context)
{
    cnn_source *source = cnn_allocate_zeroed(context, 1, sizeof *source);
    if (!source)
        return NULL;
    source->context = context;
    atomic_init(&source->references, 1);
    return source;
}

void cnn_source_release(cnn_source *source)
{
    if (!source || atomic_fetch_sub(&source->references, 1) > 1)
        return;
    if (source->type && source->type->close)
        source->type->close(source);
    cnn_context *context = source->context;
    while (source->texts) {
        struct text_block *block = source->texts;
        source->texts = block->next;
        cnn_release(context, block);
    }
    cnn_release(context, source->contents);
    cnn_release(context, source->images.entries);
    cnn_release(context, source->folders.entries);
    cnn_release(context, source);
}
