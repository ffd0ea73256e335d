/* Writing ONNX: what its sources share. A file is put together in memory that lasts until it has been written. */
#ifndef CNN_FORMATS_ONNX_EXPORT_H
#define CNN_FORMATS_ONNX_EXPORT_H

#include <stdbool.h>

#include "formats/onnx/onnx.pb-c.h"
#include "runtime/model_internal.h"

typedef struct cnn_onnx_export {
    cnn_context *context;
    const cnn_model *model;
    CnnOnnx__Graph graph;
    size_t node_capacity, tensor_capacity;
    bool divides;        /* by the temperature, which isn't told in the metadata then */
    const char **values; /* of each of the model's nodes: the name in the file */
    void **blocks;
    size_t block_count, block_capacity;
    cnn_status status; /* the first error: what comes after it does nothing */
} cnn_onnx_export;

/* --- onnx_export_nodes.c --- */

/* Memory, zeroed; "LAYER.ROLE". NULL after an error. */
void *cnn_onnx_export_memory(cnn_onnx_export *file, size_t count, size_t size);
char *cnn_onnx_export_name(cnn_onnx_export *file, const char *layer, const char *role);

/* Adds a node with one output; `inputs` ends in NULL. */
CnnOnnx__Node *cnn_onnx_export_node(cnn_onnx_export *file, const char *type, const char *const *inputs,
                                    const char *output);
void cnn_onnx_export_ints(cnn_onnx_export *file, CnnOnnx__Node *node, const char *name, const int64_t *values,
                          size_t count);
void cnn_onnx_export_int(cnn_onnx_export *file, CnnOnnx__Node *node, const char *name, int64_t value);
void cnn_onnx_export_float(cnn_onnx_export *file, CnnOnnx__Node *node, const char *name, float value);

/* Adds floats under a name; `data` stays where it is. */
void cnn_onnx_export_floats(cnn_onnx_export *file, const char *name, int32_t rank, const int64_t *dims,
                            const float *data);

/* --- onnx_export_layers.c --- */

/* Adds what the layer of a node does, from its inputs' values to its own. */
void cnn_onnx_export_layer(cnn_onnx_export *file, cnn_node node);

/* --- onnx_temperature.c --- */

/* Adds a node that divides the value by the model's temperature, if it has one. */
bool cnn_onnx_export_divides(cnn_onnx_export *file, const char *value, const char *output);

#endif
