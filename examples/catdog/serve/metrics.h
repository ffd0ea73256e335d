/* Metrics for Prometheus. Any thread may update them. */
#ifndef CATDOG_SERVE_METRICS_H
#define CATDOG_SERVE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

enum { METRICS_CODES = 13, METRICS_BUCKETS = 14 };

typedef struct metrics {
    atomic_ullong requests[METRICS_CODES];
    atomic_ullong dropped; /* requests without a response */
    atomic_ullong classified, refused;
    atomic_ullong batches, in_batches;
    atomic_ullong buckets[METRICS_BUCKETS + 1]; /* the last one: above all bounds */
    atomic_ullong microseconds;                 /* the sum over all buckets */
    atomic_ullong waiting, capacity;
    atomic_ullong connections;
    const atomic_size_t *held; /* bytes of photographs */
} metrics;

void metrics_count_request(metrics *m, unsigned code);
void metrics_count_dropped(metrics *m);
void metrics_count_photographs(metrics *m, uint64_t classified, uint64_t refused);
void metrics_count_batch(metrics *m, uint64_t photographs);
void metrics_count_prediction(metrics *m, double seconds); /* from a request's first byte to its response */
void metrics_set_waiting(metrics *m, uint64_t photographs);

/* Prometheus' text exposition format, version 0.0.4. NULL if memory is short; the caller frees it. */
char *metrics_text(const metrics *m);

#endif
