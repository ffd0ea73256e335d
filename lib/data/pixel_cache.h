/* Decoded photographs kept in memory: all of them if they fit the limit, else none. */
#ifndef CNN_DATA_PIXEL_CACHE_H
#define CNN_DATA_PIXEL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/tensor.h>

typedef struct cnn_pixel_cache cnn_pixel_cache;

/* For `count` images in at most `limit` bytes. With a limit of 0, `*cache` is NULL, which the functions below take as
 * a cache that keeps nothing. */
cnn_status cnn_pixel_cache_create(cnn_context *context, size_t count, uint64_t limit, cnn_pixel_cache **cache);
void cnn_pixel_cache_destroy(cnn_pixel_cache *cache);

/* What is kept for an image, or NULL; and keeping it. Several threads may call these at once, for different images.
 * Kept pixels belong to the cache (true); others stay the caller's (false). */
cnn_tensor *cnn_pixel_cache_get(const cnn_pixel_cache *cache, size_t index);
bool cnn_pixel_cache_put(cnn_pixel_cache *cache, size_t index, cnn_tensor *pixels);

/* Between epochs, when no thread uses the cache: drops everything if not all fitted. */
void cnn_pixel_cache_end_epoch(cnn_pixel_cache *cache);

#endif
