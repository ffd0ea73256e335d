/* The loader: worker threads prepare batches ahead of their use, in a ring of slots. Workers take images one by one in
 * the epoch's order, so that a batch is ready as soon as can be; where an image goes and what becomes of it depend on
 * its place in the order alone, never on the worker. */
#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/fork.h"
#include "core/memory.h"
#include "core/options.h"
#include "core/random.h"
#include "core/tensor_internal.h"
#include "core/thread.h"
#include "data/dataset_internal.h"
#include "data/loader.h"
#include "data/pixel_cache.h"
#include "image/decode.h"

enum {
    DEFAULT_BATCH = 32,
    DEFAULT_PREFETCH = 2,
    MAX_WORKERS = 256,
    MAX_PREFETCH = 4096,
    MAX_BATCH = 1 << 20,
    CHANNELS = 3,
    ERROR_SIZE = 1024
};

typedef struct slot {
    cnn_tensor *images;
    int32_t *labels;
    uint64_t *indices;
    uint32_t count;   /* images in its batch */
    uint32_t pending; /* of them not yet prepared */
    cnn_status status;
    uint32_t failed_row; /* the first, whichever failed first in time */
    char error[ERROR_SIZE];
} slot;

struct cnn_loader {
    cnn_context *context;
    const cnn_dataset *dataset;
    cnn_loader_options options; /* its pointers are to the copies below */
    cnn_augment augment;
    cnn_preprocess preprocess;
    cnn_image_options decoding;
    int fit;           /* for it; unknown where augmentation moves the photograph about */
    size_t image_size; /* floats in one network input */
    uint32_t *order;   /* of the epoch: indices into the dataset */
    cnn_pixel_cache *cache;
    slot *slots;
    uint32_t slot_count;
    cnn_thread *workers;
    uint32_t worker_count;

    cnn_mutex mutex;     /* guards all below, and the slots' counts and errors */
    cnn_condition work;  /* there may be images to take */
    cnn_condition ready; /* a slot is filled, or busy has become 0 */
    cnn_fork_guard fork_guard;
    bool stop, started, failed;
    bool draining; /* a new epoch waits for busy to be 0 */
    uint32_t epoch;
    uint64_t next, limit; /* places in the order: the next to take, and where to stop for now */
    uint64_t taken;       /* batches handed out in this epoch */
    uint32_t busy;        /* images being prepared */
};

uint64_t cnn_loader_batch_count(const cnn_loader *loader)
{
    return loader ? (loader->dataset->count + loader->options.batch_size - 1) / loader->options.batch_size : 0;
}

static slot *slot_of_batch(cnn_loader *loader, uint64_t batch)
{
    return &loader->slots[batch % loader->slot_count];
}

/* --- what a worker does --- */

static cnn_status make_input(cnn_loader *loader, uint32_t index, float *output)
{
    cnn_tensor *pixels = cnn_pixel_cache_get(loader->cache, index), *own = NULL;
    cnn_status status = CNN_OK;
    if (!pixels) {
        status = cnn_dataset_decode_to_fit(loader->dataset, index, &loader->decoding, loader->fit, &own);
        pixels = own;
    }
    if (!status && loader->options.augment)
        status = cnn_augment_apply(loader->context, pixels, &loader->augment, &loader->preprocess, loader->options.seed,
                                   loader->epoch, index, output);
    else if (!status)
        status = cnn_image_preprocess(loader->context, pixels, &loader->preprocess, output);
    if (status || !cnn_pixel_cache_put(loader->cache, index, own))
        cnn_tensor_destroy(own);
    return status;
}

static cnn_status prepare(cnn_loader *loader, uint64_t position)
{
    uint32_t batch_size = loader->options.batch_size, row = (uint32_t)(position % batch_size);
    slot *s = slot_of_batch(loader, position / batch_size);
    uint32_t index = loader->order[position];
    assert(position < loader->dataset->count && index < loader->dataset->count);
    assert(row < s->count);
    s->labels[row] = loader->dataset->items[index].label;
    s->indices[row] = index;
    return make_input(loader, index, (float *)s->images->data + row * loader->image_size);
}

/* Called with the mutex held. */
static void note_prepared(cnn_loader *loader, uint64_t position, cnn_status status)
{
    uint32_t batch_size = loader->options.batch_size, row = (uint32_t)(position % batch_size);
    slot *s = slot_of_batch(loader, position / batch_size);
    if (status && (!s->status || row < s->failed_row)) {
        s->status = status;
        s->failed_row = row;
        snprintf(s->error, sizeof s->error, "%s", cnn_last_error());
    }
    assert(loader->busy && s->pending && s->pending <= s->count);
    loader->busy--;
    if (--s->pending == 0 || (loader->draining && loader->busy == 0))
        cnn_condition_signal(&loader->ready);
}

static void *work(void *argument)
{
    cnn_loader *loader = argument;
    cnn_mutex_lock(&loader->mutex);
    for (;;) {
        while (!loader->stop && loader->next >= loader->limit)
            cnn_condition_wait(&loader->work, &loader->mutex);
        if (loader->stop)
            break;
        uint64_t position = loader->next++;
        loader->busy++;
        assert(!loader->draining && loader->busy <= loader->options.workers);
        cnn_mutex_unlock(&loader->mutex);
        cnn_status status = prepare(loader, position);
        cnn_mutex_lock(&loader->mutex);
        note_prepared(loader, position, status);
    }
    cnn_mutex_unlock(&loader->mutex);
    return NULL;
}

/* --- epochs and batches --- */

