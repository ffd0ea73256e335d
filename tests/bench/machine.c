/* What the machine itself can do, on one thread and on all: arithmetic among registers, and reading and copying memory
 * that is far larger than its caches. Prints JSON.
 *   bench_machine [THREADS]
 * Copying counts the bytes read and the bytes written. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cnn/cnn.h>

#include "../kernels/peak.h"

enum { MOST_THREADS = 256, REPEATS = 8 };

static const size_t array_bytes = (size_t)64 << 20;

typedef struct worker {
    pthread_t thread;
    const char *instruction_set;
    pthread_barrier_t *barrier;
    uint64_t *from, *to;
    uint64_t sum;
    double fp32, bf16, int8, read, copy; /* GFLOP/s, GOP/s, GB/s */
} worker;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
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

/* All threads do the same at the same time; each takes its own best rate, and the rates are added up. */
static void *work(void *argument)
{
    worker *w = argument;
    pthread_barrier_wait(w->barrier);
    w->fp32 = peak_gflops(w->instruction_set);
    pthread_barrier_wait(w->barrier);
    w->bf16 = peak_bf16_gflops(w->instruction_set);
    pthread_barrier_wait(w->barrier);
    w->int8 = peak_int8_gops(w->instruction_set);
    for (int i = 0; i < REPEATS; i++) {
        pthread_barrier_wait(w->barrier);
        double start = now();
        w->sum += sum_of(w->from, array_bytes / sizeof *w->from);
        double rate = 1e-9 * (double)array_bytes / (now() - start);
        w->read = rate > w->read ? rate : w->read;
        pthread_barrier_wait(w->barrier);
        start = now();
        memcpy(w->to, w->from, array_bytes);
        rate = 2e-9 * (double)array_bytes / (now() - start);
        w->copy = rate > w->copy ? rate : w->copy;
    }
    return NULL;
}

static int measure(worker *workers, unsigned threads, const char *instruction_set)
{
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, threads);
    unsigned started = 0;
    for (; started < threads; started++) {
        worker *w = &workers[started];
        *w = (worker){ .instruction_set = instruction_set, .barrier = &barrier, .from = w->from, .to = w->to };
        if (pthread_create(&w->thread, NULL, work, w))
            return 0; /* the others wait for it: the program ends */
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_barrier_destroy(&barrier);
    return 1;
}

static void print(const worker *workers, unsigned threads, int last)
{
    worker total = { 0 };
    for (unsigned i = 0; i < threads; i++) {
        total.fp32 += workers[i].fp32;
        total.bf16 += workers[i].bf16;
        total.int8 += workers[i].int8;
        total.read += workers[i].read;
        total.copy += workers[i].copy;
    }
    printf("    { \"threads\": %u, \"fp32_gflops\": %.1f, \"bf16_gflops\": %.1f, \"int8_gops\": %.1f, "
           "\"read_gb_per_second\": %.1f, \"copy_gb_per_second\": %.1f }%s\n",
           threads, total.fp32, total.bf16, total.int8, total.read, total.copy, last ? "" : ",");
}

static int allocate(worker *workers, unsigned threads)
{
    for (unsigned i = 0; i < threads; i++) {
        workers[i].from = malloc(array_bytes);
        workers[i].to = malloc(array_bytes);
        if (!workers[i].from || !workers[i].to)
            return 0;
        memset(workers[i].from, 1, array_bytes); /* pages come into being */
        memset(workers[i].to, 1, array_bytes);
    }
    return 1;
}

static int run(worker *workers, unsigned threads, const char *instruction_set)
{
    if (!allocate(workers, threads))
        return 0;
    printf("{\n  \"instruction_set\": \"%s\",\n  \"limits\": [\n", instruction_set);
    if (!measure(workers, 1, instruction_set))
        return 0;
    print(workers, 1, threads == 1);
    if (threads > 1) {
        if (!measure(workers, threads, instruction_set))
            return 0;
        print(workers, threads, 1);
    }
    printf("  ]\n}\n");
    return 1;
}

int main(int count, char **arguments)
{
    static worker workers[MOST_THREADS];
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 0;
    cnn_context *context;
    if (cnn_context_create(&options, &context)) {
        fprintf(stderr, "%s\n", cnn_last_error());
        return 1;
    }
    unsigned threads = cnn_context_threads(context);
    int done = threads <= MOST_THREADS && run(workers, threads, cnn_context_instruction_set(context));
    if (!done)
        fprintf(stderr, "bench_machine: no memory or threads for %u threads\n", threads);
    for (unsigned i = 0; i < MOST_THREADS; i++) {
        free(workers[i].from);
        free(workers[i].to);
    }
    cnn_context_destroy(context);
    return done ? 0 : 1;
}
