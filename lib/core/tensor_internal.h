/* The struct behind cnn_tensor. */
#ifndef CNN_CORE_TENSOR_INTERNAL_H
#define CNN_CORE_TENSOR_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include <cnn/dlpack.h>
#include <cnn/tensor.h>

struct cnn_tensor {
    cnn_context *context;
    cnn_dtype dtype;
    int32_t rank;
    int64_t dims[CNN_MAX_RANK];
    int64_t count;
    void *data;
    bool borrowed;
    cnn_dlpack *source; /* where the memory comes from, if from elsewhere; NULL: the context's allocator */
    atomic_int shares;  /* how many hold it besides its first owner */
};

/* One more holds the tensor: each calls cnn_tensor_destroy, and the last frees it. */
cnn_tensor *cnn_tensor_share(cnn_tensor *tensor);

/* Whether dtype, rank and dimensions are these; for checking arguments. */
bool cnn_tensor_is(const cnn_tensor *tensor, cnn_dtype dtype, int32_t rank, const int64_t *dims);

/* "32×150×150×3" for messages, cut to fit; returns `text`. */
const char *cnn_dims_text(int32_t rank, const int64_t *dims, char *text, size_t size);

/* "32×150×150×3 of CNN_FLOAT32", in the same way; "NULL". */
const char *cnn_tensor_text(const cnn_tensor *tensor, char *text, size_t size);

#endif
