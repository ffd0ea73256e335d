#include "train/features.h"

#include <string.h>

#include "core/cancel.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/tensor_internal.h"
#include "runtime/model_internal.h"

enum { COMPUTED_AT_ONCE = 32 };

struct cnn_features {
    cnn_context *context;
    cnn_features_options options;
    size_t count, length; /* photographs, and numbers for each */
    float *values;
    int32_t *labels;

    /* The epoch under way, and its batch. */
    uint32_t *order;
    size_t given;
    cnn_tensor *images;
    int32_t *batch_labels;
    uint64_t *batch_indices;
};

void cnn_features_destroy(cnn_features *features)
{
    if (!features)
        return;
    cnn_context *context = features->context;
    cnn_tensor_destroy(features->images);
    cnn_release(context, features->batch_indices);
    cnn_release(context, features->batch_labels);
    cnn_release(context, features->order);
    cnn_release(context, features->labels);
    cnn_release(context, features->values);
    cnn_release(context, features);
}

static cnn_status create(cnn_context *context, const cnn_dataset *dataset, const cnn_shape *shape,
                         const cnn_features_options *options, cnn_features **result)
{
    cnn_features *features = *result = cnn_allocate_zeroed(context, 1, sizeof *features);
    if (!features)
        return CNN_ERROR_OUT_OF_MEMORY;
    features->context = context;
    features->options = *options;
    features->count = (size_t)cnn_dataset_count(dataset);
    if (features->options.batch_size > features->count) /* memory is taken for what can be in use */
        features->options.batch_size = features->count ? (uint32_t)features->count : 1;
    uint32_t batch_size = features->options.batch_size;
    features->length = (size_t)(shape->dims[0] * shape->dims[1] * shape->dims[2]);
    size_t values;
    if (!cnn_multiply(features->count, features->length, &values))
        return cnn_fail(CNN_ERROR_LIMIT, "the features of %zu images don't fit in memory", features->count);
    features->values = cnn_allocate_zeroed(context, values, sizeof *features->values);
    features->labels = cnn_allocate_zeroed(context, features->count, sizeof *features->labels);
    features->order = cnn_allocate_zeroed(context, features->count, sizeof *features->order);
    features->batch_labels = cnn_allocate_zeroed(context, batch_size, sizeof *features->batch_labels);
    features->batch_indices = cnn_allocate_zeroed(context, batch_size, sizeof *features->batch_indices);
    if (!features->values || !features->labels || !features->order || !features->batch_labels ||
        !features->batch_indices)
        return CNN_ERROR_OUT_OF_MEMORY;
    const int64_t dims[] = { batch_size, shape->dims[0], shape->dims[1], shape->dims[2] };
    return cnn_tensor_create(context, CNN_FLOAT32, 4, dims, &features->images);
}

/* The net's output for a batch goes where its photographs have their features. */
static cnn_status compute_batch(cnn_features *features, const cnn_model *model, const cnn_batch *batch, size_t done)
{
    cnn_shape shape = cnn_model_output_shape(model);
    const int64_t dims[] = { batch->count, shape.dims[0], shape.dims[1], shape.dims[2] };
    cnn_tensor *output;
    cnn_status status = cnn_tensor_wrap(features->context, CNN_FLOAT32, shape.rank + 1, dims,
                                        features->values + done * features->length, &output);
    if (!status)
        status = cnn_model_predict(model, batch->images, output);
    cnn_tensor_destroy(output);
    for (uint32_t i = 0; i < batch->count; i++)
        features->labels[done + i] = batch->labels[i];
    return status;
}

static cnn_status compute(cnn_features *features, const cnn_model *model, cnn_loader *loader)
{
    const cnn_features_options *options = &features->options;
    cnn_status status = cnn_loader_start(loader, 0);
    size_t done = 0;
    while (!status) {
        cnn_batch batch = { .struct_size = sizeof batch };
        status = cnn_work_check("the computing of features");
        if (!status)
            status = cnn_loader_next(loader, &batch);
        if (status || batch.count == 0)
            break;
        status = compute_batch(features, model, &batch, done);
        done += batch.count;
        if (!status && options->progress && options->progress(done, features->count, options->user))
            status = cnn_fail(CNN_ERROR_STOPPED, "the computing of features was stopped");
    }
    return status;
}

cnn_status cnn_features_compute(const cnn_model *model, const cnn_dataset *dataset, const cnn_shape *batch_shape,
                                const cnn_features_options *options, cnn_features **result)
{
    cnn_loader_options loader_options;
    cnn_loader_options_init(&loader_options);
    loader_options.batch_size = COMPUTED_AT_ONCE;
    loader_options.workers = options->workers;
    loader_options.preprocess = options->preprocess;
    cnn_loader *loader = NULL;
    cnn_status status = create(model->context, dataset, batch_shape, options, result);
    if (!status)
        status = cnn_loader_create(model->context, dataset, &loader_options, &loader);
    if (!status)
        status = compute(*result, model, loader);
    cnn_loader_destroy(loader);
    if (status) {
        cnn_features_destroy(*result);
        *result = NULL;
    }
    return status;
}

static cnn_status start(void *source, uint32_t epoch)
{
    cnn_features *features = source;
    for (size_t i = 0; i < features->count; i++)
        features->order[i] = (uint32_t)i;
    if (features->options.shuffle)
        cnn_random_shuffle(features->options.seed, epoch, features->order, features->count);
    features->given = 0;
    return CNN_OK;
}

static cnn_status next(void *source, cnn_batch *batch)
{
    cnn_features *features = source;
    size_t left = features->count - features->given;
    uint32_t count = left < features->options.batch_size ? (uint32_t)left : features->options.batch_size;
    float *row = cnn_tensor_data(features->images);
    for (uint32_t i = 0; i < count; i++, row += features->length) {
        size_t index = features->order[features->given + i];
        memcpy(row, features->values + index * features->length, features->length * sizeof *row);
        features->batch_labels[i] = features->labels[index];
        features->batch_indices[i] = index;
    }
    features->given += count;
    features->images->dims[0] = count;
    features->images->count = (int64_t)(count * features->length);
    batch->count = count;
    batch->images = features->images;
    batch->labels = features->batch_labels;
    batch->indices = features->batch_indices;
    return CNN_OK;
}

cnn_batches cnn_features_batches(cnn_features *features)
{
    if (!features)
        return (cnn_batches){ 0 };
    uint64_t size = features->options.batch_size;
    return (cnn_batches){ features, start, next, (features->count + size - 1) / size };
}
