/* What a layer is: its attributes, its shapes, and how it computes forward and backward. One file per layer fills one
 * cnn_layer_type; graphs, model files and the executor know layers only through it. */
#ifndef CNN_LAYERS_LAYER_H
#define CNN_LAYERS_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/graph.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

#include "kernels/int8/int8.h"
#include "layers/shape.h"

enum { CNN_MAX_INPUTS = 16, CNN_MAX_PARAMETERS = 6 };

/* Attributes lie in a plain struct; this table says where, so that files can be written and read without knowing the
 * layer. An attribute that equals its default is left out of files. */
typedef enum cnn_attribute_kind {
    CNN_ATTRIBUTE_INT32,
    CNN_ATTRIBUTE_INT64,
    CNN_ATTRIBUTE_FLOAT,
    CNN_ATTRIBUTE_BOOL, /* an int32_t: 0 or 1 */
    CNN_ATTRIBUTE_ENUM  /* an int32_t-sized enum with values 0, 1, ... named by `names` */
} cnn_attribute_kind;

typedef struct cnn_attribute {
    const char *name; /* as in JSON */
    cnn_attribute_kind kind;
    size_t offset;
    int32_t count;            /* 1: a single value; more: an array, in JSON too */
    const char *const *names; /* of an enum, NULL-terminated */
} cnn_attribute;

/* An array of weights (or running statistics) that a layer has. */
typedef struct cnn_layer_parameter {
    const char *name; /* "weight", "bias", "scale", "offset", "running_mean", "running_variance" */
    int32_t rank;
    int64_t dims[4];
    cnn_initializer initializer; /* for arrays that start random */
    int64_t fan_in, fan_out;
    bool constant; /* starts as `value` throughout instead */
    float value;
    bool trainable; /* false: running statistics, which forward changes in training */
    bool decay;
} cnn_layer_parameter;

/* Of what types a layer's values can be: floats, or bfloat16 where it says so. Gradients are of their values' types. */
typedef enum cnn_layer_values {
    CNN_LAYER_FLOATS,     /* floats alone */
    CNN_LAYER_ONE_TYPE,   /* either, all the same */
    CNN_LAYER_BF16_INPUT, /* inputs of either type; the output is floats */
    CNN_LAYER_ANY_TYPES   /* inputs of either type, and the output of either */
} cnn_layer_values;

typedef struct cnn_layer_type cnn_layer_type;

/* A layer in a graph, as its type's `shape` has filled it. */
typedef struct cnn_layer {
    const cnn_layer_type *type;
    void *attributes; /* type->attributes_size bytes; zeros are the defaults */
    int32_t input_count;
    cnn_shape inputs[CNN_MAX_INPUTS];
    cnn_shape output;
    cnn_dtype input_types[CNN_MAX_INPUTS], output_type; /* of values, and of gradients by them; whoever runs the layer
                                                           sets them, to what its type computes with */
    int32_t parameter_count;
    cnn_layer_parameter parameters[CNN_MAX_PARAMETERS];
} cnn_layer;

/* One call of forward or backward. Batches of images; the executor owns all memory. */
typedef struct cnn_layer_pass {
    cnn_context *context;
    const cnn_layer *layer;
    int64_t batch;
    bool training;
    uint64_t seed, step; /* key random numbers, */
    uint32_t node;       /* with the layer's place in the graph */

    /* Values and gradients, of the layer's types. */
    const void *inputs[CNN_MAX_INPUTS]; /* NULL in backward, unless backward_needs_inputs */
    void *output;                       /* in backward: unless backward_needs_output, NULL */
    const void *output_gradient;
    void *input_gradients[CNN_MAX_INPUTS]; /* to be overwritten; NULL: not wanted */

    float *parameters[CNN_MAX_PARAMETERS];          /* weights are read; running statistics changed by training */
    float *parameter_gradients[CNN_MAX_PARAMETERS]; /* to be overwritten; NULL: not wanted */
    const void *packed;                             /* of `packed_bytes`, filled by `pack` */
    const void *packed_backward;                    /* of `packed_backward_bytes` */
    void *saved;     /* of `saved_bytes`, from forward to backward; NULL when predicting */
    void *workspace; /* of `workspace_bytes`, for this call alone */
} cnn_layer_pass;

