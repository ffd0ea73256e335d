/* A wait with a limit ends after some milliseconds, so that a test needn't wait until idle threads end. */
#ifndef CNN_TESTS_UNIT_CORE_SHORT_WAIT_H
#define CNN_TESTS_UNIT_CORE_SHORT_WAIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

static atomic_bool waits_are_short;
int __real_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *end);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *end);

/* The linker puts this in the place of the C library's. */
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *end)
{
    struct timespec soon;
    clock_gettime(CLOCK_MONOTONIC, &soon);
    soon.tv_nsec += 10000000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    return __real_pthread_cond_timedwait(condition, mutex, atomic_load(&waits_are_short) ? &soon : end);
}

#endif
