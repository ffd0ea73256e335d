/* What a dataset tells of its classes and images. */
#include "core/error.h"
#include "core/memory.h"
#include "data/dataset_internal.h"
#include "image/decode.h"

uint64_t cnn_dataset_count(const cnn_dataset *dataset)
{
    return dataset ? dataset->count : 0;
}

uint32_t cnn_dataset_class_count(const cnn_dataset *dataset)
{
    return dataset ? dataset->class_count : 0;
}

const char *cnn_dataset_class_name(const cnn_dataset *dataset, uint32_t class_index)
{
    return dataset && class_index < dataset->class_count ? dataset->class_names[class_index] : NULL;
}

static const cnn_entry *entry_of(const cnn_dataset *dataset, uint64_t index)
{
    return dataset && index < dataset->count ? &dataset->source->images.entries[dataset->items[index].entry] : NULL;
}

const char *cnn_dataset_path(const cnn_dataset *dataset, uint64_t index)
{
    const cnn_entry *entry = entry_of(dataset, index);
    return entry ? entry->path : NULL;
}

int32_t cnn_dataset_label(const cnn_dataset *dataset, uint64_t index)
{
    return dataset && index < dataset->count ? dataset->items[index].label : -1;
}

cnn_status cnn_dataset_read(const cnn_dataset *dataset, uint64_t index, void **bytes, size_t *size)
{
    if (bytes)
        *bytes = NULL;
    if (size)
        *size = 0;
    if (!bytes || !size)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_read: the result has no place: NULL was given");
    const cnn_entry *entry = entry_of(dataset, index);
    if (!entry)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_read: there is no image %llu in a dataset of %llu",
                        (unsigned long long)index, (unsigned long long)cnn_dataset_count(dataset));
    return dataset->source->type->read(dataset->source, entry, dataset->max_file_bytes, bytes, size);
}

/* The tensor that a source has, or what is left of it for the input. */
static cnn_status take_pixels(const cnn_dataset *dataset, const cnn_entry *entry, const cnn_image_options *options,
                              int fit, cnn_tensor **pixels)
{
    cnn_tensor *whole = NULL, *reduced;
    cnn_status status = dataset->source->type->pixels(dataset->source, entry, &whole);
    if (status)
        return status;
    status = cnn_image_reduce(dataset->context, whole, options, fit, &reduced);
    if (status || reduced)
        cnn_tensor_destroy(whole);
    *pixels = status || reduced ? reduced : whole;
    return status;
}

cnn_status cnn_dataset_decode_to_fit(const cnn_dataset *dataset, uint64_t index, const cnn_image_options *options,
                                     int fit, cnn_tensor **pixels)
{
    if (!pixels)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_decode: the result has no place: NULL was given");
    *pixels = NULL;
    const cnn_entry *entry = entry_of(dataset, index);
    if (entry && dataset->source->type->pixels)
        return take_pixels(dataset, entry, options, fit, pixels);
    void *bytes;
    size_t size;
    cnn_status status = cnn_dataset_read(dataset, index, &bytes, &size);
    if (status)
        return status;
    const cnn_image_file file = { bytes, size, cnn_dataset_path(dataset, index) };
    status = cnn_image_decode_to_fit(dataset->context, &file, options, fit, pixels);
    cnn_release(dataset->context, bytes);
    return status;
}

cnn_status cnn_dataset_decode(const cnn_dataset *dataset, uint64_t index, const cnn_image_options *options,
                              cnn_tensor **pixels)
{
    return cnn_dataset_decode_to_fit(dataset, index, options, CNN_FIT_UNKNOWN, pixels);
}