struct cnn_layer_type {
    const char *name; /* as in JSON and in default layer names */
    int32_t min_inputs, max_inputs;
    size_t attributes_size;
    const cnn_attribute *attributes;
    int32_t attribute_count;
    bool backward_needs_inputs, backward_needs_output;
    bool backward_needs_last_input_alone; /* of the inputs */
    cnn_layer_values values;
    bool in_place; /* output may lie where inputs[0] does, unless backward comes and needs inputs; input_gradients[0]
                      where output_gradient does */

    /* Checks attributes and input shapes; sets output and parameters. The sentence it leaves on error says what is
     * wrong and both shapes; the graph puts the layer's name before it. Zero attributes are replaced by their defaults.
     */
    cnn_status (*shape)(cnn_layer *layer);

    uint64_t (*flops)(const cnn_layer *layer);                    /* of one image; NULL: counts as none */
    size_t (*saved_bytes)(const cnn_layer *layer, int64_t batch); /* NULL: none; so all below */
    size_t (*workspace_bytes)(cnn_context *context, const cnn_layer *layer, int64_t batch, bool training);
    size_t (*packed_bytes)(cnn_context *context, const cnn_layer *layer, bool training);
    size_t (*packed_backward_bytes)(cnn_context *context, const cnn_layer *layer);
    void (*pack)(cnn_context *context, const cnn_layer *layer, bool training, float *const *parameters, void *packed);
    void (*pack_backward)(cnn_context *context, const cnn_layer *layer, float *const *parameters, void *packed);

    /* The name of the algorithm that forward takes, for people; NULL: there is but one. */
    const char *(*algorithm)(cnn_context *context, const cnn_layer *layer, bool training);

    void (*forward)(const cnn_layer_pass *pass);
    void (*backward)(const cnn_layer_pass *pass); /* workspace_bytes with training covers it */
};

/* The type of that name, NULL if there is none. Fused types, which only the fusion pass makes, are not among them. */
const cnn_layer_type *cnn_layer_type_find(const char *name);

/* The types that builders use. */
extern const cnn_layer_type cnn_layer_input, cnn_layer_conv2d, cnn_layer_max_pool2d, cnn_layer_avg_pool2d,
    cnn_layer_global_avg_pool, cnn_layer_dense, cnn_layer_flatten, cnn_layer_batch_norm, cnn_layer_dropout,
    cnn_layer_relu, cnn_layer_leaky_relu, cnn_layer_relu6, cnn_layer_sigmoid, cnn_layer_tanh, cnn_layer_softmax,
    cnn_layer_silu, cnn_layer_hard_swish, cnn_layer_hard_sigmoid, cnn_layer_gelu, cnn_layer_elu, cnn_layer_selu,
    cnn_layer_softplus, cnn_layer_clip, cnn_layer_add, cnn_layer_concat, cnn_layer_rescale, cnn_layer_normalize;

/* Of selu: see Klambauer et al. 2017, arXiv:1706.02515, for all of their digits. */
#define CNN_SELU_ALPHA 1.67326324f
#define CNN_SELU_SCALE 1.05070099f

/* Attribute structs. */
typedef struct cnn_input_attributes {
    int64_t shape[3];
} cnn_input_attributes;

typedef struct cnn_conv2d_attributes {
    int64_t filters;
    int32_t kernel[2], stride[2], dilation[2], groups;
    int32_t padding; /* cnn_padding */
    int32_t pads[4];
    int32_t no_bias;
    int32_t weight_init; /* cnn_initializer */
} cnn_conv2d_attributes;

