/* Runs one layer by itself: makes what the executor would give it, to the byte, so that a sanitizer sees every step
 * outside. */
#ifndef CNN_TESTS_LAYERS_HARNESS_H
#define CNN_TESTS_LAYERS_HARNESS_H

#include "../test.h"
#include "layers/layer.h"
#include "runtime/model_internal.h"

typedef union any_attributes {
    cnn_input_attributes input;
    cnn_conv2d_attributes conv2d;
    cnn_pool2d_attributes pool2d;
    cnn_dense_attributes dense;
    cnn_batch_norm_attributes batch_norm;
    cnn_dropout_attributes dropout;
    cnn_leaky_relu_attributes leaky_relu;
    cnn_hard_sigmoid_attributes hard_sigmoid;
    cnn_gelu_attributes gelu;
    cnn_elu_attributes elu;
    cnn_clip_attributes clip;
    cnn_rescale_attributes rescale;
    cnn_normalize_attributes normalize;
    cnn_fused_conv2d_attributes fused_conv2d;
    cnn_fused_dense_attributes fused_dense;
} any_attributes;

/* A layer and the shapes of its inputs; input_count 0: 1. */
typedef struct layer_case {
    const char *name;
    const cnn_layer_type *type;
    any_attributes attributes;
    int32_t input_count;
    cnn_shape inputs[CNN_MAX_INPUTS];
    int64_t batch;
} layer_case;

extern const layer_case layer_cases[];
extern const size_t layer_case_count;

typedef struct layer_run {
    layer_case what;
    cnn_layer layer;
    cnn_context *context;
    cnn_layer_pass pass;
    size_t input_counts[CNN_MAX_INPUTS], output_count, parameter_counts[CNN_MAX_PARAMETERS];
    size_t saved_bytes;
    float *inputs[CNN_MAX_INPUTS], *output, *output_gradient;
} layer_run;

/* Infers the shape alone. */
cnn_status layer_shape(const layer_case *what, cnn_layer *layer, any_attributes *attributes);

/* Makes everything and fills inputs, weights and the output's gradient with numbers that the case's name determines. */
void layer_run_begin(layer_run *run, const layer_case *what, cnn_context *context);
void layer_run_end(layer_run *run);

void layer_forward(layer_run *run, bool training);
void layer_backward(layer_run *run);

/* A context of that many threads and that instruction set. */
cnn_context *make_context(uint32_t threads, cnn_instruction_set set);

#endif
