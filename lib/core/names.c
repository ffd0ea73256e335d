/* A hash table with open addressing. */
#include "core/names.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"

enum { SMALLEST = 64 };

/* FNV-1a's steps over 64 bits, from a key that the author of a file can't know: names can't be chosen to collide. */
static uint32_t hash_of(const cnn_names *names, const char *name)
{
    uint64_t value = names->key;
    for (; *name; name++) {
        value = (value ^ (uint8_t)*name) * 0x9E3779B97F4A7C15u;
        value ^= value >> 29;
    }
    return (uint32_t)(value >> 32);
}

/* Where the name is, or the empty slot where it would be. */
static cnn_name_slot *find_slot(const cnn_names *names, const char *name, uint32_t hash)
{
    size_t at = hash & (names->size - 1);
    while (names->slots[at].name && (names->slots[at].hash != hash || strcmp(names->slots[at].name, name) != 0))
        at = (at + 1) & (names->size - 1);
    return &names->slots[at];
}

static bool grow(cnn_context *context, cnn_names *names)
{
    cnn_names larger = { .size = names->size ? 2 * names->size : SMALLEST, .count = names->count, .key = names->key };
    larger.slots = cnn_allocate_zeroed(context, larger.size, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    if (!names->size) /* where it lies is drawn anew for each process */
        larger.key = (uint64_t)(uintptr_t)larger.slots * 0xD6E8FEB86659FD93u;
    for (size_t i = 0; i < names->size; i++)
        if (names->slots[i].name)
            *find_slot(&larger, names->slots[i].name, names->slots[i].hash) = names->slots[i];
    cnn_release(context, names->slots);
    *names = larger;
    return true;
}

uint32_t cnn_names_find(const cnn_names *names, const char *name)
{
    if (!names->size)
        return CNN_NO_PLACE;
    const cnn_name_slot *slot = find_slot(names, name, hash_of(names, name));
    return slot->name ? slot->place : CNN_NO_PLACE;
}

bool cnn_names_add(cnn_context *context, cnn_names *names, const char *name, uint32_t place)
{
    if (2 * (names->count + 1) > names->size && !grow(context, names))
        return false;
    uint32_t hash = hash_of(names, name);
    cnn_name_slot *slot = find_slot(names, name, hash);
    assert(!slot->name);
    *slot = (cnn_name_slot){ name, hash, place };
    names->count++;
    return true;
}

/* Those behind it that a search would no longer reach move into the empty slot. */
void cnn_names_remove(cnn_names *names, const char *name)
{
    size_t mask = names->size - 1;
    size_t hole = (size_t)(find_slot(names, name, hash_of(names, name)) - names->slots);
    assert(names->slots[hole].name);
    for (size_t at = (hole + 1) & mask; names->slots[at].name; at = (at + 1) & mask) {
        size_t home = names->slots[at].hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        names->slots[hole] = names->slots[at];
        hole = at;
    }
    names->slots[hole] = (cnn_name_slot){ 0 };
    names->count--;
}

void cnn_names_close_gap(cnn_names *names, uint32_t place)
{
    for (size_t i = 0; i < names->size; i++)
        names->slots[i].place -= names->slots[i].name && names->slots[i].place > place;
}

void cnn_names_free(cnn_context *context, cnn_names *names)
{
    cnn_release(context, names->slots);
    *names = (cnn_names){ 0 };
}
