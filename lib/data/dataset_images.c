/* What a dataset tells of its classes and images. */
#include "core/error.h"
#include "core/memory.h"
#include "data/dataset_internal.h"

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
    if (!bytes || !size)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_read: the result has no place: NULL was given");
    *bytes = NULL;
    *size = 0;
    const cnn_entry *entry = entry_of(dataset, index);
    if (!entry)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_read: there is no image %llu in a dataset of %llu",
                        (unsigned long long)index, (unsigned long long)cnn_dataset_count(dataset));
    return dataset->source->type->read(dataset->source, entry, dataset->max_file_bytes, bytes, size);
}

void cnn_dataset_release_bytes(const cnn_dataset *dataset, void *bytes)
{
    if (dataset)
        cnn_release(dataset->context, bytes);
}

cnn_status cnn_dataset_decode(const cnn_dataset *dataset, uint64_t index, const cnn_image_options *options,
                              cnn_tensor **pixels)
{
    if (!pixels)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_decode: the result has no place: NULL was given");
    *pixels = NULL;
    const cnn_entry *entry = entry_of(dataset, index);
    if (entry && dataset->source->type->pixels)
        return dataset->source->type->pixels(dataset->source, entry, pixels);
    void *bytes;
    size_t size;
    cnn_status status = cnn_dataset_read(dataset, index, &bytes, &size);
    if (status)
        return status;
    status = cnn_image_decode(dataset->context, bytes, size, cnn_dataset_path(dataset, index), options, pixels);
    cnn_dataset_release_bytes(dataset, bytes);
    return status;
}
