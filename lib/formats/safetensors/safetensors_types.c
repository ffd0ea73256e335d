#include "formats/safetensors/safetensors_types.h"

#include <string.h>

#include "core/memory.h"

static const char *const names[] = {
    [CNN_FLOAT32] = "F32", [CNN_UINT8] = "U8",      [CNN_INT32] = "I32",
    [CNN_INT64] = "I64",   [CNN_BFLOAT16] = "BF16", [CNN_INT8] = "I8",
};

enum { TYPE_COUNT = sizeof names / sizeof *names };

const char *cnn_safetensors_dtype_name(cnn_dtype dtype)
{
    return (unsigned)dtype < TYPE_COUNT ? names[dtype] : NULL;
}

bool cnn_safetensors_dtype(const char *name, cnn_dtype *dtype)
{
    for (int i = 0; i < TYPE_COUNT; i++)
        if (!strcmp(name, names[i])) {
            *dtype = (cnn_dtype)i;
            return true;
        }
    return false;
}

bool cnn_safetensors_bytes(const cnn_safetensors_array *array, size_t *bytes)
{
    size_t product = cnn_dtype_size(array->dtype);
    if (!product || array->rank < 0 || array->rank > CNN_MAX_RANK)
        return false;
    bool empty = false;
    for (int32_t i = 0; i < array->rank; i++) {
        empty |= array->dims[i] == 0;
        if (array->dims[i] < 0 || (array->dims[i] && !cnn_multiply(product, array->dims[i], &product)))
            return false;
    }
    *bytes = empty ? 0 : product;
    return product <= PTRDIFF_MAX;
}
