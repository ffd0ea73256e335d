/* What the server takes, at most. */
#ifndef CATDOG_SERVE_LIMITS_H
#define CATDOG_SERVE_LIMITS_H

#include <stdint.h>

typedef struct serve_limits {
    uint64_t body_bytes;      /* in a request */
    uint64_t photographs;     /* in a request */
    uint64_t pixels;          /* of a photograph, as it is stored */
    uint64_t waiting;         /* photographs that wait for the classifier */
    uint64_t batch;           /* photographs that are classified together */
    uint64_t memory_bytes;    /* half for all requests' photographs, half for decoding them */
    uint64_t connections;     /* at once */
    uint64_t idle_seconds;    /* in which a client neither sends nor takes anything */
    uint64_t request_seconds; /* in which a client sends its whole request, or takes its whole answer */
} serve_limits;

/* The parts of the memory. What waits can't keep the decoder from making it less, nor can photographs that are slow to
 * decode keep others waiting. */
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
