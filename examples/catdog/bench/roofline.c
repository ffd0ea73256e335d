#define _GNU_SOURCE /* sched_getaffinity */
#include "bench/roofline.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peak_flops.h"
#include "cli/clock.h"

enum { REPEATS = 8, FEW_THREADS = 4 };

typedef struct worker {
    pthread_t thread;
    const char *instruction_set;
    uint64_t *from, *to;
    size_t bytes; /* of each of the two */
    uint64_t sum;
    roofline_limits limits;
} worker;

static void *compute(void *argument)
{
    worker *w = argument;
    w->limits.fp32 = peak_gflops(w->instruction_set);
    w->limits.bf16 = peak_bf16_gflops(w->instruction_set);
    w->limits.int8 = peak_int8_gops(w->instruction_set);
    return NULL;
}

static uint64_t sum_of(const uint64_t *words, size_t count)
{
    enum { CHAINS = 32 };
    uint64_t sums[CHAINS] = { 0 }, sum = 0;
    for (size_t i = 0; i < count; i += CHAINS)
        for (size_t chain = 0; chain < CHAINS; chain++)
            sums[chain] += words[i + chain];
    for (size_t chain = 0; chain < CHAINS; chain++)
        sum += sums[chain];
    return sum;
}

static void keep_best(double *best, double rate)
{
    *best = rate > *best ? rate : *best;
}

static void *read_memory(void *argument)
{
    worker *w = argument;
    for (int i = 0; i < REPEATS; i++) {
        double start = clock_now();
        w->sum += sum_of(w->from, w->bytes / sizeof *w->from);
        keep_best(&w->limits.read, 1e-9 * (double)w->bytes / (clock_now() - start));
    }
    return NULL;
}

static void *copy_memory(void *argument)
{
    worker *w = argument;
    for (int i = 0; i < REPEATS; i++) {
        double start = clock_now();
        memcpy(w->to, w->from, w->bytes);
        keep_best(&w->limits.copy, 2e-9 * (double)w->bytes / (clock_now() - start));
    }
    return NULL;
}

/* All threads do the same at the same time. */
static int run_together(worker *workers, unsigned threads, void *(*work)(void *))
{
    unsigned started = 0;
    while (started < threads && !pthread_create(&workers[started].thread, NULL, work, &workers[started]))
        started++;
    for (unsigned i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    return started == threads ? 0 : -1;
}

static int prepare(worker *workers, unsigned threads, const char *instruction_set)
{
    for (unsigned i = 0; i < threads; i++) {
        worker *w = &workers[i];
        w->instruction_set = instruction_set;
        w->bytes = (size_t)(threads <= FEW_THREADS ? 64 : 32) << 20;
        w->from = malloc(w->bytes);
        w->to = malloc(w->bytes);
        if (!w->from || !w->to)
            return -1;
        memset(w->from, 1, w->bytes); /* pages come into being */
        memset(w->to, 1, w->bytes);
    }
    return 0;
}

static int measure(worker *workers, unsigned threads, const char *instruction_set)
{
    return prepare(workers, threads, instruction_set) || run_together(workers, threads, compute) ||
                   run_together(workers, threads, read_memory) || run_together(workers, threads, copy_memory)
               ? -1
               : 0;
}

/* More threads than processors would each have its best rate while others wait, and the sum would exceed the machine's.
 */
static unsigned count_at_once(unsigned threads)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return threads;
    unsigned processors = (unsigned)CPU_COUNT(&allowed);
    return threads < processors ? threads : processors;
}

int roofline_measure(unsigned threads, const char *instruction_set, roofline_limits *limits)
{
    *limits = (roofline_limits){ 0 };
    threads = count_at_once(threads);
    worker *workers = calloc(threads, sizeof *workers);
    if (!workers)
        return -1;
    int result = measure(workers, threads, instruction_set);
    for (unsigned i = 0; i < threads; i++) { /* each has its own best rates */
        limits->fp32 += workers[i].limits.fp32;
        limits->bf16 += workers[i].limits.bf16;
        limits->int8 += workers[i].limits.int8;
        limits->read += workers[i].limits.read;
        limits->copy += workers[i].limits.copy;
        free(workers[i].from);
        free(workers[i].to);
    }
    free(workers);
    return result;
}
