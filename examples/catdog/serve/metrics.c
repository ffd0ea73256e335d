#include "serve/metrics.h"

#include <stdlib.h>

#include "cli/memory_stream.h"

/* The status codes that are counted; any other counts as the last one. */
static const unsigned codes[METRICS_CODES] = { 200, 204, 304, 400, 403, 404, 405, 413, 415, 421, 422, 503, 500 };

static const double bounds[METRICS_BUCKETS] = { 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30 };

void metrics_count_request(metrics *m, unsigned code)
{
    int i = 0;
    while (i < METRICS_CODES - 1 && codes[i] != code)
        i++;
    atomic_fetch_add(&m->requests[i], 1);
}

void metrics_count_dropped(metrics *m)
{
    atomic_fetch_add(&m->dropped, 1);
}

void metrics_count_photographs(metrics *m, uint64_t classified, uint64_t refused)
{
    atomic_fetch_add(&m->classified, classified);
    atomic_fetch_add(&m->refused, refused);
}

void metrics_count_batch(metrics *m, uint64_t photographs)
{
    atomic_fetch_add(&m->batches, 1);
    atomic_fetch_add(&m->in_batches, photographs);
}

void metrics_count_prediction(metrics *m, double seconds)
{
    int i = 0;
    while (i < METRICS_BUCKETS && seconds > bounds[i])
        i++;
    atomic_fetch_add(&m->buckets[i], 1);
    atomic_fetch_add(&m->microseconds, (unsigned long long)(1e6 * seconds));
}

void metrics_set_waiting(metrics *m, uint64_t photographs)
{
    atomic_store(&m->waiting, photographs);
}

static void write_head(FILE *file, const char *name, const char *type, const char *help)
{
    fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_one(FILE *file, const char *name, const char *type, const char *help, unsigned long long value)
{
    write_head(file, name, type, help);
    fprintf(file, "%s %llu\n", name, value);
}

static void write_histogram(FILE *file, const metrics *m)
{
    static const char name[] = "catdog_predict_duration_seconds";
    unsigned long long count = 0;
    write_head(file, name, "histogram", "Time from a request's head to its answer, for POST /v1/predict.");
    for (int i = 0; i < METRICS_BUCKETS; i++) {
        count += atomic_load(&m->buckets[i]);
        fprintf(file, "%s_bucket{le=\"%g\"} %llu\n", name, bounds[i], count);
    }
    count += atomic_load(&m->buckets[METRICS_BUCKETS]);
    fprintf(file, "%s_bucket{le=\"+Inf\"} %llu\n", name, count);
    fprintf(file, "%s_sum %.6f\n", name, 1e-6 * (double)atomic_load(&m->microseconds));
    fprintf(file, "%s_count %llu\n", name, count);
}

static void write_all(FILE *file, const metrics *m)
{
    write_head(file, "catdog_requests_total", "counter", "Requests that were answered, by status code.");
    for (int i = 0; i < METRICS_CODES; i++)
        fprintf(file, "catdog_requests_total{code=\"%u\"} %llu\n", codes[i], atomic_load(&m->requests[i]));
    write_one(file, "catdog_requests_dropped_total", "counter",
              "Requests whose client went away or was too slow before there was an answer.", atomic_load(&m->dropped));
    write_head(file, "catdog_photographs_total", "counter", "Photographs, by what became of them.");
    fprintf(file, "catdog_photographs_total{result=\"classified\"} %llu\n", atomic_load(&m->classified));
    fprintf(file, "catdog_photographs_total{result=\"refused\"} %llu\n", atomic_load(&m->refused));
    write_histogram(file, m);
    write_one(file, "catdog_batches_total", "counter", "Batches that were computed.", atomic_load(&m->batches));
    write_one(file, "catdog_batch_photographs_total", "counter", "Photographs in those batches.",
              atomic_load(&m->in_batches));
    write_one(file, "catdog_queue_depth", "gauge", "Photographs that wait.", atomic_load(&m->waiting));
    write_one(file, "catdog_queue_capacity", "gauge", "Photographs that may wait.", atomic_load(&m->capacity));
    write_one(file, "catdog_connections", "gauge", "Connections that are open.", atomic_load(&m->connections));
    write_one(file, "catdog_held_bytes", "gauge", "Memory that holds photographs as they were sent.",
              atomic_load(m->held));
}

char *metrics_text(const metrics *m)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return NULL;
    write_all(file, m);
    if (memory_stream_close(file, &text))
        return text;
    free(text);
    return NULL;
}
