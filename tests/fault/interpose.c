/* Goes before the C library in a program (LD_PRELOAD), and makes one allocation after main() has begun fail: the
 * program's own, and those of every library in it but two. For Pango and what it uses GLib ends the program where
 * memory is short; when glibc loads a library, one of its allocations does. An allocation is known by where it is asked
 * for, which is a number made of the stack, and by how often it was asked for there before: both are the same in each
 * run, while Pango's allocations come in other numbers. With FAULT_LIST, all that can fail are written there, a place a
 * line; with FAULT_AT=PLACE:COUNT, the COUNT-th of that place fails, and whose it was is written to FAULT_REPORT. Time
 * stands still but for a step at each look at the clock, so that the same is computed whenever it runs. With
 * FAULT_TRACE set, what called the one that failed is printed. */
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

enum { PAGE_BITS = 12, PAGE_MASK = (1 << PAGE_BITS) - 1 };

typedef int main_function(int argc, char **argv, char **environment);

static main_function *program;
static atomic_long met, ticks;
static uint64_t fail_at; /* the place; 0: none */
static long fail_count;
static int list = -1;
static bool counts, traces;
static const char *report;

static void write_all(int file, const char *text, int length)
{
    if (write(file, text, (size_t)length) != length)
        _exit(3);
}

static void write_report(const char *caller)
{
    char text[300];
    int length = snprintf(text, sizeof text, "%s\n", caller);
    int file = report ? open(report, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    if (file < 0)
        return;
    write_all(file, text, length);
    close(file);
}

/* Whose allocation fails: the first library that isn't C's or this. Is reported at once, as some don't survive it. */
static void name_caller(void *const *frames, int depth)
{
    const char *caller = NULL;
    Dl_info own, found;
    dladdr((void *)(uintptr_t)name_caller, &own);
    for (int i = 0; i < depth && !caller; i++)
        if (dladdr(frames[i], &found) && found.dli_fbase != own.dli_fbase && !strstr(found.dli_fname, "/libc.so"))
            caller = found.dli_fname;
    write_report(caller ? caller : "none");
}

static bool is_of_pango_or_loading(const char *library)
{
    static const char *const names[] = { "libpango",    "libglib",     "libgobject", "libfontconfig",
                                         "libharfbuzz", "libfreetype", "libfribidi", "/ld-linux" };
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strstr(library, names[k]))
            return true;
    return false;
}

/* The place that asks: of where the stack's calls lie in their libraries, and in its last bits of the last call. 0: it
 * never fails. */
static uint64_t place_of(const void *call)
{
    Dl_info own, found;
    void *frames[64];
    int depth = backtrace(frames, 64);
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a's, by numbers instead of bytes */
    dladdr((void *)(uintptr_t)place_of, &own);
    for (int i = 0; i < depth; i++) {
        if (!dladdr(frames[i], &found) || !found.dli_fname || found.dli_fbase == own.dli_fbase)
            continue;
        if (is_of_pango_or_loading(found.dli_fname))
            return 0;
        hash = (hash ^ (uint64_t)((char *)frames[i] - (char *)found.dli_fbase)) * 0x100000001b3;
    }
    return hash << PAGE_BITS | ((uintptr_t)call & PAGE_MASK);
}

static void list_place(const void *call)
{
    char line[24];
    uint64_t place = place_of(call);
    if (place)
        write_all(list, line, snprintf(line, sizeof line, "%llx\n", (unsigned long long)place));
}

/* The last bits of the call, which is loaded at pages, are compared first: stacks take long to walk. */
static bool fails(const void *call)
{
    if (!counts)
        return false;
    if (list >= 0)
        list_place(call);
    if (!fail_at || ((uintptr_t)call & PAGE_MASK) != (fail_at & PAGE_MASK) || place_of(call) != fail_at ||
        atomic_fetch_add(&met, 1) + 1 != fail_count)
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
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = fails(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
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

typedef int begin_compressing(void *stream, int level, int method, int window_bits, int memory, int strategy,
                              const char *version, int size);
typedef void *begin_png(const char *version, void *closure, void (*error)(void), void (*warning)(void));

begin_compressing deflateInit2_;
begin_png png_create_write_struct;

/* Pictures are compressed as little as can be: else it would take most of a command's time. */
int deflateInit2_(void *stream, int level, int method, int window_bits, int memory, int strategy, const char *version,
                  int size)
{
    (void)level;
    void *found = dlsym(RTLD_NEXT, "deflateInit2_");
    begin_compressing *begin;
    memcpy(&begin, &found, sizeof begin);
    return begin(stream, 1, method, window_bits, memory, strategy, version, size);
}

/* The same: of filters, the one that does nothing. */
void *png_create_write_struct(const char *version, void *closure, void (*error)(void), void (*warning)(void))
{
    enum { PNG_FILTER_NONE = 8 };
    void *found = dlsym(RTLD_NEXT, "png_create_write_struct"), *filter = dlsym(RTLD_DEFAULT, "png_set_filter");
    begin_png *begin;
    void (*set_filter)(void *png, int method, int filters);
    memcpy(&begin, &found, sizeof begin);
    memcpy(&set_filter, &filter, sizeof set_filter);
    void *png = begin(version, closure, error, warning);
    if (png)
        set_filter(png, 0, PNG_FILTER_NONE);
    return png;
}

static void read_settings(void)
{
    const char *at = getenv("FAULT_AT"), *places = getenv("FAULT_LIST");
    char *end = NULL;
    if (at) {
        fail_at = strtoull(at, &end, 16);
        fail_count = *end == ':' ? strtol(end + 1, NULL, 10) : 1;
    }
    if (places)
        list = open(places, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    report = getenv("FAULT_REPORT");
    traces = getenv("FAULT_TRACE");
    counts = fail_at || list >= 0;
}

static int counted_main(int argc, char **argv, char **environment)
{
    void *frames[1];
    backtrace(frames, 1); /* its first use takes memory */
    syscall(SYS_getpgid, FAULT_MARK);
    read_settings();
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
