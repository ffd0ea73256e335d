/* Work in a process of its own, so that what memory it held is known, and nothing of it is left for what follows. */
#ifndef CATDOG_BENCH_SUBPROCESS_H
#define CATDOG_BENCH_SUBPROCESS_H

#include <stddef.h>

/* Fills in `result`. Gives EXIT_DONE; or something else, with a sentence printed. It may not write to standard output.
 */
typedef int (*subprocess_work)(const void *setting, void *result);

typedef struct subprocess_cost {
    double seconds;   /* from before the process began until its result was there */
    double memory_mb; /* the most that it held */
} subprocess_cost;

/* Gives what the work gave, or EXIT_FAILED with a sentence printed. The caller has no threads. `cost` may be NULL. */
int subprocess_run(subprocess_work work, const void *setting, void *result, size_t size, subprocess_cost *cost);

#endif
