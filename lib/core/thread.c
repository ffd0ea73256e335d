#include "core/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "core/error.h"

bool cnn_thread_start(cnn_thread *thread, void *(*run)(void *argument), void *argument)
{
    /* What a thread's own instruction causes comes to that thread, blocked or not: a handler that reports crashes is
     * to see it. */
    static const int of_the_thread[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof of_the_thread / sizeof *of_the_thread; i++)
        sigdelset(&blocked, of_the_thread[i]);
    if (pthread_sigmask(SIG_SETMASK, &blocked, &before))
        return false;
    bool started = !pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void cnn_thread_join(cnn_thread thread)
{
    pthread_join(thread, NULL);
}

void cnn_thread_yield(void)
{
    sched_yield();
}

bool cnn_mutex_init(cnn_mutex *mutex)
{
    if (!pthread_mutex_init(mutex, NULL))
        return true;
    cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: a lock can't be made");
    return false;
}

void cnn_mutex_destroy(cnn_mutex *mutex)
{
    pthread_mutex_destroy(mutex);
}

void cnn_mutex_lock(cnn_mutex *mutex)
{
    pthread_mutex_lock(mutex);
}

void cnn_mutex_unlock(cnn_mutex *mutex)
{
    pthread_mutex_unlock(mutex);
}

void cnn_condition_init(cnn_condition *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void cnn_condition_destroy(cnn_condition *condition)
{
    pthread_cond_destroy(condition);
}

void cnn_condition_wait(cnn_condition *condition, cnn_mutex *mutex)
{
    pthread_cond_wait(condition, mutex);
}

bool cnn_condition_wait_for(cnn_condition *condition, cnn_mutex *mutex, unsigned seconds)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    return pthread_cond_timedwait(condition, mutex, &end) != ETIMEDOUT;
}

void cnn_condition_signal(cnn_condition *condition)
{
    pthread_cond_signal(condition);
}

void cnn_condition_broadcast(cnn_condition *condition)
{
    pthread_cond_broadcast(condition);
}

void cnn_call_once(cnn_once *once, void (*function)(void))
{
    pthread_once(once, function);
}
