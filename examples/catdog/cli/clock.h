/* A clock that runs on whatever happens to the date. */
#ifndef CATDOG_CLI_CLOCK_H
#define CATDOG_CLI_CLOCK_H

#include <time.h>

/* Seconds since an arbitrary moment. */
static inline double clock_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

#endif
