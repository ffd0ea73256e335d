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
    uint64_t memory_bytes;    /* of all requests' photographs */
    uint64_t connections;     /* at once */
    uint64_t idle_seconds;    /* in which a client neither sends nor takes anything */
    uint64_t request_seconds; /* in which a client sends its whole request, or takes its whole answer */
} serve_limits;

#endif
