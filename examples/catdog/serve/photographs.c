#include "serve/photographs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

photograph *photographs_add(photographs *all, const char *name)
{
    photograph **items = realloc(all->items, (all->count + 1) * sizeof(photograph *));
    if (!items)
        return NULL;
    all->items = items;
    photograph *one = calloc(1, sizeof *one + all->classes * sizeof *one->probabilities);
    if (!one)
        return NULL;
    one->request = all;
    cnn_prediction_init(&one->prediction);
    one->prediction.probabilities = one->probabilities;
    one->prediction.probability_capacity = all->classes;
    one->prediction.error = one->sentence;
    one->prediction.error_capacity = sizeof one->sentence;
    if (name && !(one->name = strdup(name))) {
        free(one);
        return NULL;
    }
    return all->items[all->count++] = one;
}

static int spend(memory_budget *budget, size_t bytes)
{
    if (atomic_fetch_add(&budget->used, bytes) + bytes <= budget->limit)
        return 0;
    atomic_fetch_sub(&budget->used, bytes);
    return -1;
}

/* Growing by half keeps the number of copies small. */
static int grow(photograph *one, size_t least)
{
    const size_t smallest = (size_t)64 << 10;
    size_t capacity = one->capacity + one->capacity / 2;
    capacity = capacity > smallest ? capacity : smallest;
    capacity = capacity > least ? capacity : least;
    if (spend(one->request->budget, capacity - one->capacity))
        return -1;
    unsigned char *bytes = realloc(one->bytes, capacity);
    if (!bytes) {
        atomic_fetch_sub(&one->request->budget->used, capacity - one->capacity);
        return -1;
    }
    one->bytes = bytes;
    one->capacity = capacity;
    return 0;
}

int photograph_append(photograph *one, const void *bytes, size_t size)
{
    if (size > one->capacity - one->size && grow(one, one->size + size))
        return -1;
    memcpy(one->bytes + one->size, bytes, size);
    one->size += size;
    return 0;
}

void photograph_refuse(photograph *one, cnn_status status, const char *sentence)
{
    one->prediction.status = status;
    snprintf(one->sentence, sizeof one->sentence, "%s", sentence);
}

void photograph_release_bytes(photograph *one)
{
    atomic_fetch_sub(&one->request->budget->used, one->capacity);
    free(one->bytes);
    one->bytes = NULL;
    one->size = one->capacity = 0;
}

void photographs_release(photographs *all)
{
    for (size_t i = 0; i < all->count; i++) {
        photograph_release_bytes(all->items[i]);
        cnn_tensor_destroy(all->items[i]->heat_map);
        free(all->items[i]->name);
        free(all->items[i]);
    }
    free(all->items);
    all->items = NULL;
    all->count = 0;
}
