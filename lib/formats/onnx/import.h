/* Reading ONNX: what its sources share. A file's nodes are read in order. A value in it is either a constant, which is
 * computed here, or an activation: a node of the graph that is being built, and how the file sees its axes. */
#ifndef CNN_FORMATS_ONNX_IMPORT_H
#define CNN_FORMATS_ONNX_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/model.h>
#include <cnn/onnx.h>

#include "formats/onnx/onnx.pb-c.h"
#include "graph/graph_internal.h"

/* Says in a file that this library has written it: its input then has channels first. */
#define CNN_ONNX_PRODUCER "libcnn"

/* Metadata of classifiers. In a file that this library has written it is not among these, but the constant of that
 * name, by which a last node divides the output. */
#define CNN_ONNX_TEMPERATURE "cnn.temperature"

enum { CNN_ONNX_MAX_RANK = 8, CNN_ONNX_MAX_LAYERS = 4096 /* as many as a graph can have */ };

/* The types of TensorProto.data_type. */
enum {
    CNN_ONNX_FLOAT = 1,
    CNN_ONNX_UINT8 = 2,
    CNN_ONNX_INT8 = 3,
    CNN_ONNX_UINT16 = 4,
    CNN_ONNX_INT16 = 5,
    CNN_ONNX_INT32 = 6,
    CNN_ONNX_INT64 = 7,
    CNN_ONNX_BOOL = 9,
    CNN_ONNX_FLOAT16 = 10,
    CNN_ONNX_DOUBLE = 11,
    CNN_ONNX_BFLOAT16 = 16
};

/* A constant: every kind of float as a float, every kind of whole number as an int64_t. */
typedef struct cnn_onnx_tensor {
    int32_t type; /* the file's; FLOAT or INT64 for computed ones */
    int32_t rank;
    int64_t dims[CNN_ONNX_MAX_RANK];
    int64_t count;
    const float *floats; /* one of the two is NULL */
    const int64_t *int64s;
} cnn_onnx_tensor;

/* Which of our axes an axis of the file is. ONE: an axis of size 1 that our value doesn't have. */
typedef enum cnn_onnx_axis {
    CNN_ONNX_HEIGHT,
    CNN_ONNX_WIDTH,
    CNN_ONNX_CHANNEL, /* or feature */
    CNN_ONNX_BATCH,
    CNN_ONNX_ONE
} cnn_onnx_axis;

/* A pending x × scale + offset. The operator that follows may absorb it into its weights; where none does, it becomes a
 * layer. `count` is 0 (nothing is pending), 1 (the same for all channels), or the number of channels. */
typedef struct cnn_onnx_affine {
    int64_t count;
    const float *scale, *offset;
} cnn_onnx_affine;

/* A pending function of a node's value, which may become a part of another layer: see activation_operators.c. Only the
 * first two are layers by themselves. */
typedef enum cnn_onnx_gate_kind {
    CNN_ONNX_NO_GATE = 0,
    CNN_ONNX_SIGMOID,
    CNN_ONNX_HARD_SIGMOID,
    CNN_ONNX_ERF, /* of x / sqrt(2) */
    CNN_ONNX_SQUARE,
    CNN_ONNX_CUBE,
    CNN_ONNX_CUBIC, /* x + 0.044715 x^3 */
    CNN_ONNX_TANH   /* of sqrt(2 / pi) times that */
} cnn_onnx_gate_kind;

typedef struct cnn_onnx_gate {
    cnn_onnx_gate_kind kind;
    float slope, offset;       /* of a hard sigmoid */
    const CnnOnnx__Node *node; /* that computes it */
} cnn_onnx_gate;

/* The value of `node`, then the gate, then the affine function, then the padding. */
typedef struct cnn_onnx_activation {
    cnn_node node;
    int32_t rank; /* in the file */
    cnn_onnx_axis axes[CNN_ONNX_MAX_RANK];
    /* Of features that were height × width × channels and that the file has in another order (channels first, most
     * often): the sizes of those three, and how far apart the file has their neighbours. Else all sizes are 0. */
    int64_t flat_dims[3], flat_strides[3];
    cnn_onnx_gate gate;
    cnn_onnx_affine affine;
    bool padded; /* pending: `pads` (top, left, bottom, right) of `pad_value`, for the window that follows */
    int32_t pads[4];
    float pad_value;
} cnn_onnx_activation;

