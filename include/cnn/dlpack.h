/* DLPack: tensors handed to NumPy, PyTorch and others, and taken from them, without a copy.
 *
 * The structs have the layout of DLPack 0.8 (https://github.com/dmlc/dlpack, include/dlpack/dlpack.h), which is also
 * what a Python capsule named "dltensor" holds; a pointer to the one is cast to a pointer to the other. */
#ifndef CNN_DLPACK_H
#define CNN_DLPACK_H

#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

CNN_BEGIN_DECLS

typedef struct cnn_dlpack_tensor { /* DLTensor */
    void *data;
    int32_t device_type; /* 1: the processor's memory */
    int32_t device_id;
    int32_t rank;
    uint8_t type_code; /* 0: signed integer, 1: unsigned integer, 2: IEEE float, 4: bfloat16 */
    uint8_t type_bits;
    uint16_t type_lanes;
    int64_t *dims;
    int64_t *strides; /* in elements; NULL: the last dimension adjacent, without gaps */
    uint64_t byte_offset;
} cnn_dlpack_tensor;

typedef struct cnn_dlpack { /* DLManagedTensor */
    cnn_dlpack_tensor tensor;
    void *manager;
    void (*deleter)(struct cnn_dlpack *self); /* called once by whoever is done with the memory; may be NULL */
} cnn_dlpack;

/* Gives `tensor` to others: its memory lives until the tensor is destroyed and the deleter has been called, in any
 * order. Memory that the tensor borrows (cnn_tensor_wrap, or what belongs to a loader or model) lives as long as its
 * owner says. The context must outlive both. */
CNN_API cnn_status cnn_tensor_to_dlpack(cnn_tensor *tensor, cnn_dlpack **dlpack);

/* Makes a tensor over memory of others, whose deleter cnn_tensor_destroy calls. On error `dlpack` stays the caller's.
 * Errors: CNN_ERROR_UNSUPPORTED: on another device, of a type that is no cnn_dtype, not dense, or not aligned. */
CNN_API cnn_status cnn_tensor_from_dlpack(cnn_context *context, cnn_dlpack *dlpack, cnn_tensor **tensor);

CNN_END_DECLS

#endif
