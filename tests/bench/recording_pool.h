/* A pool, linked in the place of core/thread_pool.c, that runs all tasks on the calling thread and records how long
 * each one takes. */
#ifndef TESTS_BENCH_RECORDING_POOL_H
#define TESTS_BENCH_RECORDING_POOL_H

#include <stddef.h>

typedef struct recorded_job {
    int label;           /* that was set last before it */
    size_t tasks, first; /* first: of its tasks' seconds among those of all jobs */
    double before;       /* seconds of the caller alone since the job before it */
} recorded_job;

typedef struct recording {
    const recorded_job *jobs;
    size_t count;
    const double *seconds; /* of tasks */
    double after;          /* seconds of the caller alone since the last job */
} recording;

void recording_label(int label);

/* What runs between the two is recorded. After the first time it must be the same again, job by job, and the least
 * seconds are kept: whatever else the processor does can only make them more. */
void recording_start(void);
void recording_stop(void);

/* Valid until recording_clear, which forgets all of it. */
recording recording_get(void);
void recording_clear(void);

#endif