typedef struct cnn_onnx_value {
    const char *name;
    const cnn_onnx_tensor *constant;
    bool computed;   /* `activation` is set */
    bool like_input; /* its axes are those of the network's input */
    cnn_onnx_activation activation;
    int32_t uses;
} cnn_onnx_value;

/* Where a parameter's values come from: value [i][j][k][l] is `data` at the sum of index × stride, times `factor`;
 * then, if these are given, times scale[l] plus offset[l]. */
typedef struct cnn_onnx_weight_copy {
    cnn_node node;
    const char *parameter;
    const float *data;
    int64_t dims[4], strides[4];
    float factor, *scale, *offset;
} cnn_onnx_weight_copy;

typedef struct cnn_onnx_import {
    cnn_context *context;
    const char *path;
    CnnOnnx__Model *file;
    const CnnOnnx__Node *node; /* that is being read */
    int64_t opset;
    int64_t batch; /* in the file's shapes; 1 if it leaves it open */
    cnn_graph *graph;
    bool shared[CNN_ONNX_MAX_LAYERS]; /* by node: its value is used more than once */

    cnn_onnx_value *values;
    size_t value_count, value_capacity;
    cnn_names names; /* of values */

    float temperature; /* 0: there is none */

    cnn_onnx_weight_copy *copies;
    size_t copy_count, copy_capacity;

    void **blocks; /* what cnn_onnx_memory gave */
    size_t block_count, block_capacity;
    uint64_t file_bytes, external_bytes; /* read */
    uint64_t external_again;             /* of these, those that had been read before */
    cnn_names external_names;            /* of other files */
    uint64_t *external_read;             /* of each: bytes */
    size_t external_count, external_capacity;
    uint64_t used_bytes; /* by cnn_onnx_memory: bounded by what was read */
} cnn_onnx_import;

/* One operator: reads import->node. */
typedef struct cnn_onnx_operator {
    const char *name;
    cnn_status (*read)(cnn_onnx_import *import);
} cnn_onnx_operator;

/* The operators, by source; each ends in a NULL name. The first three are for constants alone. */
extern const cnn_onnx_operator cnn_onnx_constant_operators[], cnn_onnx_constant_moves[],
    cnn_onnx_arithmetic_operators[], cnn_onnx_layer_operators[], cnn_onnx_shape_operators[],
    cnn_onnx_elementwise_operators[], cnn_onnx_activation_operators[];

/* --- import_limits.c --- */

/* Text from a file, cut, and without what a terminal might take for orders. */
const char *cnn_onnx_plain(const char *text, char to[128]);

/* A sentence that begins with the file, and, if one is being read, the node. */
__attribute__((format(printf, 3, 4))) cnn_status cnn_onnx_fail(const cnn_onnx_import *import, cnn_status status,
                                                               const char *format, ...);

/* Memory that lasts until the file has been read. The sum is limited in proportion to the file's size, so that a small
 * file can't ask for much. */
cnn_status cnn_onnx_memory(cnn_onnx_import *import, int64_t count, size_t size, void **memory);

/* --- import_input.c --- */

/* Whether this library has written the file. */
bool cnn_onnx_is_own(const cnn_onnx_import *import);

/* Adds the layer of the network's input. */
cnn_status cnn_onnx_add_input(cnn_onnx_import *import, const cnn_onnx_options *options);

/* --- onnx_tensor.c --- */

/* A constant of the file; its data may be in another file. */
cnn_status cnn_onnx_read_tensor(cnn_onnx_import *import, const CnnOnnx__Tensor *from, const cnn_onnx_tensor **result);

/* A constant with dimensions and no data yet, which `*floats` or `*int64s` (the other pointer is NULL) then points to.
 */
cnn_status cnn_onnx_new_tensor(cnn_onnx_import *import, int32_t rank, const int64_t *dims, float **floats,
                               int64_t **int64s, cnn_onnx_tensor **result);

/* The bytes of external data; they last as long as cnn_onnx_memory's. */
cnn_status cnn_onnx_read_external(cnn_onnx_import *import, const CnnOnnx__Tensor *from, uint64_t bytes,
                                  const unsigned char **data);

