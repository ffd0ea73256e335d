#include "core/tensor_internal.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

size_t cnn_dtype_size(cnn_dtype dtype)
{
    switch (dtype) {
    case CNN_FLOAT32:
    case CNN_INT32: return 4;
    case CNN_UINT8:
    case CNN_INT8: return 1;
    case CNN_INT64: return 8;
    case CNN_BFLOAT16: return 2;
    case CNN_DTYPE_MAX_ENUM: break;
    }
    return 0;
}

static cnn_status count_elements(cnn_dtype dtype, int32_t rank, const int64_t *dims, int64_t *count)
{
    if (!cnn_dtype_size(dtype))
        return cnn_fail(CNN_ERROR_ARGUMENT, "tensor: %d is no element type", (int)dtype);
    if (rank < 0 || rank > CNN_MAX_RANK)
        return cnn_fail(CNN_ERROR_ARGUMENT, "tensor: a rank of %d is not possible; it is 0 to %d", (int)rank,
                        CNN_MAX_RANK);
    if (rank && !dims)
        return cnn_fail(CNN_ERROR_ARGUMENT, "tensor: no dimensions were given for a rank of %d", (int)rank);
    size_t elements = 1, bytes;
    bool empty = false;
    for (int32_t i = 0; i < rank; i++) {
        if (dims[i] < 0)
            return cnn_fail(CNN_ERROR_ARGUMENT, "tensor: dimension %d is %lld", (int)i, (long long)dims[i]);
        if (dims[i] == 0)
            empty = true;
        else if (!cnn_multiply(elements, dims[i], &elements))
            return cnn_fail(CNN_ERROR_LIMIT, "tensor: the dimensions are too large for memory");
    }
    if (!cnn_multiply(elements, cnn_dtype_size(dtype), &bytes) || bytes > PTRDIFF_MAX)
        return cnn_fail(CNN_ERROR_LIMIT, "tensor: the dimensions are too large for memory");
    *count = empty ? 0 : (int64_t)elements;
    return CNN_OK;
}

static cnn_status make(cnn_context *context, cnn_dtype dtype, int32_t rank, const int64_t *dims, cnn_tensor **result)
{
    if (!result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "tensor: the result has no place: NULL was given");
    *result = NULL;
    int64_t count = 0;
    cnn_status status = count_elements(dtype, rank, dims, &count);
    if (status)
        return status;
    cnn_tensor *tensor = cnn_allocate_zeroed(context, 1, sizeof *tensor);
    if (!tensor)
        return CNN_ERROR_OUT_OF_MEMORY;
    tensor->context = context;
    tensor->dtype = dtype;
    tensor->rank = rank;
    for (int32_t i = 0; i < rank; i++)
        tensor->dims[i] = dims[i];
    tensor->count = count;
    *result = tensor;
    return CNN_OK;
}

cnn_status cnn_tensor_create(cnn_context *context, cnn_dtype dtype, int32_t rank, const int64_t *dims,
                             cnn_tensor **result)
{
    cnn_status status = make(context, dtype, rank, dims, result);
    if (status)
        return status;
    cnn_tensor *tensor = *result;
    tensor->data = cnn_allocate_zeroed(context, (size_t)tensor->count, cnn_dtype_size(dtype));
    if (!tensor->data) {
        cnn_tensor_destroy(tensor);
        *result = NULL;
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    return CNN_OK;
}

cnn_status cnn_tensor_wrap(cnn_context *context, cnn_dtype dtype, int32_t rank, const int64_t *dims, void *data,
                           cnn_tensor **result)
{
    cnn_status status = make(context, dtype, rank, dims, result);
    if (status)
        return status;
    if (!data && (*result)->count) {
        cnn_tensor_destroy(*result);
        *result = NULL;
        return cnn_fail(CNN_ERROR_ARGUMENT, "tensor: NULL can't be wrapped");
    }
    (*result)->data = data;
    (*result)->borrowed = true;
    return CNN_OK;
}

cnn_tensor *cnn_tensor_share(cnn_tensor *tensor)
{
    atomic_fetch_add(&tensor->shares, 1);
    return tensor;
}

void cnn_tensor_destroy(cnn_tensor *tensor)
{
    if (!tensor || atomic_fetch_sub(&tensor->shares, 1) > 0)
        return;
    if (tensor->source && tensor->source->deleter)
        tensor->source->deleter(tensor->source);
    if (!tensor->borrowed && !tensor->source)
        cnn_release(tensor->context, tensor->data);
    cnn_release(tensor->context, tensor);
}

cnn_dtype cnn_tensor_dtype(const cnn_tensor *tensor)
{
    return tensor ? tensor->dtype : CNN_FLOAT32;
}

int32_t cnn_tensor_rank(const cnn_tensor *tensor)
{
    return tensor ? tensor->rank : 0;
}

int64_t cnn_tensor_dim(const cnn_tensor *tensor, int32_t axis)
{
    return tensor && axis >= 0 && axis < tensor->rank ? tensor->dims[axis] : 0;
}

int64_t cnn_tensor_count(const cnn_tensor *tensor)
{
    return tensor ? tensor->count : 0;
}

size_t cnn_tensor_bytes(const cnn_tensor *tensor)
{
    return tensor ? (size_t)tensor->count * cnn_dtype_size(tensor->dtype) : 0;
}

void *cnn_tensor_data(cnn_tensor *tensor)
{
    return tensor ? tensor->data : NULL;
}

const void *cnn_tensor_const_data(const cnn_tensor *tensor)
{
    return tensor ? tensor->data : NULL;
}

bool cnn_tensor_is(const cnn_tensor *tensor, cnn_dtype dtype, int32_t rank, const int64_t *dims)
{
    return tensor && tensor->dtype == dtype && tensor->rank == rank &&
           !memcmp(tensor->dims, dims, (size_t)rank * sizeof *dims);
}

const char *cnn_dims_text(int32_t rank, const int64_t *dims, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int32_t i = 0; i < rank && used < size; i++) {
        int written = snprintf(text + used, size - used, i ? "\xC3\x97%lld" : "%lld", (long long)dims[i]);
        used += written > 0 ? (size_t)written : 0;
    }
    return text;
}

static const char *dtype_name(cnn_dtype dtype)
{
    switch (dtype) {
    case CNN_FLOAT32: return "CNN_FLOAT32";
    case CNN_UINT8: return "CNN_UINT8";
    case CNN_INT32: return "CNN_INT32";
    case CNN_INT64: return "CNN_INT64";
    case CNN_INT8: return "CNN_INT8";
    case CNN_BFLOAT16: return "CNN_BFLOAT16";
    case CNN_DTYPE_MAX_ENUM: break;
    }
    return "no type";
}

const char *cnn_tensor_text(const cnn_tensor *tensor, char *text, size_t size)
{
    if (!tensor)
        snprintf(text, size, "NULL");
    else {
        char dims[128];
        snprintf(text, size, "%s of %s", cnn_dims_text(tensor->rank, tensor->dims, dims, sizeof dims),
                 dtype_name(tensor->dtype));
    }
    return text;
}
