/* How long the loader's stages take and how many images a second it gives:
 *   bench_loader [--json] [--size N] [--workers N] [--epochs N] [--cache MIB] [--augment SPEC] PATH
 * for example  bench_loader --workers 2 PetImages
 *
 * A stage is measured on one thread over the same images again and again; the shortest time counts. The whole loader is
 * measured over epochs, of which the median counts: from files and from decoded bytes, as it is and augmented. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cnn/cnn.h>

enum { MOST_SAMPLES = 256, MOST_EPOCHS = 32 };

typedef struct bench {
    const char *path, *spec;
    unsigned long size, workers, epochs, cache_mib;
    int json, written;
    cnn_dataset *dataset;
    cnn_preprocess preprocess;
    cnn_augment augment;
    cnn_image_options decoding;
    uint64_t samples;
    void *files[MOST_SAMPLES];
    size_t sizes[MOST_SAMPLES];
    cnn_tensor *pixels[MOST_SAMPLES];
    float *output;
} bench;

typedef cnn_status (*stage)(bench *b, uint64_t sample);

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Samples are spread over all images. */
static uint64_t index_of(const bench *b, uint64_t sample)
{
    return sample * cnn_dataset_count(b->dataset) / b->samples;
}

static cnn_status read_file(bench *b, uint64_t sample)
{
    cnn_dataset_release_bytes(b->dataset, b->files[sample]);
    return cnn_dataset_read(b->dataset, index_of(b, sample), &b->files[sample], &b->sizes[sample]);
}

static cnn_status decode(bench *b, uint64_t sample)
{
    cnn_tensor_destroy(b->pixels[sample]);
    return cnn_image_decode(NULL, b->files[sample], b->sizes[sample], NULL, &b->decoding, &b->pixels[sample]);
}

static cnn_status augment(bench *b, uint64_t sample)
{
    return cnn_augment_apply(NULL, b->pixels[sample], &b->augment, &b->preprocess, 1, 1, sample, b->output);
}

static cnn_status preprocess(bench *b, uint64_t sample)
{
    return cnn_image_preprocess(NULL, b->pixels[sample], &b->preprocess, b->output);
}

static void print(bench *b, const char *name, const char *unit, double value)
{
    if (b->json)
        printf("%s  \"%s_%s\": %.4g", b->written++ ? ",\n" : "{\n", name, unit, value);
    else
        printf("%-20s %10.1f %s\n", name, value, unit);
}

/* By the processor time of this thread, so that others in its way count little. */
static cnn_status measure_stage(bench *b, const char *name, stage run)
{
    const double enough = 0.5;
    double best = 1e9, total = 0;
    while (total < enough) {
        double start = seconds(CLOCK_THREAD_CPUTIME_ID);
        for (uint64_t sample = 0; sample < b->samples; sample++) {
            cnn_status status = run(b, sample);
            if (status)
                return status;
        }
        double taken = seconds(CLOCK_THREAD_CPUTIME_ID) - start;
        total += taken;
        best = taken < best ? taken : best;
    }
    print(b, name, "us", best / (double)b->samples * 1e6);
    return CNN_OK;
}

