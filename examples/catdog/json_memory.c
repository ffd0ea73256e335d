#include "json_memory.h"

#include <stdlib.h>

#include <jansson.h>

static _Thread_local int ran_out;

void json_memory_lost(void)
{
    ran_out = 1;
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    if (!memory)
        json_memory_lost();
    return memory;
}

void json_memory_watch(void)
{
    json_set_alloc_funcs(allocate, free);
}

int json_memory_ran_out(void)
{
    int before = ran_out;
    ran_out = 0;
    return before;
}
