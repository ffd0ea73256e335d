#include "data/content.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "core/memory.h"

struct cnn_content_place {
    uint64_t hash; /* 0: empty */
    size_t index;
};

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

uint64_t cnn_content_hash(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t hash = mix(0x243F6A8885A308D3u, size), word;
    for (; size >= sizeof word; size -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    if (size)
        memcpy(&word, at, size);
    hash = mix(mix(hash, word), 0x13198A2E03707344u);
    return hash ? hash : 1;
}

uint64_t cnn_content_of(const cnn_dataset *dataset, size_t index)
{
    return atomic_load_explicit(&dataset->source->contents[dataset->items[index].entry], memory_order_relaxed);
}

void cnn_content_note(const cnn_dataset *dataset, size_t index, uint64_t hash)
{
    atomic_store_explicit(&dataset->source->contents[dataset->items[index].entry], hash, memory_order_relaxed);
}

cnn_status cnn_content_table_create(cnn_context *context, size_t count, cnn_content_table *table)
{
    table->capacity = 16;
    while (table->capacity / 2 < count)
        table->capacity *= 2;
    table->places = cnn_allocate_zeroed(context, table->capacity, sizeof *table->places);
    return table->places ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

size_t cnn_content_table_find(cnn_content_table *table, uint64_t hash, size_t index, bool add)
{
    assert(hash);
    size_t at = (size_t)hash & (table->capacity - 1);
    while (table->places[at].hash && table->places[at].hash != hash)
        at = (at + 1) & (table->capacity - 1);
    if (table->places[at].hash)
        return table->places[at].index;
    if (add)
        table->places[at] = (struct cnn_content_place){ hash, index };
    return SIZE_MAX;
}