static cnn_status measure_stages(bench *b)
{
    cnn_status status = measure_stage(b, "read", read_file);
    if (!status)
        status = measure_stage(b, "decode", decode);
    if (!status)
        status = measure_stage(b, "resize", preprocess);
    if (!status)
        status = measure_stage(b, "augment", augment);
    return status;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static cnn_status run_epoch(cnn_loader *loader, uint32_t epoch, double *rate)
{
    double start = seconds(CLOCK_MONOTONIC);
    uint64_t images = 0;
    cnn_batch batch = { .struct_size = sizeof batch };
    cnn_status status = cnn_loader_start(loader, epoch);
    while (!status && !(status = cnn_loader_next(loader, &batch)) && batch.count)
        images += batch.count;
    *rate = (double)images / (seconds(CLOCK_MONOTONIC) - start);
    return status;
}

/* The first epoch, which fills the caches, doesn't count. */
static cnn_status measure_loader(bench *b, const char *name, int augmented, int cached)
{
    cnn_loader_options options;
    cnn_loader_options_init(&options);
    options.shuffle = 1;
    options.workers = (uint32_t)b->workers;
    options.cache_bytes = cached ? (uint64_t)b->cache_mib << 20 : 0;
    options.preprocess = &b->preprocess;
    options.augment = augmented ? &b->augment : NULL;
    cnn_loader *loader = NULL;
    double rates[MOST_EPOCHS], first;
    cnn_status status = cnn_loader_create(NULL, b->dataset, &options, &loader);
    if (!status)
        status = run_epoch(loader, 0, &first);
    for (uint32_t epoch = 0; epoch < b->epochs && !status; epoch++)
        status = run_epoch(loader, epoch + 1, &rates[epoch]);
    cnn_loader_destroy(loader);
    if (status)
        return status;
    qsort(rates, b->epochs, sizeof *rates, compare);
    print(b, name, "images_per_second", rates[b->epochs / 2]);
    return CNN_OK;
}

static cnn_status measure_loaders(bench *b)
{
    cnn_status status = measure_loader(b, "files", 0, 0);
    if (!status)
        status = measure_loader(b, "files_augmented", 1, 0);
    if (!status && b->cache_mib)
        status = measure_loader(b, "cached", 0, 1);
    if (!status && b->cache_mib)
        status = measure_loader(b, "cached_augmented", 1, 1);
    return status;
}

static cnn_status prepare(bench *b)
{
    cnn_preprocess_init(&b->preprocess);
    b->preprocess.width = b->preprocess.height = (uint32_t)b->size;
    cnn_augment_init(&b->augment);
    cnn_status status = cnn_augment_parse(b->spec, &b->augment);
    if (!status)
        status = cnn_dataset_open(NULL, b->path, NULL, &b->dataset);
    if (status)
        return status;
    cnn_image_options_init(&b->decoding); /* as the loader does for this augmentation */
    b->decoding.min_width = b->decoding.min_height = (uint32_t)((double)b->size * (1 + (double)b->augment.zoom));
    b->samples = cnn_dataset_count(b->dataset);
    b->samples = b->samples < MOST_SAMPLES ? b->samples : MOST_SAMPLES;
    b->output = malloc(3 * sizeof *b->output * b->size * b->size);
    return b->output ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

static void release(bench *b)
{
    for (uint64_t sample = 0; sample < b->samples; sample++) {
        cnn_dataset_release_bytes(b->dataset, b->files[sample]);
        cnn_tensor_destroy(b->pixels[sample]);
    }
    free(b->output);
    cnn_dataset_destroy(b->dataset);
}

static int read_arguments(bench *b, int count, char **arguments)
{
    const struct {
        const char *name;
        unsigned long *value, highest;
    } numbers[] = {
        { "--size", &b->size, 4096 },
        { "--workers", &b->workers, 256 },
        { "--epochs", &b->epochs, MOST_EPOCHS },
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
    static bench b = { .spec = "flip,rotation=20,zoom=0.2", .size = 150, .epochs = 3, .cache_mib = 4096 };
    if (!read_arguments(&b, count, arguments)) {
        fprintf(stderr, "usage: bench_loader [--json] [--size N] [--workers N] [--epochs N] [--cache MIB] "
                        "[--augment SPEC] PATH\n");
        return 2;
    }
    cnn_status status = prepare(&b);
    if (!status)
        status = measure_stages(&b);
    if (!status)
        status = measure_loaders(&b);
    if (b.written)
        printf("\n}\n");
    if (status)
        fprintf(stderr, "%s\n", cnn_last_error());
    release(&b);
    return status ? 1 : 0;
}
