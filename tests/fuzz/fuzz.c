#define _GNU_SOURCE /* nftw */
#include "fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any input here has a right to, and far below what libFuzzer stops at. */
static const size_t memory_limit = (size_t)512 << 20;

static size_t memory_used;
static int64_t allocations_left = -1;
static int failed;

static void *allocate(size_t size, void *user)
{
    (void)user;
    if (allocations_left-- == 0 || size > memory_limit - memory_used) {
        failed = 1;
        return NULL;
    }
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    if (memory)
        memory_used += malloc_usable_size(memory);
    return memory;
}

static void release(void *memory, void *user)
{
    (void)user;
    if (memory)
        memory_used -= malloc_usable_size(memory);
    free(memory);
}

cnn_context *fuzz_context(uint32_t choice)
{
    static cnn_context *context;
    if (!context) {
        cnn_context_options options;
        cnn_context_options_init(&options);
        options.threads = 1;
        options.allocate = allocate;
        options.release = release;
        if (cnn_context_create(&options, &context))
            fuzz_fail("the context can't be made");
    }
    failed = 0;
    allocations_left = choice % 7 ? -1 : (int64_t)(choice / 7 % 64);
    return context;
}

int fuzz_allocations_succeed(void)
{
    allocations_left = -1;
    return failed;
}

uint32_t fuzz_hash(const uint8_t *data, size_t size)
{
    uint32_t value = 2166136261u;
    for (size_t i = 0; i < size; i++)
        value = (value ^ data[i]) * 16777619u;
    return value;
}

static char folder[256];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_path(const char *name)
{
    static char path[512];
    if (!*folder) {
        snprintf(folder, sizeof folder, "%s/cnn-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
        if (!mkdtemp(folder))
            fuzz_fail("a folder for files can't be made");
        atexit(remove_folder);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

const char *fuzz_write_file(const char *name, const uint8_t *data, size_t size)
{
    const char *path = fuzz_path(name);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (descriptor < 0 || write(descriptor, data, size) != (ssize_t)size)
        fuzz_fail("a file can't be written");
    close(descriptor);
    return path;
}

void fuzz_fail(const char *sentence)
{
    fprintf(stderr, "fuzz target: %s; the last error was: %s\n", sentence, cnn_last_error());
    abort();
}
