/* DLPack: tensors handed to NumPy, PyTorch and other libraries, and taken from them, without a copy.
 *
 * Predicting the images that another library holds, and handing it the result:
 *
 *     cnn_status predict_shared(const cnn_model *model, cnn_dlpack *images, cnn_dlpack **logits)
 *     {
 *         cnn_tensor *input = NULL, *output = NULL;
 *         int64_t dims[2] = { 0 };
 *         cnn_status status = cnn_tensor_from_dlpack(NULL, images, &input);
 *         if (status)
 *             return status; // `images` are still the caller's
 *         dims[0] = cnn_tensor_dim(input, 0);
 *         cnn_model_output_dims(model, dims + 1, 1);
 *         status = cnn_tensor_create(NULL, CNN_FLOAT32, 2, dims, &output);
 *         if (!status)
 *             status = cnn_model_predict(model, input, output);
 *         if (!status)
 *             status = cnn_tensor_to_dlpack(output, logits);
 *         cnn_tensor_destroy(output); // the memory lives on in `*logits`
 *         cnn_tensor_destroy(input);  // calls the deleter of `images`
 *         return status;
 *     }
 *
 * The structs have the layout of DLPack 0.8 (https://github.com/dmlc/dlpack, include/dlpack/dlpack.h): a pointer to a
 * cnn_dlpack may be cast to one to a DLManagedTensor, and back. A Python capsule named "dltensor" holds such a pointer,
 * too. */
#ifndef CNN_DLPACK_H
#define CNN_DLPACK_H

#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

CNN_BEGIN_DECLS

/* Where a tensor's elements are, and what they are. DLPack's name: DLTensor. */
typedef struct cnn_dlpack_tensor {
    void *data;
    int32_t device_type; /* 1: the processor's memory */
    int32_t device_id;
    int32_t rank;
    uint8_t type_code; /* 0: signed integer, 1: unsigned integer, 2: IEEE float, 4: bfloat16 */
    uint8_t type_bits;
    uint16_t type_lanes; /* 1 */
    int64_t *dims;       /* `rank` of them */
    int64_t
        *strides; /* `rank` of them, in elements; NULL: the elements lie without gaps, the last dimension adjacent */
    uint64_t byte_offset; /* from `data` to the first element */
} cnn_dlpack_tensor;

/* A tensor together with the way to free it. DLPack's name: DLManagedTensor. */
typedef struct cnn_dlpack {
    cnn_dlpack_tensor tensor;
    void *manager;                            /* the deleter's own */
    void (*deleter)(struct cnn_dlpack *self); /* frees the memory and the struct; may be NULL */
} cnn_dlpack;

/* Hands `tensor` to another library. Whoever has `*dlpack` calls its deleter once, from any thread. The tensor's memory
 * is freed when the tensor has been destroyed and the deleter has been called, in either order. Memory that the tensor
 * only borrows (from cnn_tensor_wrap, a loader, a model) lives as long as its owner keeps it. The context must outlive
 * both. Errors: CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_tensor_to_dlpack(cnn_tensor *tensor, cnn_dlpack **dlpack);

/* Makes a tensor over the memory of another library. The tensor takes `dlpack` over: cnn_tensor_destroy calls its
 * deleter. On an error `dlpack` stays the caller's. Errors: CNN_ERROR_UNSUPPORTED if the memory is another device's,
 * its elements are of a type that is no cnn_dtype or aren't aligned to their size, or they have gaps: copy them first.
 * CNN_ERROR_ARGUMENT if there are more than CNN_MAX_RANK dimensions. */
CNN_API cnn_status cnn_tensor_from_dlpack(cnn_context *context, cnn_dlpack *dlpack, cnn_tensor **tensor);

CNN_END_DECLS

#endif
