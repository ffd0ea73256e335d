/* What a forked process does, and whether it does it. */
#ifndef CNN_TESTS_CHILD_H
#define CNN_TESTS_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* AddressSanitizer of gcc 12 leaves its allocator locked in a child if another thread was allocating when the fork
 * came; so there a child that hangs is tried again. A hang of the library's own shows in the builds without it. */
#ifdef __SANITIZE_ADDRESS__
enum { CHILD_TRIES = 4 };
#else
enum { CHILD_TRIES = 1 };
#endif

/* The child's status as waitpid gives it: 0 if act(argument) was true there. A child that takes longer than this many
 * seconds is ended by SIGALRM. */
static int child_status(bool (*act)(void *), void *argument, unsigned seconds)
{
    int status = -1;
    fflush(NULL);
    for (int i = 0; i < CHILD_TRIES; i++) {
        pid_t child = fork();
        if (!child) {
            alarm(seconds);
            _exit(act(argument) ? 0 : 1);
        }
        if (child < 0 || waitpid(child, &status, 0) != child)
            return -1;
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGALRM)
            return status;
    }
    return status;
}

#endif
