#include "optim/snapshot.h"

#include <string.h>

#include "core/memory.h"
#include "runtime/model_internal.h"

static cnn_status add_arrays(cnn_snapshot *snapshot)
{
    int32_t all = cnn_model_parameter_count(snapshot->model);
    snapshot->arrays = cnn_allocate_zeroed(snapshot->context, (size_t)all, sizeof *snapshot->arrays);
    if (!snapshot->arrays)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (int32_t i = 0; i < all; i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        cnn_status status = cnn_model_parameter(snapshot->model, i, &parameter);
        if (status)
            return status;
        cnn_snapshot_array *array = &snapshot->arrays[snapshot->count++];
        array->parameter = i;
        array->count = (size_t)cnn_tensor_count(parameter.value);
        array->value = cnn_tensor_data(parameter.value);
        array->data = cnn_allocate(snapshot->context, array->count * sizeof(float));
        if (!array->data)
            return CNN_ERROR_OUT_OF_MEMORY;
    }
    return CNN_OK;
}

cnn_status cnn_snapshot_create(cnn_model *model, cnn_snapshot **snapshot)
{
    *snapshot = NULL;
    cnn_context *context = model->context;
    cnn_snapshot *created = cnn_allocate_zeroed(context, 1, sizeof *created);
    if (!created)
        return CNN_ERROR_OUT_OF_MEMORY;
    created->context = context;
    created->model = model;
    cnn_status status = add_arrays(created);
    if (status) {
        cnn_snapshot_destroy(created);
        return status;
    }
    cnn_snapshot_capture(created);
    *snapshot = created;
    return CNN_OK;
}

void cnn_snapshot_destroy(cnn_snapshot *snapshot)
{
    if (!snapshot)
        return;
    for (size_t i = 0; i < snapshot->count; i++)
        cnn_release(snapshot->context, snapshot->arrays[i].data);
    cnn_release(snapshot->context, snapshot->arrays);
    cnn_release(snapshot->context, snapshot);
}

void cnn_snapshot_capture(cnn_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++)
        memcpy(snapshot->arrays[i].data, snapshot->arrays[i].value, snapshot->arrays[i].count * sizeof(float));
}

void cnn_snapshot_apply(cnn_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++)
        memcpy(snapshot->arrays[i].value, snapshot->arrays[i].data, snapshot->arrays[i].count * sizeof(float));
    cnn_model_changed(snapshot->model);
}

static void swap_arrays(size_t count, float *restrict a, float *restrict b)
{
    for (size_t i = 0; i < count; i++) {
        float kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

void cnn_snapshot_swap(cnn_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++)
        swap_arrays(snapshot->arrays[i].count, snapshot->arrays[i].data, snapshot->arrays[i].value);
    cnn_model_changed(snapshot->model);
}
