/* Runs a fuzz target without libFuzzer: on every file in the folders given, on its beginnings, and with bytes changed.
 * Usage: fuzz_X_replay FOLDER... */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 24, CHANGES = 24, LARGEST = 1 << 20 };

/* In memory of exactly its size, so that sanitizers see every step too far. */
static void run_copy(const uint8_t *data, size_t size, size_t changed, uint8_t mask)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        exit(1);
    memcpy(copy, data, size);
    if (changed < size)
        copy[changed] ^= mask;
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_variants(const uint8_t *data, size_t size)
{
    run_copy(data, size, size, 0);
    for (size_t i = 0; i < CUTS; i++)
        run_copy(data, size * i / CUTS, size, 0);
    for (size_t i = 0; i < CHANGES; i++)
        run_copy(data, size, size * i / CHANGES + i % 5, (uint8_t)(1u << i % 8 | i));
}

static int run_file(const char *path)
{
    static uint8_t buffer[LARGEST];
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t size = fread(buffer, 1, sizeof buffer, file);
    fclose(file);
    run_variants(buffer, size);
    return 1;
}

static int run_folder(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char name[1024];
        int length = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && length > 0 && (size_t)length < sizeof name)
            count += run_file(name);
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++)
        count += run_folder(argv[i]);
    printf("%d files\n", count);
    return count ? 0 : 1;
}
