/* The server's limits. */
#ifndef CATDOG_SERVE_LIMITS_H
#define CATDOG_SERVE_LIMITS_H

#include <stdint.h>

typedef struct serve_limits {
    uint64_t body_bytes;      /* in a request */
    uint64_t photographs;     /* in a request */
    uint64_t pixels;          /* width times height of a photograph */
    uint64_t waiting;         /* photographs waiting for the classifier */
    uint64_t batch;           /* photographs classified together */
    uint64_t memory_bytes;    /* half for the photographs of all requests, half for decoding */
    uint64_t connections;     /* open at once */
    uint64_t idle_seconds;    /* without traffic, after which a connection is closed */
    uint64_t request_seconds; /* to send a request in, or to receive its response in */
} serve_limits;

/* The parts of the memory: waiting photographs leave the decoder its share, and those that are slow to decode leave the
 * others theirs. */
static inline uint64_t serve_held_bytes(const serve_limits *limits)
{
    return limits->memory_bytes / 2;
}

static inline uint64_t serve_quick_bytes(const serve_limits *limits)
{
    return limits->memory_bytes / 8;
}

static inline uint64_t serve_slow_bytes(const serve_limits *limits)
{
    return limits->memory_bytes - serve_held_bytes(limits) - serve_quick_bytes(limits);
}

#endif
