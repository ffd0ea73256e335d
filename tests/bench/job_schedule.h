/* When a job's tasks would be ready if several threads shared them as the pool does. */
#ifndef TESTS_BENCH_JOB_SCHEDULE_H
#define TESTS_BENCH_JOB_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

/* What the pool itself takes, in seconds. */
typedef struct pool_cost {
    double start; /* of a job: until its threads have begun, and until the caller knows that they are done */
    double take;  /* of a task by a thread */
} pool_cost;

enum { MOST_THREADS = 256 };

/* Seconds from the job's start to its end. Each thread takes the tasks of its own part in order, then those of the next
 * thread that has some left. A job of one task, and one thread, run without the pool. */
double schedule_job(const double *seconds, size_t tasks, uint32_t threads, pool_cost cost);

#endif