/* --- import_values.c --- */

/* The value of that name, made if there is none. NULL without memory. */
cnn_onnx_value *cnn_onnx_value_of(cnn_onnx_import *import, const char *name);

/* Of the node that is read: the value of an input, NULL if it is left out or not defined before. */
const cnn_onnx_value *cnn_onnx_input(const cnn_onnx_import *import, size_t index);
const cnn_onnx_tensor *cnn_onnx_constant(const cnn_onnx_import *import, size_t index); /* NULL too if computed */

/* The same, but failing where it isn't there; the constant is of floats, or of whole numbers. */
cnn_status cnn_onnx_need_floats(const cnn_onnx_import *import, size_t index, const char *what,
                                const cnn_onnx_tensor **tensor);
cnn_status cnn_onnx_need_int64s(const cnn_onnx_import *import, size_t index, const char *what,
                                const cnn_onnx_tensor **tensor);

/* The activation of an input as it is, with all that is pending. */
cnn_status cnn_onnx_stored_activation(cnn_onnx_import *import, size_t index, cnn_onnx_activation *activation);

/* Whether the file has the axes of both in the same order. */
bool cnn_onnx_same_order(const cnn_onnx_activation *a, const cnn_onnx_activation *b);

/* Refuses a node whose inputs are both computed. */
cnn_status cnn_onnx_fail_two(const cnn_onnx_import *import);

/* Gives the node's first output its value. */
cnn_status cnn_onnx_define(cnn_onnx_import *import, const cnn_onnx_activation *activation);
cnn_status cnn_onnx_define_constant(cnn_onnx_import *import, const char *name, const cnn_onnx_tensor *tensor);

/* Axes, from an attribute or (newer opsets) an input: each made positive and marked in `marked`. `*given` is false if
 * there are none. */
cnn_status cnn_onnx_axes(const cnn_onnx_import *import, size_t input, int32_t rank, bool marked[CNN_ONNX_MAX_RANK],
                         bool *given);
/* One axis of `rank`, made positive. */
cnn_status cnn_onnx_axis_of(const cnn_onnx_import *import, int64_t given, int32_t rank, int32_t *axis);

/* What Reshape makes of `dims` by a constant: -1 and 0 resolved. */
cnn_status cnn_onnx_resolve_shape(const cnn_onnx_import *import, const cnn_onnx_tensor *wanted, int32_t rank,
                                  const int64_t *dims, int32_t *new_rank, int64_t new_dims[CNN_ONNX_MAX_RANK]);

/* Gives the node's first output a shape as its value, or the part of it that the node wants. (constants.c) */
cnn_status cnn_onnx_define_shape(cnn_onnx_import *import, int32_t rank, const int64_t *dims);

/* --- node_attributes.c --- */

/* Fails if one of the node's attributes is of another kind than its readers take it for. */
cnn_status cnn_onnx_check_attributes(const cnn_onnx_import *import);

/* Attributes of the node; the default if they aren't there. */
const CnnOnnx__Attribute *cnn_onnx_attribute(const cnn_onnx_import *import, const char *name);
int64_t cnn_onnx_int_attribute(const cnn_onnx_import *import, const char *name, int64_t otherwise);
float cnn_onnx_float_attribute(const cnn_onnx_import *import, const char *name, float otherwise);
bool cnn_onnx_text_is(const cnn_onnx_import *import, const char *name, const char *text);
/* Fails unless there are `count` of 0 to INT32_MAX, or none: then they stay. */
cnn_status cnn_onnx_int_attributes(const cnn_onnx_import *import, const char *name, int32_t count, int32_t *numbers);

/* --- import_nodes.c: layers --- */

/* Adds a layer, named after the file's node if its name will do. */
cnn_status cnn_onnx_add_layer(cnn_onnx_import *import, const cnn_layer_type *type, const cnn_node *inputs,
                              int32_t count, const void *attributes, cnn_node *node);

/* Notes a copy to be made when the model is there. `dims` and `strides` of those below 4 come last, the first being 1.
 */
cnn_status cnn_onnx_add_weight_copy(cnn_onnx_import *import, const cnn_onnx_weight_copy *copy);

