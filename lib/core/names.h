/* Finding names among many: the places of named things in an array, by their names. The time of a search doesn't grow
 * with their number, whoever chose the names. */
#ifndef CNN_CORE_NAMES_H
#define CNN_CORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>

#define CNN_NO_PLACE UINT32_MAX

typedef struct cnn_name_slot {
    const char *name; /* NULL: empty */
    uint32_t hash, place;
} cnn_name_slot;

/* Begins as zeros. The names are their owner's, and stay where they are. */
typedef struct cnn_names {
    cnn_name_slot *slots;
    size_t size, count;
    uint64_t key; /* of the hash */
} cnn_names;

uint32_t cnn_names_find(const cnn_names *names, const char *name); /* CNN_NO_PLACE if it isn't there */

/* Adds a name that isn't there yet. False, with the error set, if there is no memory. */
bool cnn_names_add(cnn_context *context, cnn_names *names, const char *name, uint32_t place);

/* Takes out a name that is there. */
void cnn_names_remove(cnn_names *names, const char *name);

/* What lies behind a place that has gone moves one place down. */
void cnn_names_close_gap(cnn_names *names, uint32_t place);

void cnn_names_free(cnn_context *context, cnn_names *names);

#endif
