#include "data/source_pixels.h"

#include "core/error.h"
#include "core/memory.h"

enum { CHANNELS = 3 };

typedef struct picture {
    void *data;
    int64_t height, width;
} picture;

static cnn_status refuse_to_read(cnn_source *source, const cnn_entry *entry, uint64_t max_bytes, void **bytes,
                                 size_t *size)
{
    (void)source, (void)max_bytes, (void)bytes, (void)size;
    return cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: is pixels in memory; there is no file to read", entry->path);
}

static cnn_status wrap_pixels(cnn_source *source, const cnn_entry *entry, cnn_tensor **pixels)
{
    const picture *p = (const picture *)source->state + entry->locator;
    return cnn_tensor_wrap(source->context, CNN_UINT8, 3, (int64_t[]){ p->height, p->width, CHANNELS }, p->data,
                           pixels);
}

static void release_pictures(cnn_source *source)
{
    cnn_release(source->context, source->state);
}

static const cnn_source_type pixels_type = { .read = refuse_to_read, .pixels = wrap_pixels, .close = release_pictures };

static cnn_status add_picture(cnn_source *source, const cnn_tensor *image, uint64_t index)
{
    char *name = cnn_source_number(source, index);
    if (!name)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (!image || cnn_tensor_dtype(image) != CNN_UINT8 || cnn_tensor_rank(image) != 3 ||
        cnn_tensor_dim(image, 2) != CHANNELS || cnn_tensor_count(image) == 0)
        return cnn_fail(CNN_ERROR_SHAPE, "cnn_dataset_create_from_pixels: %s is not height × width × 3 bytes", name);
    picture *p = (picture *)source->state + index;
    /* a dataset only reads; the tensor type knows no const memory */
    *p = (picture){ (void *)(uintptr_t)cnn_tensor_const_data(image), cnn_tensor_dim(image, 0),
                    cnn_tensor_dim(image, 1) };
    return cnn_source_add(source, &source->images, name, index);
}

cnn_status cnn_source_create_pixels(cnn_context *context, const cnn_tensor *const *images, uint64_t count,
                                    cnn_source **result)
{
    *result = NULL;
    cnn_source *source = cnn_source_new(context);
    if (!source)
        return CNN_ERROR_OUT_OF_MEMORY;
    source->type = &pixels_type;
    source->path = "pixels in memory";
    source->is_list = true;
    source->state = cnn_allocate_zeroed(context, count, sizeof(picture));
    cnn_status status = source->state ? cnn_source_reserve(source, (size_t)count) : CNN_ERROR_OUT_OF_MEMORY;
    for (uint64_t i = 0; i < count && !status; i++)
        status = add_picture(source, images[i], i);
    if (!status)
        status = cnn_source_make_contents(source);
    if (status)
        cnn_source_release(source);
    else
        *result = source;
    return status;
}
