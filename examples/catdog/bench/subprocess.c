#include "bench/subprocess.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/clock.h"
#include "cli/output.h"

static int write_all(int to, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size) {
        ssize_t written = write(to, at, size);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            at += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

static int read_all(int from, void *bytes, size_t size)
{
    char *at = bytes;
    while (size) {
        ssize_t got = read(from, at, size);
        if (got == 0 || (got < 0 && errno != EINTR))
            return -1;
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        }
    }
    return 0;
}

/* In the new process: the result, then the memory. */
static void work_and_end(subprocess_work work, const void *setting, void *result, size_t size, int to)
{
    int status = work(setting, result);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const double memory_mb = (double)usage.ru_maxrss / 1024;
    if (status == EXIT_DONE && (write_all(to, result, size) || write_all(to, &memory_mb, sizeof memory_mb)))
        status = EXIT_FAILED;
    _exit(status);
}

static int wait_for(pid_t process)
{
    int status;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return EXIT_FAILED;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    output_error("a process of the benchmark was killed: %s", strsignal(WTERMSIG(status)));
    return EXIT_FAILED;
}

int subprocess_run(subprocess_work work, const void *setting, void *result, size_t size, subprocess_cost *cost)
{
    int ends[2];
    double memory_mb = 0;
    fflush(NULL); /* or both processes write it */
    double start = clock_now();
    if (pipe(ends)) {
        output_error("a pipe can't be created: %s", strerror(errno));
        return EXIT_FAILED;
    }
    pid_t process = fork();
    if (!process) {
        close(ends[0]);
        work_and_end(work, setting, result, size, ends[1]);
    }
    close(ends[1]);
    if (process < 0)
        output_error("a process can't be started: %s", strerror(errno));
    int whole = process > 0 && !read_all(ends[0], result, size) && !read_all(ends[0], &memory_mb, sizeof memory_mb);
    double end = clock_now();
    close(ends[0]);
    int status = process > 0 ? wait_for(process) : EXIT_FAILED;
    if (cost)
        *cost = (subprocess_cost){ end - start, memory_mb };
    return status == EXIT_DONE && !whole ? EXIT_FAILED : status;
}
