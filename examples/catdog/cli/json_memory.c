#include "cli/json_memory.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>

/* When memory runs out while a text is parsed, jansson 2.14 drops bytes, or aborts by an assertion. Its last
 * allocations therefore come from this reserve, which is never released. */
enum { RESERVE = 1 << 20, ALIGNMENT = 16 };
static _Alignas(ALIGNMENT) char reserve[RESERVE];
static atomic_size_t reserve_used;

static _Thread_local int ran_out;

void json_memory_lost(void)
{
    ran_out = 1;
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    if (!memory && size <= RESERVE) {
        size_t needed = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT, used = atomic_fetch_add(&reserve_used, needed);
        memory = used <= RESERVE - needed ? reserve + used : NULL;
    }
    if (!memory)
        json_memory_lost();
    return memory;
}

void json_memory_release(void *memory)
{
    uintptr_t place = (uintptr_t)memory, first = (uintptr_t)reserve;
    if (place < first || place >= first + RESERVE)
        free(memory);
}

void json_memory_watch(void)
{
    json_set_alloc_funcs(allocate, json_memory_release);
}

int json_memory_ran_out(void)
{
    int before = ran_out;
    ran_out = 0;
    return before;
}