/* Whether the node is a layer with weights for each channel, and each of those times scale[c], with offset[c] added to
 * the layer's output: by changing its weights and its bias, which it is given if it has none. */
bool cnn_onnx_has_weights(const cnn_onnx_import *import, cnn_node node);
cnn_status cnn_onnx_scale_weights(cnn_onnx_import *import, cnn_node node, const float *scale, const float *offset);

const cnn_layer *cnn_onnx_layer(const cnn_onnx_import *import, cnn_node node);
int64_t cnn_onnx_channels(const cnn_onnx_import *import, const cnn_onnx_activation *activation);
/* The size that the file sees of an axis. */
int64_t cnn_onnx_dim(const cnn_onnx_import *import, const cnn_onnx_activation *activation, int32_t axis);

/* Sizes and distances of an activation's features or channels in the file, as three dimensions in our order. */
void cnn_onnx_feature_layout(const cnn_onnx_import *import, const cnn_onnx_activation *activation, int64_t dims[3],
                             int64_t strides[3]);

/* An image's axes are batch, channels, height, width. */
bool cnn_onnx_is_image(const cnn_onnx_import *import, const cnn_onnx_activation *activation);

/* Whether no value of the node is below 0, as far as its layers tell. */
bool cnn_onnx_is_not_negative(const cnn_onnx_import *import, cnn_node node);

/* A convolution, to `filters` channels, whose weights lie in the file as filters × channels × height × width. */
cnn_status cnn_onnx_add_convolution(cnn_onnx_import *import, const cnn_conv2d_attributes *attributes,
                                    const float *weight, const int64_t strides[4], const float *bias,
                                    cnn_onnx_activation *activation);

/* Of an image of one pixel: features instead, with axes of ONE in the place of height and width. Other activations stay
 * as they are. */
cnn_status cnn_onnx_drop_space(cnn_onnx_import *import, cnn_onnx_activation *activation);

/* All axes behind the batch become one of features. */
cnn_status cnn_onnx_flatten(cnn_onnx_import *import, cnn_onnx_activation *activation);

/* --- pending.c --- */

/* The activation of an input. The first leaves pending what is, but for an affine function of a value that others use
 * too: all of them then see one layer, by which the parts of an activation know each other. The second applies a gate
 * too; the third all but padding; the last applies that too, and refuses padding by anything but zeros. */
cnn_status cnn_onnx_gated_activation(cnn_onnx_import *import, size_t index, cnn_onnx_activation *activation);
cnn_status cnn_onnx_raw_activation(cnn_onnx_import *import, size_t index, cnn_onnx_activation *activation);
cnn_status cnn_onnx_padded_activation(cnn_onnx_import *import, size_t index, cnn_onnx_activation *activation);
cnn_status cnn_onnx_activation_of(cnn_onnx_import *import, size_t index, cnn_onnx_activation *activation);
cnn_status cnn_onnx_apply_gate(cnn_onnx_import *import, cnn_onnx_activation *activation);
cnn_status cnn_onnx_apply_affine(cnn_onnx_import *import, cnn_onnx_activation *activation);

/* The node as a layer of that type, of its first input. */
cnn_status cnn_onnx_read_as(cnn_onnx_import *import, const cnn_layer_type *type, const void *attributes);

/* --- activation_operators.c --- */

/* A product of two computed values, as a part of an activation; and a sum, if it is one: `*added` tells. */
cnn_status cnn_onnx_multiply(cnn_onnx_import *import);
cnn_status cnn_onnx_add_cube(cnn_onnx_import *import, bool *added);

/* --- temperature_node.c --- */

/* Whether the node divides by the temperature in a file of our own; such a node; and what it said, as the model's
 * metadata.
 */
bool cnn_onnx_is_temperature(const cnn_onnx_import *import);
cnn_status cnn_onnx_read_temperature(cnn_onnx_import *import);
cnn_status cnn_onnx_set_temperature(const cnn_onnx_import *import, cnn_model *model);

/* --- weight_copies.c --- */

/* Fails if the layers' weights would take much more memory than the file; copies all of them into the model. */
cnn_status cnn_onnx_check_weight_copies(const cnn_onnx_import *import);
cnn_status cnn_onnx_copy_weights(const cnn_onnx_import *import, cnn_model *model);

#endif
