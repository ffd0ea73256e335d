/* Goes before the C library in a program (LD_PRELOAD), and makes the FAULT_AT-th allocation after main() has begun
 * fail: the program's own, and those of every library in it but two. For Pango and what it uses GLib ends the program
 * where memory is short; when glibc loads a library, one of its allocations does. Time stands still but for a step at
 * each look at the clock, so that the same is computed whenever it runs. The number of allocations, and whose the one
 * that failed was, are written to FAULT_REPORT. With FAULT_TRACE set, what called the one that failed is printed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "interpose.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

typedef int main_function(int argc, char **argv, char **environment);

static main_function *program;
static atomic_long count, ticks;
static long fail_at;
static bool counts, traces;
static const char *report, *caller;

static void write_report(void)
{
    counts = false;
    char text[300];
    int length = snprintf(text, sizeof text, "%ld %s\n", (long)count, caller ? caller : "none");
    int file = report && getenv("FAULT_AT") ? open(report, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    if (file < 0)
        return;
    if (write(file, text, (size_t)length) != length)
        _exit(3);
    close(file);
}

/* Whose allocation fails: the first library that isn't C's or this. Is reported at once, as some don't survive it. */
static void name_caller(void *const *frames, int depth)
{
    Dl_info own, found;
    dladdr((void *)(uintptr_t)name_caller, &own);
    for (int i = 0; i < depth && !caller; i++)
        if (dladdr(frames[i], &found) && found.dli_fbase != own.dli_fbase && !strstr(found.dli_fname, "/libc.so"))
            caller = found.dli_fname;
    write_report();
}

static bool is_for_pango_or_loading(void)
{
    static const char *const names[] = { "libpango",    "libglib",     "libgobject", "libfontconfig",
                                         "libharfbuzz", "libfreetype", "libfribidi", "/ld-linux" };
    void *frames[64];
    int depth = backtrace(frames, 64);
    for (int i = 0; i < depth; i++) {
        Dl_info info;
        if (!dladdr(frames[i], &info) || !info.dli_fname)
            continue;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (strstr(info.dli_fname, names[k]))
                return true;
    }
    return false;
}

static bool fails(void)
{
    if (!counts || atomic_fetch_add(&count, 1) + 1 != fail_at || is_for_pango_or_loading())
        return false;
    void *frames[32];
    int depth = backtrace(frames, 32);
    name_caller(frames, depth);
    if (traces)
        backtrace_symbols_fd(frames, depth, STDERR_FILENO);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    return fails() ? NULL : __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = fails() ? NULL : __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    bool waits = syscall(SYS_gettid) != getpid(); /* for work, with a limit: how often depends on who comes first */
    if (clock != CLOCK_MONOTONIC || waits)
        return (int)syscall(SYS_clock_gettime, clock, time);
    long now = atomic_fetch_add(&ticks, 1);
    *time = (struct timespec){ .tv_sec = now / 100, .tv_nsec = now % 100 * 10000000 };
    return 0;
}

static int counted_main(int argc, char **argv, char **environment)
{
    const char *at = getenv("FAULT_AT");
    fail_at = at ? atol(at) : 0;
    report = getenv("FAULT_REPORT");
    traces = getenv("FAULT_TRACE");
    void *frames[1];
    backtrace(frames, 1); /* its first use takes memory */
    atexit(write_report);
    syscall(SYS_getpgid, FAULT_MARK);
    counts = at;
    return program(argc, argv, environment);
}

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    void *found = dlsym(RTLD_NEXT, "__libc_start_main");
    __typeof__(&__libc_start_main) start;
    memcpy(&start, &found, sizeof start);
    program = main;
    return start(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}