/* Lets workers fill the slot of `batch`, which must be free. Called with the mutex held. */
static void open_slot(cnn_loader *loader, uint64_t batch)
{
    uint64_t total = loader->dataset->count, first = batch * loader->options.batch_size;
    if (first >= total)
        return;
    uint64_t left = total - first;
    slot *s = slot_of_batch(loader, batch);
    assert(loader->limit <= first && batch < loader->taken + loader->slot_count); /* nobody uses what it holds */
    s->count = left < loader->options.batch_size ? (uint32_t)left : loader->options.batch_size;
    s->pending = s->count;
    s->status = CNN_OK;
    loader->limit = first + s->count;
}

/* Waits until no worker prepares an image, and lets none take another. Called with the mutex held. */
static void drain(cnn_loader *loader)
{
    loader->next = loader->limit = 0;
    loader->draining = true;
    while (loader->busy)
        cnn_condition_wait(&loader->ready, &loader->mutex);
    loader->draining = false;
}

void cnn_loader_resize(cnn_loader *loader, uint32_t width, uint32_t height)
{
    cnn_mutex_lock(&loader->mutex);
    drain(loader);
    loader->preprocess.width = width;
    loader->preprocess.height = height;
    loader->image_size = (size_t)width * height * CHANNELS;
    loader->started = false;
    cnn_mutex_unlock(&loader->mutex);
}

/* Fewer threads than asked for give the same results, later. */
static cnn_status start_workers(cnn_loader *loader)
{
    while (loader->worker_count < loader->options.workers &&
           cnn_thread_start(&loader->workers[loader->worker_count], work, loader))
        loader->worker_count++;
    return loader->worker_count ? CNN_OK : cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "loader: no thread can be started");
}

/* In a child that was forked there are no workers, and nobody has the images that they had taken: the epoch under way
 * has ended. The next one starts them again. */
static void forget_workers(void *object)
{
    cnn_loader *loader = object;
    loader->worker_count = 0;
    loader->busy = 0;
    loader->started = false;
    cnn_condition_init(&loader->work);
    cnn_condition_init(&loader->ready);
}

cnn_status cnn_loader_start(cnn_loader *loader, uint32_t epoch)
{
    if (!loader)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_loader_start: no loader was given");
    cnn_mutex_lock(&loader->mutex);
    drain(loader);
    cnn_status status = loader->worker_count ? CNN_OK : start_workers(loader);
    if (status) {
        cnn_mutex_unlock(&loader->mutex);
        return status;
    }
    for (size_t i = 0; i < loader->dataset->count; i++)
        loader->order[i] = (uint32_t)i;
    if (loader->options.shuffle)
        cnn_random_shuffle(loader->options.seed, epoch, loader->order, loader->dataset->count);
    cnn_pixel_cache_settle(loader->cache);
    loader->epoch = epoch;
    loader->taken = 0;
    loader->started = true;
    loader->failed = false;
    for (uint32_t batch = 0; batch < loader->slot_count; batch++)
        open_slot(loader, batch);
    cnn_condition_broadcast(&loader->work);
    cnn_mutex_unlock(&loader->mutex);
    return CNN_OK;
}

/* The slot of the next batch, filled; NULL at the end of the epoch. Called with the mutex held. */
static slot *wait_for_batch(cnn_loader *loader)
{
    if (loader->taken && !loader->failed) { /* the caller is done with the batch before */
        open_slot(loader, loader->taken + loader->slot_count - 1);
        cnn_condition_broadcast(&loader->work);
    }
    if (loader->taken >= cnn_loader_batch_count(loader))
        return NULL;
    slot *s = slot_of_batch(loader, loader->taken);
    while (s->pending)
        cnn_condition_wait(&loader->ready, &loader->mutex);
    return s;
}

static void fill_batch(cnn_loader *loader, slot *s, cnn_batch *batch)
{
    s->images->dims[0] = s->count;
    s->images->dims[1] = loader->preprocess.height;
    s->images->dims[2] = loader->preprocess.width;
    s->images->count = (int64_t)(s->count * loader->image_size);
    batch->count = s->count;
    batch->images = s->images;
    batch->labels = s->labels;
    batch->indices = s->indices;
}

cnn_status cnn_loader_next(cnn_loader *loader, cnn_batch *given)
{
    if (!loader || !loader->started)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_loader_next: no epoch was started");
    cnn_batch batch = { .struct_size = sizeof batch };
    cnn_status status = cnn_options_write(given, &batch, sizeof batch, "cnn_batch");
    if (status)
        return status;
    cnn_mutex_lock(&loader->mutex);
    slot *s = wait_for_batch(loader);
    if (s && s->status) {
        loader->failed = true; /* the epoch ends here: later calls report the same */
        status = cnn_fail_text(s->status, s->error);
    } else if (s) {
        fill_batch(loader, s, &batch);
        loader->taken++;
    }
    cnn_mutex_unlock(&loader->mutex);
    return status ? status : cnn_options_write(given, &batch, sizeof batch, "cnn_batch");
}

/* --- making and ending --- */

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
    options->workers = options->workers ? options->workers : cnn_context_threads(loader->context);
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

static cnn_status allocate_slot(cnn_loader *loader, slot *s)
{
    uint32_t batch_size = loader->options.batch_size;
    int64_t dims[4] = { batch_size, loader->preprocess.height, loader->preprocess.width, CHANNELS };
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
    loader->image_size = (size_t)loader->preprocess.width * loader->preprocess.height * CHANNELS;
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
    loader->fork_guard = (cnn_fork_guard){ .mutex = &loader->mutex, .in_child = forget_workers, .object = loader };
    cnn_fork_guard_add(&loader->fork_guard);
    cnn_status status = read_options(loader, options);
    if (!status) {
        choose_decoding(loader);
        status = allocate(loader);
    }
    if (!status)
        status = start_workers(loader);
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
