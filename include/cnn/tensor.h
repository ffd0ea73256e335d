/* Tensors: arrays of numbers with up to six dimensions, without gaps; elements that differ in the last index are
 * neighbours in memory. An image is height × width × channels, a batch of images is N × height × width × channels.
 *
 *     cnn_status make_grey(int64_t height, int64_t width, cnn_tensor **pixels)
 *     {
 *         const int64_t dims[] = { height, width, 3 };
 *         cnn_status status = cnn_tensor_create(NULL, CNN_UINT8, 3, dims, pixels);
 *         if (!status)
 *             memset(cnn_tensor_data(*pixels), 128, cnn_tensor_bytes(*pixels));
 *         return status;
 *     }
 *
 * A tensor may be read from several threads at once, as long as no thread writes to it or destroys it. */
#ifndef CNN_TENSOR_H
#define CNN_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

typedef struct cnn_tensor cnn_tensor;

/* The most dimensions that a tensor may have. */
enum { CNN_MAX_RANK = 6 };

/* The type of a tensor's elements. */
typedef enum cnn_dtype {
    CNN_FLOAT32 = 0,
    CNN_UINT8 = 1,
    CNN_INT32 = 2,
    CNN_INT64 = 3,
    CNN_BFLOAT16 = 4, /* the upper half of a float32 */
    CNN_INT8 = 5,
    CNN_DTYPE_MAX_ENUM = 0x7fffffff
} cnn_dtype;

/* Returns the size of one element in bytes; 0 for a value that is no cnn_dtype. */
CNN_API size_t cnn_dtype_size(cnn_dtype dtype);

/* Makes a tensor of zeros, which the caller owns. `rank` is the number of dimensions, 0 (one element) to CNN_MAX_RANK;
 * `dims` are their sizes, each 0 or more. The first element is at a multiple of 64 bytes. Errors: CNN_ERROR_ARGUMENT;
 * CNN_ERROR_LIMIT if no memory could be so large; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_tensor_create(cnn_context *context, cnn_dtype dtype, int32_t rank, const int64_t *dims,
                                     cnn_tensor **tensor);

/* Makes a tensor over memory that the caller keeps. `data` has room for all elements, the product of `dims`, and is
 * aligned to the size of one. It must outlive the tensor, which doesn't free it. Errors: those of cnn_tensor_create. */
CNN_API cnn_status cnn_tensor_wrap(cnn_context *context, cnn_dtype dtype, int32_t rank, const int64_t *dims, void *data,
                                   cnn_tensor **tensor);

/* Frees a tensor, but not memory that it wraps. NULL is ignored. */
CNN_API void cnn_tensor_destroy(cnn_tensor *tensor);

/* Return the type of the elements, and the number of dimensions. Thread-safe, as are all functions below. */
CNN_API cnn_dtype cnn_tensor_dtype(const cnn_tensor *tensor);
CNN_API int32_t cnn_tensor_rank(const cnn_tensor *tensor);

/* Returns the size of the dimension numbered `axis`, from 0; 0 if there is no such dimension. */
CNN_API int64_t cnn_tensor_dim(const cnn_tensor *tensor, int32_t axis);

/* Return the number of elements, and of the bytes that they take. */
CNN_API int64_t cnn_tensor_count(const cnn_tensor *tensor);
CNN_API size_t cnn_tensor_bytes(const cnn_tensor *tensor);

/* Return the elements. The pointer is valid until the tensor is destroyed. */
CNN_API void *cnn_tensor_data(cnn_tensor *tensor);
CNN_API const void *cnn_tensor_const_data(const cnn_tensor *tensor);

CNN_END_DECLS

#endif
