/* A dense N-dimensional array. Images are N×H×W×C: batch, height, width, channels, the channels of a pixel adjacent. */
#ifndef CNN_TENSOR_H
#define CNN_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

typedef struct cnn_tensor cnn_tensor;

enum { CNN_MAX_RANK = 6 };

typedef enum cnn_dtype {
    CNN_FLOAT32 = 0,
    CNN_UINT8 = 1,
    CNN_INT32 = 2,
    CNN_INT64 = 3,
    CNN_BFLOAT16 = 4,
    CNN_INT8 = 5,
    CNN_DTYPE_MAX_ENUM = 0x7fffffff
} cnn_dtype;

/* The size of one element in bytes; 0 for a value that is no cnn_dtype. */
CNN_API size_t cnn_dtype_size(cnn_dtype dtype);

/* Makes a tensor of zeros. `rank` is 0 (one element) to CNN_MAX_RANK; every dimension is 0 or more. The data starts at
 * a multiple of 64 bytes. Errors: CNN_ERROR_ARGUMENT, CNN_ERROR_LIMIT (the size overflows), CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_tensor_create(cnn_context *context, cnn_dtype dtype, int32_t rank, const int64_t *dims,
                                     cnn_tensor **tensor);

/* Makes a tensor over the caller's memory, which is borrowed: it must outlive the tensor, hold the product of `dims`
 * elements, be aligned to one element, and is not freed. */
CNN_API cnn_status cnn_tensor_wrap(cnn_context *context, cnn_dtype dtype, int32_t rank, const int64_t *dims, void *data,
                                   cnn_tensor **tensor);

/* Frees a tensor (not the memory that it borrowed). NULL is ignored. */
CNN_API void cnn_tensor_destroy(cnn_tensor *tensor);

/* Of a tensor that is NULL all of these give 0 or NULL, as every getter of the library does of nothing. */
CNN_API cnn_dtype cnn_tensor_dtype(const cnn_tensor *tensor);
CNN_API int32_t cnn_tensor_rank(const cnn_tensor *tensor);

/* One dimension; 0 if `axis` is not below the rank. */
CNN_API int64_t cnn_tensor_dim(const cnn_tensor *tensor, int32_t axis);

/* How many elements there are, and how many bytes they take. */
CNN_API int64_t cnn_tensor_count(const cnn_tensor *tensor);
CNN_API size_t cnn_tensor_bytes(const cnn_tensor *tensor);

/* The elements, the last dimension adjacent. Valid until the tensor is destroyed. */
CNN_API void *cnn_tensor_data(cnn_tensor *tensor);
CNN_API const void *cnn_tensor_const_data(const cnn_tensor *tensor);

CNN_END_DECLS

#endif
