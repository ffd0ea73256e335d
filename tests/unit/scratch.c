#define _GNU_SOURCE /* nftw, mkdtemp */
#include "scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

int scratch_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/cnn-test-XXXXXX", base ? base : "/tmp");
    *state = mkdtemp(folder);
    return *state ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info, (void)type, (void)place;
    return remove(path);
}

int scratch_teardown(void **state)
{
    return nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(const char *base, const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", base, name);
    return path;
}

static bool put_byte(FILE *file, long place, int byte)
{
    return !fseek(file, place, SEEK_SET) && fputc(byte, file) != EOF && !fflush(file);
}

bool scratch_change_each_byte(const char *path, void (*visit)(const char *path, void *user), void *user)
{
    FILE *file = fopen(path, "r+b");
    bool good = file && !fseek(file, 0, SEEK_END);
    const long size = good ? ftell(file) : 0;
    for (long i = 0; i < size && good; i++) {
        const int sound = fseek(file, i, SEEK_SET) ? EOF : fgetc(file);
        good = sound != EOF && put_byte(file, i, sound ^ (1 << i % 8));
        if (good)
            visit(path, user);
        good = good && put_byte(file, i, sound);
    }
    return file && !fclose(file) && good && size > 0;
}

static void *take(size_t size, void *user)
{
    scratch_memory *memory = user;
    if (memory->taken >= memory->allowed)
        return NULL;
    memory->taken++;
    memory->held++;
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void give(void *bytes, void *user)
{
    ((scratch_memory *)user)->held--;
    free(bytes);
}

cnn_context *scratch_context(scratch_memory *memory)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 1;
    options.allocate = take;
    options.release = give;
    options.allocator_user = memory;
    cnn_context *context;
    return cnn_context_create(&options, &context) ? NULL : context;
}
