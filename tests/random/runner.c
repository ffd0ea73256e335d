#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contexts.h"

/* What a child says; in memory that it shares with its parent. */
typedef struct child_message {
    int32_t passed;
    case_result result;
    char why[WHY_SIZE];
} child_message;

static child_message *shared_message(void)
{
    static child_message *shared;
    if (!shared)
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("random: mmap");
        exit(2);
    }
    return shared;
}

static void run_in_child(const runner_options *options, const random_case *it, child_message *message)
{
    alarm((unsigned)options->seconds);
    message->result = operations_run(it, options->folder, message->why, sizeof message->why);
    alarm(0);
    if (message->result == CASE_FAILED)
        _exit(1);
    message->passed++;
}

/* Returns the child's number to the parent, 0 to the child. */
static pid_t start_child(child_message *message, bool quiet)
{
    memset(message, 0, sizeof *message);
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        perror("random: fork");
        exit(2);
    }
    int nowhere = child || !quiet ? -1 : open("/dev/null", O_WRONLY);
    if (nowhere >= 0) {
        dup2(nowhere, STDERR_FILENO);
        close(nowhere);
    }
    return child;
}

/* Whether the child came to its end; if not, why. */
static bool wait_for(pid_t child, child_message *message)
{
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        return true;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(message->why, sizeof message->why, "takes too long");
    else if (WIFSIGNALED(status))
        snprintf(message->why, sizeof message->why, "crashes: %s", strsignal(WTERMSIG(status)));
    else if (message->result != CASE_FAILED)
        snprintf(message->why, sizeof message->why, "ends with status %d", WEXITSTATUS(status));
    message->result = CASE_FAILED;
    return false;
}

int32_t runner_run_seeds(const runner_options *options, uint64_t first, int32_t count, char *why)
{
    child_message *message = shared_message();
    pid_t child = start_child(message, false);
    if (!child) {
        for (int32_t i = 0; i < count; i++) {
            random_case drawn;
            case_draw(&drawn, first + (uint64_t)i, options->threads_only);
            run_in_child(options, &drawn, message);
        }
        contexts_release();
        exit(0);
    }
    bool passed = wait_for(child, message);
    memcpy(why, message->why, WHY_SIZE);
    return passed || message->passed >= count ? count : message->passed;
}

case_result runner_run_case(const runner_options *options, const random_case *it, bool quiet, char *why)
{
    child_message *message = shared_message();
    pid_t child = start_child(message, quiet);
    if (!child) {
        run_in_child(options, it, message);
        contexts_release();
        exit(0);
    }
    wait_for(child, message);
    memcpy(why, message->why, WHY_SIZE);
    return message->result;
}
