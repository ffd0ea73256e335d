/* A tensor from within. */
#ifndef CNN_CORE_TENSOR_INTERNAL_H
#define CNN_CORE_TENSOR_INTERNAL_H

#include <stdbool.h>

#include <cnn/tensor.h>

struct cnn_tensor {
    cnn_context *context;
    cnn_dtype dtype;
    int32_t rank;
    int64_t dims[CNN_MAX_RANK];
    int64_t count;
    void *data;
    bool borrowed;
};

/* Whether dtype, rank and dimensions are these; for checking arguments. */
bool cnn_tensor_is(const cnn_tensor *tensor, cnn_dtype dtype, int32_t rank, const int64_t *dims);

/* "32×150×150×3" for messages, cut to fit; returns `text`. */
const char *cnn_dims_text(int32_t rank, const int64_t *dims, char *text, size_t size);

#endif
