#include "data/pixel_cache.h"

#include <assert.h>
#include <stdatomic.h>

#include "core/memory.h"
#include "core/tensor_internal.h"

struct cnn_pixel_cache {
    cnn_context *context;
    cnn_tensor **pixels;
    size_t count;
    uint64_t limit;
    atomic_uint_least64_t used;
    atomic_bool full;
};

cnn_status cnn_pixel_cache_create(cnn_context *context, size_t count, uint64_t limit, cnn_pixel_cache **result)
{
    *result = NULL;
    if (!limit)
        return CNN_OK;
    cnn_pixel_cache *cache = cnn_allocate_zeroed(context, 1, sizeof *cache);
    if (!cache)
        return CNN_ERROR_OUT_OF_MEMORY;
    cache->context = context;
    cache->count = count;
    cache->limit = limit;
    cache->pixels = cnn_allocate_zeroed(context, count, sizeof(cnn_tensor *));
    if (!cache->pixels) {
        cnn_release(context, cache);
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    *result = cache;
    return CNN_OK;
}

static void drop_all(cnn_pixel_cache *cache)
{
    for (size_t i = 0; i < cache->count && cache->pixels; i++)
        cnn_tensor_destroy(cache->pixels[i]);
    cnn_release(cache->context, cache->pixels);
    cache->pixels = NULL;
}

void cnn_pixel_cache_destroy(cnn_pixel_cache *cache)
{
    if (!cache)
        return;
    drop_all(cache);
    cnn_release(cache->context, cache);
}

cnn_tensor *cnn_pixel_cache_get(const cnn_pixel_cache *cache, size_t index)
{
    assert(!cache || index < cache->count);
    return cache && cache->pixels ? cache->pixels[index] : NULL;
}

bool cnn_pixel_cache_put(cnn_pixel_cache *cache, size_t index, cnn_tensor *pixels)
{
    if (!cache || !pixels || atomic_load_explicit(&cache->full, memory_order_relaxed))
        return false;
    assert(index < cache->count && !cache->pixels[index]); /* dropped only once it was full */
    uint64_t bytes = cnn_tensor_bytes(pixels) + sizeof *pixels;
    if (atomic_fetch_add(&cache->used, bytes) + bytes > cache->limit) {
        atomic_store(&cache->full, true);
        return false;
    }
    cache->pixels[index] = pixels;
    return true;
}

void cnn_pixel_cache_end_epoch(cnn_pixel_cache *cache)
{
    if (cache && cache->pixels && atomic_load(&cache->full))
        drop_all(cache);
}
