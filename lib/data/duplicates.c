/* Images that are there twice. */
#include <stdatomic.h>

#include "core/cancel.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "core/tensor_internal.h"
#include "data/content.h"

typedef struct reading {
    const cnn_dataset *dataset;
    const cnn_work *work;
    atomic_bool out_of_memory;
} reading;

static cnn_status hash_pixels(const cnn_dataset *dataset, size_t index)
{
    cnn_tensor *pixels;
    cnn_status status = cnn_dataset_decode(dataset, index, NULL, &pixels);
    if (status)
        return status;
    int64_t shape[] = { pixels->dims[0], pixels->dims[1] };
    uint64_t hashes[] = { cnn_content_hash(pixels->data, cnn_tensor_bytes(pixels)),
                          cnn_content_hash(shape, sizeof shape) };
    cnn_tensor_destroy(pixels);
    cnn_content_note(dataset, index, cnn_content_hash(hashes, sizeof hashes));
    return CNN_OK;
}

static cnn_status hash_file(const cnn_dataset *dataset, size_t index)
{
    void *bytes;
    size_t size;
    cnn_status status = cnn_dataset_read(dataset, index, &bytes, &size);
    if (status)
        return status;
    cnn_content_note(dataset, index, cnn_content_hash(bytes, size));
    cnn_release(dataset->context, bytes);
    return CNN_OK;
}

static void read_one(void *argument, size_t index, uint32_t worker)
{
    (void)worker;
    reading *r = argument;
    if (cnn_content_of(r->dataset, index) || cnn_work_is_cancelled(r->work))
        return;
    bool pixels = r->dataset->source->type->pixels != NULL;
    cnn_status status = pixels ? hash_pixels(r->dataset, index) : hash_file(r->dataset, index);
    if (status == CNN_ERROR_OUT_OF_MEMORY)
        atomic_store(&r->out_of_memory, true);
}

static cnn_status read_all(const cnn_dataset *dataset, const cnn_work *work)
{
    reading r = { .dataset = dataset, .work = work };
    cnn_parallel(dataset->context, dataset->count, read_one, &r);
    if (r.out_of_memory)
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "%s: out of memory", dataset->source->path);
    return cnn_work_check(dataset->source->path);
}

static void compare(const cnn_dataset *dataset, const cnn_dataset *among, cnn_content_table *table,
                    cnn_duplicate_callback found, void *user)
{
    for (size_t i = 0; i < among->count && among != dataset; i++)
        if (cnn_content_of(among, i))
            cnn_content_table_find(table, cnn_content_of(among, i), i, true);
    for (size_t i = 0; i < dataset->count; i++) {
        uint64_t hash = cnn_content_of(dataset, i);
        size_t equal = hash ? cnn_content_table_find(table, hash, i, among == dataset) : SIZE_MAX;
        if (equal != SIZE_MAX && found(i, equal, user))
            return;
    }
}

cnn_status cnn_dataset_find_duplicates(const cnn_dataset *dataset, const cnn_dataset *among,
                                       cnn_duplicate_callback found, void *user)
{
    if (!dataset || !among || !found)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_find_duplicates: two datasets and a function must be given");
    cnn_content_table table;
    cnn_status status = cnn_content_table_create(dataset->context, among->count, &table);
    if (status)
        return status;
    cnn_work work;
    cnn_work_begin(&work, dataset->context);
    status = read_all(dataset, &work);
    if (!status && among != dataset)
        status = read_all(among, &work);
    cnn_work_end(&work);
    if (!status)
        compare(dataset, among, &table, found, user);
    cnn_release(dataset->context, table.places);
    return status;
}