typedef struct cnn_pool2d_attributes {
    int32_t kernel[2], stride[2];
    int32_t padding;
    int32_t pads[4];
} cnn_pool2d_attributes;

typedef struct cnn_dense_attributes {
    int64_t units;
    int32_t no_bias;
    int32_t weight_init;
} cnn_dense_attributes;

typedef struct cnn_batch_norm_attributes {
    float momentum, epsilon;
} cnn_batch_norm_attributes;

typedef struct cnn_dropout_attributes {
    float rate;
} cnn_dropout_attributes;

typedef struct cnn_leaky_relu_attributes {
    float slope;
} cnn_leaky_relu_attributes;

typedef struct cnn_hard_sigmoid_attributes {
    float slope, offset;
} cnn_hard_sigmoid_attributes;

typedef struct cnn_gelu_attributes {
    int32_t approximate; /* cnn_gelu_form */
} cnn_gelu_attributes;

typedef struct cnn_elu_attributes {
    float alpha, scale; /* of all values: not 1 in selu, which takes neither from files */
} cnn_elu_attributes;

typedef struct cnn_clip_attributes {
    float min, max;
} cnn_clip_attributes;

typedef struct cnn_rescale_attributes {
    float scale, offset;
} cnn_rescale_attributes;

typedef struct cnn_normalize_attributes {
    float mean[16], deviation[16];
} cnn_normalize_attributes;

/* Fused types: what the fusion pass replaces chains of layers by. */

/* conv2d [batch_norm and add, when predicting] [relu | relu6] [max_pool2d whose stride is its kernel, no padding,
 * unless something is added]. What is added is the second input. Parameters: weight, bias unless conv.no_bias, then
 * scale, offset, running_mean, running_variance if batch_norm. */
typedef struct cnn_fused_conv2d_attributes {
    cnn_conv2d_attributes conv;
    bool batch_norm;
    float epsilon;
    int32_t activation; /* cnn_activation */
    int32_t pool[2];    /* 0: none */
    bool add;
} cnn_fused_conv2d_attributes;

/* dense [relu | relu6] */
typedef struct cnn_fused_dense_attributes {
    cnn_dense_attributes dense;
    int32_t activation;
} cnn_fused_dense_attributes;

/* In training: batch_norm [add] [relu | relu6]. What is added is the first input. */
typedef struct cnn_fused_batch_norm_attributes {
    cnn_batch_norm_attributes norm;
    int32_t activation;
} cnn_fused_batch_norm_attributes;

extern const cnn_layer_type cnn_layer_fused_conv2d, cnn_layer_fused_dense, cnn_layer_fused_batch_norm,
    cnn_layer_fused_batch_norm_add;

/* From the type of its input to that of its output: put between layers whose types differ. */
extern const cnn_layer_type cnn_layer_convert;

/* Types whose values are bytes, which steps of a quantised model have. A dense layer is a convolution of one pixel. */
typedef struct cnn_int8_attributes {
    cnn_quantization inputs[CNN_MAX_INPUTS], output; /* the output's scale is 0 where it is fp32 */
    int32_t activation;                              /* of conv2d and add */
    const float *weight_scales;                      /* of conv2d: of each output channel; lie in the model */
    cnn_conv2d_attributes conv;
    bool pool; /* of conv2d: 2×2 */
    cnn_pool2d_attributes pooling;
} cnn_int8_attributes;

/* int8_conv2d adds its second input, if it has one. */
extern const cnn_layer_type cnn_layer_quantize, cnn_layer_dequantize, cnn_layer_int8_conv2d, cnn_layer_int8_max_pool2d,
    cnn_layer_int8_global_avg_pool, cnn_layer_int8_add, cnn_layer_int8_concat;

/* Elements of one image's value: they fit, as layers check it. */
int64_t cnn_shape_count(const cnn_shape *shape);

/* Whether int8 can compute a layer: its sums must fit 32 bits. */
bool cnn_int8_can_compute(const cnn_layer *layer);

#endif
