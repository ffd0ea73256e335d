/* Creating and destroying loaders. */
#include <math.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"
#include "core/parallel.h"
#include "data/loader_internal.h"
#include "image/decode.h"

enum { DEFAULT_BATCH = 32, DEFAULT_PREFETCH = 2, MAX_WORKERS = 256, MAX_PREFETCH = 4096, MAX_BATCH = 1 << 20 };

/* How large a photograph must be decoded for its pixels to suffice when augmentation magnifies a part of it. */
static double magnification(const cnn_augment *augment)
{
    double factor = 1 + augment->zoom;
    if (augment->crop_min_area > 0)
        factor *= sqrt(1 / fmax(augment->crop_min_area, 0.25));
    return factor;
}

/* Memory is taken for what can be in use: no more images in a batch, and no more batches ahead, than there are. */
static void limit_to_dataset(cnn_loader_options *options, size_t count)
{
    if (options->batch_size > count)
        options->batch_size = count ? (uint32_t)count : 1;
    size_t batches = (count + options->batch_size - 1) / options->batch_size;
    if (options->prefetch_batches > batches)
        options->prefetch_batches = batches ? (uint32_t)batches : 1;
}

static cnn_status read_options(cnn_loader *loader, const cnn_loader_options *given)
{
    cnn_loader_options *options = &loader->options;
    cnn_loader_options_init(options);
    cnn_augment_init(&loader->augment);
    cnn_preprocess_init(&loader->preprocess);
    cnn_status status = cnn_options_read(options, sizeof *options, given, "cnn_loader_options");
    if (!status)
        status = cnn_options_read(&loader->augment, sizeof loader->augment, options->augment, "cnn_augment");
    if (!status)
        status =
            cnn_options_read(&loader->preprocess, sizeof loader->preprocess, options->preprocess, "cnn_preprocess");
    if (status)
        return status;
    if (!loader->preprocess.width || !loader->preprocess.height)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_loader_options: preprocess must be given, with width and height");
    options->batch_size = options->batch_size ? options->batch_size : DEFAULT_BATCH;
    options->workers = options->workers ? options->workers : cnn_threads_now(loader->context);
    options->prefetch_batches = options->prefetch_batches ? options->prefetch_batches : DEFAULT_PREFETCH;
    if (options->workers > MAX_WORKERS || options->prefetch_batches > MAX_PREFETCH || options->batch_size > MAX_BATCH)
        return cnn_fail(CNN_ERROR_LIMIT,
                        "cnn_loader_options: at most %d workers, %d batches ahead and %d images a batch are possible",
                        MAX_WORKERS, MAX_PREFETCH, MAX_BATCH);
    limit_to_dataset(options, loader->dataset->count);
    return CNN_OK;
}

static void choose_decoding(cnn_loader *loader)
{
    double factor = loader->options.augment ? magnification(&loader->augment) : 1;
    loader->fit = loader->options.augment ? CNN_FIT_UNKNOWN : (int)loader->preprocess.fit;
    cnn_image_options_init(&loader->decoding);
    loader->decoding.max_file_bytes = loader->dataset->max_file_bytes;
    loader->decoding.min_width = (uint32_t)fmin(ceil(loader->preprocess.width * factor), UINT32_MAX);
    loader->decoding.min_height = (uint32_t)fmin(ceil(loader->preprocess.height * factor), UINT32_MAX);
}

static cnn_status allocate_slot(cnn_loader *loader, cnn_loader_slot *s)
{
    uint32_t batch_size = loader->options.batch_size;
    int64_t dims[4] = { batch_size, loader->preprocess.height, loader->preprocess.width, CNN_LOADER_CHANNELS };
    s->labels = cnn_allocate_zeroed(loader->context, batch_size, sizeof *s->labels);
    s->indices = cnn_allocate_zeroed(loader->context, batch_size, sizeof *s->indices);
    if (!s->labels || !s->indices)
        return CNN_ERROR_OUT_OF_MEMORY;
    return cnn_tensor_create(loader->context, CNN_FLOAT32, 4, dims, &s->images);
}

static cnn_status allocate(cnn_loader *loader)
{
    const cnn_loader_options *options = &loader->options;
    size_t count = loader->dataset->count;
    loader->image_size = (size_t)loader->preprocess.width * loader->preprocess.height * CNN_LOADER_CHANNELS;
    loader->order = cnn_allocate_zeroed(loader->context, count, sizeof *loader->order);
    loader->workers = cnn_allocate_zeroed(loader->context, options->workers, sizeof *loader->workers);
    loader->slot_count = options->prefetch_batches + 1; /* one is in the caller's hands */
    loader->slots = cnn_allocate_zeroed(loader->context, loader->slot_count, sizeof *loader->slots);
    if (!loader->order || !loader->workers || !loader->slots)
        return CNN_ERROR_OUT_OF_MEMORY;
    cnn_status status = cnn_pixel_cache_create(loader->context, count, options->cache_bytes, &loader->cache);
    for (uint32_t i = 0; i < loader->slot_count && !status; i++)
        status = allocate_slot(loader, &loader->slots[i]);
    return status;
}

cnn_status cnn_loader_create(cnn_context *context, const cnn_dataset *dataset, const cnn_loader_options *options,
                             cnn_loader **result)
{
    if (!result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_loader_create: the result has no place: NULL was given");
    *result = NULL;
    if (!dataset || !options)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_loader_create: a dataset and options must be given");
    cnn_loader *loader = cnn_allocate_zeroed(context, 1, sizeof *loader);
    if (!loader)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (!cnn_mutex_init(&loader->mutex)) {
        cnn_release(context, loader);
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    loader->context = context;
    loader->dataset = dataset;
    cnn_condition_init(&loader->work);
    cnn_condition_init(&loader->ready);
    loader->fork_guard =
        (cnn_fork_guard){ .mutex = &loader->mutex, .in_child = cnn_loader_forget_workers, .object = loader };
    cnn_fork_guard_add(&loader->fork_guard);
    cnn_status status = read_options(loader, options);
    if (!status) {
        choose_decoding(loader);
        status = allocate(loader);
    }
    if (!status)
        status = cnn_loader_start_workers(loader);
    if (status)
        cnn_loader_destroy(loader);
    else
        *result = loader;
    return status;
}

static void stop_workers(cnn_loader *loader)
{
    cnn_mutex_lock(&loader->mutex);
    loader->stop = true;
    cnn_condition_broadcast(&loader->work);
    cnn_mutex_unlock(&loader->mutex);
    for (uint32_t i = 0; i < loader->worker_count; i++)
        cnn_thread_join(loader->workers[i]);
}

void cnn_loader_destroy(cnn_loader *loader)
{
    if (!loader)
        return;
    stop_workers(loader);
    for (uint32_t i = 0; i < loader->slot_count && loader->slots; i++) {
        cnn_tensor_destroy(loader->slots[i].images);
        cnn_release(loader->context, loader->slots[i].labels);
        cnn_release(loader->context, loader->slots[i].indices);
    }
    cnn_pixel_cache_destroy(loader->cache);
    cnn_release(loader->context, loader->slots);
    cnn_release(loader->context, loader->order);
    cnn_release(loader->context, loader->workers);
    cnn_fork_guard_remove(&loader->fork_guard);
    cnn_condition_destroy(&loader->ready);
    cnn_condition_destroy(&loader->work);
    cnn_mutex_destroy(&loader->mutex);
    cnn_release(loader->context, loader);
}
