/* Batches as callers give them. */
#include "core/error.h"
#include "core/tensor_internal.h"
#include "runtime/model_state.h"

cnn_status cnn_check_batch(const cnn_tensor *tensor, const cnn_shape *shape, int64_t least, const char *what)
{
    if (!tensor)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s is NULL", what);
    char given[128], wanted[128];
    bool fits = tensor->dtype == CNN_FLOAT32 && tensor->rank == shape->rank + 1 && tensor->dims[0] >= least;
    for (int32_t i = 0; fits && i < shape->rank; i++)
        fits = tensor->dims[i + 1] == shape->dims[i];
    if (fits)
        return CNN_OK;
    return cnn_fail(CNN_ERROR_SHAPE, "%s has the shape %s%s; the model has float32 N\xC3\x97%s there%s", what,
                    cnn_dims_text(tensor->rank, tensor->dims, given, sizeof given),
                    tensor->dtype == CNN_FLOAT32 ? "" : " and isn't float32",
                    cnn_dims_text(shape->rank, shape->dims, wanted, sizeof wanted),
                    least ? ", with at least one image" : "");
}
