/* Runs work in a process of its own, which tells its memory from that of other work. */
#ifndef CATDOG_BENCH_SUBPROCESS_H
#define CATDOG_BENCH_SUBPROCESS_H

#include <stddef.h>

/* Fills in `result`. Returns EXIT_DONE, or another status with a sentence printed. Must not write to standard output.
 */
typedef int (*subprocess_work)(const void *setting, void *result);

typedef struct subprocess_cost {
    double seconds;   /* from before the process started until its result arrived */
    double memory_mb; /* at its peak */
} subprocess_cost;

/* Returns what the work returned, or EXIT_FAILED with a sentence printed. The caller must not have threads. `cost` may
 * be NULL. */
int subprocess_run(subprocess_work work, const void *setting, void *result, size_t size, subprocess_cost *cost);

#endif
