/* Goes before the C library in a program (LD_PRELOAD). From one SIGUSR1 to the next, every STARVE_EVERY-th allocation
 * fails: the program's own, and those of every library in it. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static atomic_long count;
static atomic_int starves;
static long every = 1;

static int fails(void)
{
    if (!atomic_load(&starves) || (atomic_fetch_add(&count, 1) + 1) % every)
        return 0;
    errno = ENOMEM;
    return 1;
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

/* libmicrohttpd takes the memory of a connection so. */
void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    if ((flags & MAP_ANONYMOUS) && fails())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}

static void turn(int signal)
{
    (void)signal;
    atomic_fetch_xor(&starves, 1);
}

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("STARVE_EVERY");
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = turn;
    action.sa_flags = SA_RESTART;
    every = text ? atol(text) : 1;
    sigaction(SIGUSR1, &action, NULL);
}
