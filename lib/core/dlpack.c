/* Tensors to and from DLPack, without a copy of their memory. */
#include <cnn/dlpack.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"

enum { CPU = 1 };
enum { CODE_INT = 0, CODE_UINT = 1, CODE_FLOAT = 2, CODE_BFLOAT = 4 };

static const struct {
    cnn_dtype dtype;
    uint8_t code, bits;
} types[] = {
    { CNN_FLOAT32, CODE_FLOAT, 32 }, { CNN_UINT8, CODE_UINT, 8 },       { CNN_INT32, CODE_INT, 32 },
    { CNN_INT64, CODE_INT, 64 },     { CNN_BFLOAT16, CODE_BFLOAT, 16 }, { CNN_INT8, CODE_INT, 8 },
};
enum { TYPES = sizeof types / sizeof *types };

/* What a deleter of ours needs. */
typedef struct export
{
    cnn_dlpack dlpack;
    cnn_context *context;
    cnn_tensor *shared; /* NULL: the memory was borrowed */
    int64_t dims[CNN_MAX_RANK], strides[CNN_MAX_RANK];
}
export;

static void delete_export(cnn_dlpack *self)
{
    export *e = self->manager;
    cnn_tensor_destroy(e->shared);
    cnn_release(e->context, e);
}

static void fill_type(cnn_dtype dtype, cnn_dlpack_tensor *t)
{
    for (int i = 0; i < TYPES; i++) {
        if (types[i].dtype == dtype) {
            t->type_code = types[i].code;
            t->type_bits = types[i].bits;
            t->type_lanes = 1;
        }
    }
}

cnn_status cnn_tensor_to_dlpack(cnn_tensor *tensor, cnn_dlpack **result)
{
    if (result)
        *result = NULL;
    if (!tensor || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_tensor_to_dlpack: NULL was given");
    export *e = cnn_allocate_zeroed(tensor->context, 1, sizeof *e);
    if (!e)
        return CNN_ERROR_OUT_OF_MEMORY;
    e->context = tensor->context;
    e->dlpack.manager = e;
    e->dlpack.deleter = delete_export;
    cnn_dlpack_tensor *t = &e->dlpack.tensor;
    *t = (cnn_dlpack_tensor){ .data = tensor->data, .device_type = CPU, .rank = tensor->rank };
    fill_type(tensor->dtype, t);
    t->dims = e->dims;
    t->strides = e->strides; /* some readers of the format want them in any case */
    int64_t stride = 1;
    for (int32_t i = tensor->rank - 1; i >= 0; i--) {
        e->dims[i] = tensor->dims[i];
        e->strides[i] = stride;
        stride *= tensor->dims[i] ? tensor->dims[i] : 1;
    }
    if (!tensor->borrowed)
        e->shared = cnn_tensor_share(tensor);
    *result = &e->dlpack;
    return CNN_OK;
}

static cnn_status find_type(const cnn_dlpack_tensor *t, cnn_dtype *dtype)
{
    for (int i = 0; i < TYPES; i++) {
        if (t->type_code == types[i].code && t->type_bits == types[i].bits && t->type_lanes == 1) {
            *dtype = types[i].dtype;
            return CNN_OK;
        }
    }
    return cnn_fail(CNN_ERROR_UNSUPPORTED,
                    "cnn_tensor_from_dlpack: elements of kind %d and %d bits are not possible; float32, uint8, int8, "
                    "int32, int64 and bfloat16 are",
                    t->type_code, t->type_bits);
}

/* The strides of dimensions of one element say nothing. */
static bool is_dense(const cnn_dlpack_tensor *t)
{
    int64_t expected = 1;
    for (int32_t i = t->rank - 1; i >= 0 && t->strides; i--) {
        if (t->dims[i] == 0)
            return true;
        if (t->dims[i] > 1 && t->strides[i] != expected)
            return false;
        expected = (int64_t)((uint64_t)expected * (uint64_t)t->dims[i]); /* too much is refused by cnn_tensor_wrap */
    }
    return true;
}

cnn_status cnn_tensor_from_dlpack(cnn_context *context, cnn_dlpack *dlpack, cnn_tensor **tensor)
{
    if (tensor)
        *tensor = NULL;
    if (!dlpack || !tensor)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_tensor_from_dlpack: NULL was given");
    const cnn_dlpack_tensor *t = &dlpack->tensor;
    cnn_dtype dtype = CNN_FLOAT32;
    cnn_status status = find_type(t, &dtype);
    if (status)
        return status;
    if (t->device_type != CPU)
        return cnn_fail(CNN_ERROR_UNSUPPORTED, "cnn_tensor_from_dlpack: the tensor is not in the processor's memory");
    if (t->rank > 0 && t->rank <= CNN_MAX_RANK && t->dims && !is_dense(t))
        return cnn_fail(CNN_ERROR_UNSUPPORTED, "cnn_tensor_from_dlpack: the tensor is not dense, with its last "
                                               "dimension adjacent: copy it first");
    void *data = t->data ? (char *)t->data + t->byte_offset : NULL;
    if ((uintptr_t)data % cnn_dtype_size(dtype))
        return cnn_fail(CNN_ERROR_UNSUPPORTED, "cnn_tensor_from_dlpack: the memory is not aligned to its elements");
    status = cnn_tensor_wrap(context, dtype, t->rank, t->dims, data, tensor);
    if (status)
        return status;
    (*tensor)->borrowed = false;
    (*tensor)->source = dlpack;
    return CNN_OK;
}
