/* A case: a net, what it is run on, and a chain of operations. It is a value that is drawn from a seed, made smaller,
 * and written as one line of text, which repeats it. */
#ifndef CNN_TESTS_RANDOM_CASE_H
#define CNN_TESTS_RANDOM_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/cnn.h>

#include "core/cpu.h"
#include "draw.h"
#include "runtime/model_internal.h"

enum {
    CASE_MAX_LAYERS = 24,
    CASE_MAX_INPUTS = 4,
    CASE_MAX_NUMBERS = 14,
    CASE_MAX_OPERATIONS = 8,
    CASE_TEXT_SIZE = 8192
};

typedef enum case_layer_kind {
    CASE_CONV,
    CASE_MAX_POOL,
    CASE_AVG_POOL,
    CASE_GLOBAL_AVG_POOL,
    CASE_DENSE,
    CASE_FLATTEN,
    CASE_BATCH_NORM,
    CASE_DROPOUT,
    CASE_RELU,
    CASE_LEAKY_RELU,
    CASE_RELU6,
    CASE_SIGMOID,
    CASE_TANH,
    CASE_SILU,
    CASE_HARD_SWISH,
    CASE_HARD_SIGMOID,
    CASE_GELU,
    CASE_ELU,
    CASE_SELU,
    CASE_SOFTPLUS,
    CASE_CLIP,
    CASE_SOFTMAX,
    CASE_ADD,
    CASE_CONCAT,
    CASE_RESCALE,
    CASE_NORMALIZE,
    CASE_LAYER_KINDS
} case_layer_kind;

/* The numbers of a convolution, and of a pooling. */
enum {
    CONV_FILTERS,
    CONV_KERNEL,
    CONV_STRIDE = 3,
    CONV_DILATION = 5,
    CONV_GROUPS = 7,
    CONV_PADDING,
    CONV_PADS,
    CONV_NO_BIAS = 13
};
enum { POOL_KERNEL, POOL_STRIDE = 2, POOL_PADDING = 4, POOL_PADS };

typedef struct case_layer {
    case_layer_kind kind;
    int32_t input_count, inputs[CASE_MAX_INPUTS]; /* nodes: 0 is the net's input, i + 1 the layer i */
    int32_t numbers[CASE_MAX_NUMBERS];
} case_layer;

typedef struct case_operation {
    int32_t kind; /* an index into `operations` */
    int32_t argument;
} case_operation;

typedef struct random_case {
    uint64_t seed; /* of weights and images */
    int32_t images, threads;
    cnn_tier tier;    /* CNN_TIER_COUNT: the best */
    int32_t input[3]; /* height, width, channels */
    int32_t named[4]; /* in the place of layers: a net's number from 1 on, its size, width in per cent, outputs */
    int32_t layer_count;
    case_layer layers[CASE_MAX_LAYERS];
    int32_t operation_count;
    case_operation operations[CASE_MAX_OPERATIONS];
} random_case;

/* The number of the shipped model among the nets that have names, of which only the size counts. */
enum { CASE_SHIPPED = 100 };

/* How many numbers and inputs layers of a kind have, and their name in text. Without a fixed number of inputs: 0. */
typedef struct case_layer_form {
    const char *name;
    int32_t inputs, numbers;
} case_layer_form;
extern const case_layer_form case_layer_forms[CASE_LAYER_KINDS];

/* The instruction sets that this processor has. */
int32_t case_tiers(cnn_tier tiers[CNN_TIER_COUNT]);

void case_draw(random_case *drawn, uint64_t seed, bool threads_only);

/* The text has CASE_TEXT_SIZE bytes. False if a text says no case; `*wrong` is then where it stops making sense. */
void case_print(const random_case *printed, char *text);
bool case_parse(const char *text, random_case *parsed, const char **wrong);

/* The net, and with weights of which none is trivial; an error if there is no such net. */
cnn_status case_graph(const random_case *built, cnn_context *context, cnn_graph **graph);
cnn_status case_model(const random_case *built, cnn_context *context, cnn_model **model);
void case_fill_weights(cnn_model *model, uint64_t seed);

/* `count` images of that shape. */
cnn_status case_images(const random_case *built, cnn_context *context, cnn_shape shape, int64_t count,
                       cnn_tensor **images);

#endif
