#include "bench/loader_benchmark.h"

#include <stdlib.h>
#include <string.h>

#include "cli/clock.h"

enum { MOST_SAMPLES = 256 };

typedef struct measuring {
    const loader_benchmark_settings *settings;
    loader_benchmark_taker take;
    void *user;
    cnn_preprocess preprocess;
    cnn_augment augment;
    cnn_image_options decoding;
    uint64_t samples;
    void *files[MOST_SAMPLES];
    size_t sizes[MOST_SAMPLES];
    cnn_tensor *pixels[MOST_SAMPLES];
    float *output;
} measuring;

typedef cnn_status (*stage)(measuring *m, uint64_t sample);

/* Samples are spread over all images. */
static uint64_t index_of(const measuring *m, uint64_t sample)
{
    return sample * cnn_dataset_count(m->settings->dataset) / m->samples;
}

static cnn_status read_file(measuring *m, uint64_t sample)
{
    const cnn_dataset *dataset = m->settings->dataset;
    cnn_bytes_free(m->files[sample]);
    return cnn_dataset_read(dataset, index_of(m, sample), &m->files[sample], &m->sizes[sample]);
}

static cnn_status decode(measuring *m, uint64_t sample)
{
    cnn_tensor_destroy(m->pixels[sample]);
    return cnn_image_decode(m->settings->context, m->files[sample], m->sizes[sample], NULL, &m->decoding,
                            &m->pixels[sample]);
}

static cnn_status augment(measuring *m, uint64_t sample)
{
    return cnn_augment_apply(m->settings->context, m->pixels[sample], &m->augment, &m->preprocess, 1, 1, sample,
                             m->output);
}

static cnn_status preprocess(measuring *m, uint64_t sample)
{
    return cnn_image_preprocess(m->settings->context, m->pixels[sample], &m->preprocess, m->output);
}

/* The best of several turns, as others may want the processor too. */
static cnn_status measure_stage(measuring *m, const char *name, stage run)
{
    const double enough = 0.5;
    double best = 1e9, total = 0;
    while (total < enough) {
        double start = clock_now();
        for (uint64_t sample = 0; sample < m->samples; sample++) {
            cnn_status status = run(m, sample);
            if (status)
                return status;
        }
        double taken = clock_now() - start;
        total += taken;
        best = taken < best ? taken : best;
    }
    m->take(m->user, name, "us", best / (double)m->samples * 1e6);
    return CNN_OK;
}

static cnn_status take_pixels(measuring *m)
{
    for (uint64_t sample = 0; sample < m->samples; sample++) {
        cnn_status status = cnn_dataset_decode(m->settings->dataset, index_of(m, sample), NULL, &m->pixels[sample]);
        if (status)
            return status;
    }
    return CNN_OK;
}

static cnn_status measure_stages(measuring *m)
{
    cnn_status status = CNN_OK;
    if (m->settings->pixels)
        status = take_pixels(m);
    else {
        status = measure_stage(m, "read", read_file);
        if (!status)
            status = measure_stage(m, "decode", decode);
    }
    if (!status)
        status = measure_stage(m, "resize", preprocess);
    if (!status)
        status = measure_stage(m, "augment", augment);
    return status;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static cnn_status run_epoch(cnn_loader *loader, uint32_t epoch, double *rate)
{
    double start = clock_now();
    uint64_t images = 0;
    cnn_batch batch = { .struct_size = sizeof batch };
    cnn_status status = cnn_loader_start(loader, epoch);
    while (!status && !(status = cnn_loader_next(loader, &batch)) && batch.count)
        images += batch.count;
    *rate = (double)images / (clock_now() - start);
    return status;
}

/* The first epoch, which fills the caches, doesn't count. */
static cnn_status measure_loader(measuring *m, const char *name, int augmented, int cached)
{
    const loader_benchmark_settings *settings = m->settings;
    cnn_loader_options options;
    cnn_loader_options_init(&options);
    options.shuffle = 1;
    options.workers = settings->workers;
    options.cache_bytes = cached ? settings->cache_bytes : 0;
    options.preprocess = &m->preprocess;
    options.augment = augmented ? &m->augment : NULL;
    cnn_loader *loader = NULL;
    double rates[LOADER_BENCHMARK_MOST_EPOCHS], first;
    cnn_status status = cnn_loader_create(settings->context, settings->dataset, &options, &loader);
    if (!status)
        status = run_epoch(loader, 0, &first);
    for (uint32_t epoch = 0; epoch < settings->epochs && !status; epoch++)
        status = run_epoch(loader, epoch + 1, &rates[epoch]);
    cnn_loader_destroy(loader);
    if (status)
        return status;
    qsort(rates, settings->epochs, sizeof *rates, compare);
    m->take(m->user, name, "images_per_second", rates[settings->epochs / 2]);
    return CNN_OK;
}

static cnn_status measure_loaders(measuring *m)
{
    const int files = !m->settings->pixels, cached = m->settings->pixels || m->settings->cache_bytes;
    cnn_status status = CNN_OK;
    if (files)
        status = measure_loader(m, "files", 0, 0);
    if (files && !status)
        status = measure_loader(m, "files_augmented", 1, 0);
    if (cached && !status)
        status = measure_loader(m, "cached", 0, 1);
    if (cached && !status)
        status = measure_loader(m, "cached_augmented", 1, 1);
    return status;
}

static cnn_status prepare(measuring *m)
{
    const uint32_t size = m->settings->size;
    cnn_preprocess_init(&m->preprocess);
    m->preprocess.width = m->preprocess.height = size;
    cnn_augment_init(&m->augment);
    cnn_status status = cnn_augment_parse(m->settings->augment, &m->augment);
    if (status)
        return status;
    cnn_image_options_init(&m->decoding); /* as the loader does for this augmentation */
    m->decoding.min_width = m->decoding.min_height = (uint32_t)((double)size * (1 + (double)m->augment.zoom));
    m->samples = cnn_dataset_count(m->settings->dataset);
    m->samples = m->samples < MOST_SAMPLES ? m->samples : MOST_SAMPLES;
    m->output = malloc(3 * sizeof *m->output * size * size);
    return m->output ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

cnn_status loader_benchmark_measure(const loader_benchmark_settings *settings, loader_benchmark_taker take, void *user)
{
    measuring m = { .settings = settings, .take = take, .user = user };
    cnn_status status = prepare(&m);
    if (!status)
        status = measure_stages(&m);
    if (!status)
        status = measure_loaders(&m);
    for (uint64_t sample = 0; sample < m.samples; sample++) {
        cnn_bytes_free(m.files[sample]);
        cnn_tensor_destroy(m.pixels[sample]);
    }
    free(m.output);
    return status;
}
