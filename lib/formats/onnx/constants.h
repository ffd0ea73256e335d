/* What the readers of operators on constants share. These are computed once, when the file is read. */
#ifndef CNN_FORMATS_ONNX_CONSTANTS_H
#define CNN_FORMATS_ONNX_CONSTANTS_H

#include "formats/onnx/import.h"

enum { CNN_ONNX_MAX_ITEMS = 1 << 20 }; /* of a constant that is larger than what it is made from */

/* A walk over a constant in some order: `at` is the element's index. */
typedef struct cnn_onnx_walk {
    int32_t rank;
    int64_t dims[CNN_ONNX_MAX_RANK], strides[CNN_ONNX_MAX_RANK], index[CNN_ONNX_MAX_RANK];
    int64_t at;
} cnn_onnx_walk;

void cnn_onnx_step(cnn_onnx_walk *w); /* to the next element */
void cnn_onnx_natural_strides(const cnn_onnx_tensor *tensor, int64_t strides[CNN_ONNX_MAX_RANK]);

/* Where the elements of a new constant go: one of the two, by the kind of its numbers. */
typedef struct cnn_onnx_elements {
    float *floats;
    int64_t *int64s;
} cnn_onnx_elements;

/* A new constant of the same kind of numbers. */
cnn_status cnn_onnx_new_like(cnn_onnx_import *import, const cnn_onnx_tensor *like, int32_t rank, const int64_t *dims,
                             cnn_onnx_elements *elements, cnn_onnx_tensor **result);

/* One element of the same kind. */
void cnn_onnx_copy_element(const cnn_onnx_tensor *from, int64_t at, const cnn_onnx_elements *elements, int64_t to);

static inline int64_t cnn_onnx_clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Any constant: the callers' operators don't mind which kind. */
cnn_status cnn_onnx_any_constant(const cnn_onnx_import *import, size_t index, const cnn_onnx_tensor **tensor);

/* The constant becomes the node's value; or the elements that `w` meets, as a constant of its dimensions; or its
 * numbers as floats or whole ones. */
cnn_status cnn_onnx_define_output(cnn_onnx_import *import, const cnn_onnx_tensor *tensor);
cnn_status cnn_onnx_define_walk(cnn_onnx_import *import, const cnn_onnx_tensor *from, cnn_onnx_walk *w);
cnn_status cnn_onnx_define_cast(cnn_onnx_import *import, const cnn_onnx_tensor *from, bool to_float);

#endif
