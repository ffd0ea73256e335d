/* The loader: worker threads prepare batches ahead of their use, in a ring of slots. Workers take images one by one in
 * the epoch's order, so that a batch is ready as soon as can be; where an image goes and what becomes of it depend on
 * its place in the order alone, never on the worker. */
#include "data/loader.h"

#include <assert.h>
#include <stdio.h>

#include "core/error.h"
#include "core/options.h"
#include "core/random.h"
#include "core/tensor_internal.h"
#include "data/loader_internal.h"

uint64_t cnn_loader_batch_count(const cnn_loader *loader)
{
    return loader ? (loader->dataset->count + loader->options.batch_size - 1) / loader->options.batch_size : 0;
}

static cnn_loader_slot *slot_of_batch(cnn_loader *loader, uint64_t batch)
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
    cnn_loader_slot *s = slot_of_batch(loader, position / batch_size);
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
    cnn_loader_slot *s = slot_of_batch(loader, position / batch_size);
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
    cnn_loader_slot *s = slot_of_batch(loader, batch);
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
    loader->image_size = (size_t)width * height * CNN_LOADER_CHANNELS;
    loader->started = false;
    cnn_mutex_unlock(&loader->mutex);
}

cnn_status cnn_loader_start_workers(cnn_loader *loader)
{
    while (loader->worker_count < loader->options.workers &&
           cnn_thread_start(&loader->workers[loader->worker_count], work, loader))
        loader->worker_count++;
    if (loader->worker_count)
        return CNN_OK;
    return cnn_fail(CNN_ERROR_OUT_OF_MEMORY,
                    "loader: no thread can be started: the limit on threads or memory is reached (ulimit -u, -v)");
}

void cnn_loader_forget_workers(void *object)
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
    cnn_status status = loader->worker_count ? CNN_OK : cnn_loader_start_workers(loader);
    if (status) {
        cnn_mutex_unlock(&loader->mutex);
        return status;
    }
    for (size_t i = 0; i < loader->dataset->count; i++)
        loader->order[i] = (uint32_t)i;
    if (loader->options.shuffle)
        cnn_random_shuffle(loader->options.seed, epoch, loader->order, loader->dataset->count);
    cnn_pixel_cache_end_epoch(loader->cache);
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
static cnn_loader_slot *wait_for_batch(cnn_loader *loader)
{
    if (loader->taken && !loader->failed) { /* the caller is done with the batch before */
        open_slot(loader, loader->taken + loader->slot_count - 1);
        cnn_condition_broadcast(&loader->work);
    }
    if (loader->taken >= cnn_loader_batch_count(loader))
        return NULL;
    cnn_loader_slot *s = slot_of_batch(loader, loader->taken);
    while (s->pending)
        cnn_condition_wait(&loader->ready, &loader->mutex);
    return s;
}

static void fill_batch(cnn_loader *loader, cnn_loader_slot *s, cnn_batch *batch)
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
    cnn_loader_slot *s = wait_for_batch(loader);
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
