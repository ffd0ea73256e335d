/* Cases are run in child processes, so that one that crashes or hangs is a failure like any other. */
#ifndef CNN_TESTS_RANDOM_RUNNER_H
#define CNN_TESTS_RANDOM_RUNNER_H

#include "operations.h"

enum { WHY_SIZE = 1024 };

typedef struct runner_options {
    bool threads_only;
    int32_t seconds;    /* that a case may take */
    const char *folder; /* for files */
} runner_options;

/* Runs cases drawn from the seeds `first` to `first` + `count` − 1 in one child. Returns how many passed before one
 * failed; `count` if none did. `why` has WHY_SIZE bytes. */
int32_t runner_run_seeds(const runner_options *options, uint64_t first, int32_t count, char *why);

/* Runs one case in a child of its own; `quiet`: what it prints is lost. */
case_result runner_run_case(const runner_options *options, const random_case *it, bool quiet, char *why);

#endif
