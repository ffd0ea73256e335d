/* How long the loader's stages take and how many images a second it gives:
 *   bench_loader [--json] [--size N] [--workers N] [--epochs N] [--cache MIB] [--augment SPEC] PATH
 * for example  bench_loader --workers 2 PetImages */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/cnn.h>

#include "bench/loader_benchmark.h"

typedef struct bench {
    const char *path, *spec;
    unsigned long size, workers, epochs, cache_mib;
    int json, written;
} bench;

static void print(void *user, const char *name, const char *unit, double value)
{
    bench *b = user;
    if (b->json)
        printf("%s  \"%s_%s\": %.4g", b->written++ ? ",\n" : "{\n", name, unit, value);
    else
        printf("%-20s %10.1f %s\n", name, value, unit);
}

static cnn_status measure(bench *b)
{
    cnn_dataset *dataset;
    cnn_status status = cnn_dataset_open(NULL, b->path, NULL, &dataset);
    if (status)
        return status;
    const loader_benchmark_settings settings = {
        .dataset = dataset,
        .augment = b->spec,
        .size = (uint32_t)b->size,
        .workers = (uint32_t)b->workers,
        .epochs = (uint32_t)b->epochs,
        .cache_bytes = (uint64_t)b->cache_mib << 20,
    };
    status = loader_benchmark_measure(&settings, print, b);
    cnn_dataset_destroy(dataset);
    return status;
}

static int read_arguments(bench *b, int count, char **arguments)
{
    const struct {
        const char *name;
        unsigned long *value, highest;
    } numbers[] = {
        { "--size", &b->size, 4096 },
        { "--workers", &b->workers, 256 },
        { "--epochs", &b->epochs, LOADER_BENCHMARK_MOST_EPOCHS },
        { "--cache", &b->cache_mib, 1 << 20 },
    };
    for (int i = 1; i < count; i++) {
        const char *next = i + 1 < count ? arguments[i + 1] : NULL;
        int known = 0;
        for (size_t k = 0; next && k < sizeof numbers / sizeof numbers[0]; k++)
            if (!strcmp(arguments[i], numbers[k].name)) {
                *numbers[k].value = strtoul(next, NULL, 10);
                known = *numbers[k].value <= numbers[k].highest;
            }
        if (!strcmp(arguments[i], "--json")) {
            b->json = 1;
        } else if (!strcmp(arguments[i], "--augment") && next) {
            b->spec = next;
            i++;
        } else if (known) {
            i++;
        } else if (arguments[i][0] != '-' && !b->path) {
            b->path = arguments[i];
        } else {
            return 0;
        }
    }
    return b->path && b->size && b->epochs;
}

int main(int count, char **arguments)
{
    bench b = { .spec = "flip,rotation=20,zoom=0.2", .size = 150, .epochs = 3, .cache_mib = 4096 };
    if (!read_arguments(&b, count, arguments)) {
        fprintf(stderr, "usage: bench_loader [--json] [--size N] [--workers N] [--epochs N] [--cache MIB] "
                        "[--augment SPEC] PATH\n");
        return 2;
    }
    cnn_status status = measure(&b);
    if (b.written)
        printf("\n}\n");
    if (status)
        fprintf(stderr, "%s\n", cnn_last_error());
    return status ? 1 : 0;
}
