/* The photographs of one request: their bytes, and what the classifier says of them. */
#ifndef CATDOG_SERVE_PHOTOGRAPHS_H
#define CATDOG_SERVE_PHOTOGRAPHS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/cnn.h>

#include "serve/decode_cost.h"

/* Bytes of all requests together. */
typedef struct memory_budget {
    atomic_size_t used;
    size_t limit;
} memory_budget;

struct photographs;

typedef struct photograph {
    struct photographs *request;
    struct photograph *next_in_queue;
    uint64_t turn; /* in the queue */
    char *name;    /* as the client calls it; NULL: it doesn't */
    unsigned char *bytes;
    size_t size, capacity;
    decode_cost cost;
    cnn_prediction prediction; /* its status is not CNN_OK if the photograph was refused */
    cnn_tensor *heat_map;      /* NULL: none */
    char sentence[256];        /* of the prediction */
    float probabilities[];     /* of each class */
} photograph;

typedef struct photographs {
    memory_budget *budget;
    uint32_t classes; /* of the classifier */
    photograph **items;
    size_t count;
    int heat_maps;      /* are wanted */
    size_t pending;     /* that the queue has; its own */
    uint64_t arrival;   /* in the queue: its number; its own */
    atomic_int dropped; /* by the queue: some of them it never classified */
    void (*done)(void *user);
    int (*is_abandoned)(void *user); /* whether nobody waits for the answer any more */
    void *user;
} photographs;

/* Adds one without bytes. NULL if memory is short. `name` may be NULL and is copied. */
photograph *photographs_add(photographs *all, const char *name);

/* Adds bytes to one; not 0 if memory is short or the budget is spent. */
int photograph_append(photograph *one, const void *bytes, size_t size);

/* Says that it can't be used, and why. */
void photograph_refuse(photograph *one, cnn_status status, const char *sentence);

void photograph_release_bytes(photograph *one);
void photographs_release(photographs *all);

#endif
