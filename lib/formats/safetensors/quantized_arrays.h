/* The arrays that files of quantised models have beside those of others: "conv2d_1.weight_scale", the scale of each
 * output channel of the int8 array "conv2d_1.weight", and "conv2d_1.quantization", the scale and the zero of the
 * layer's value as bytes. */
#ifndef CNN_FORMATS_SAFETENSORS_QUANTIZED_ARRAYS_H
#define CNN_FORMATS_SAFETENSORS_QUANTIZED_ARRAYS_H

#include "formats/safetensors/safetensors.h"
#include "runtime/model_internal.h"

/* What collected arrays point to. */
typedef struct cnn_quantized_array {
    char name[256];
    float quantization[2];
} cnn_quantized_array;

/* How many there are at most. */
size_t cnn_quantized_array_limit(const cnn_model *model);

/* Adds a quantised model's arrays to the `*count` that there are. `*memory` is freed with cnn_release. */
cnn_status cnn_quantized_arrays_collect(const cnn_model *model, cnn_safetensors_array *arrays, size_t *count,
                                        cnn_quantized_array **memory);

/* Checks those of a file; adds to `*expected` how many there are. `path` begins the sentences. */
cnn_status cnn_quantized_arrays_check(const cnn_safetensors *file, const char *path, const cnn_graph *graph,
                                      size_t *expected);

/* Fills a model in with what has been checked, and checks that the whole can be run. */
cnn_status cnn_quantized_arrays_fill(cnn_model *model, const cnn_safetensors *file, const char *path);

#endif
