#include "core/thread.h"

#include <signal.h>
#include <stddef.h>

bool cnn_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument)
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
