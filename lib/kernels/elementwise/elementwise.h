/* What is done to each element of an array by itself: activations, copies, sums. Outputs may lie where the first input
 * does. Arrays are of `type`: floats, or for relu, relu6, copies and sums bfloat16 too.
 *
 * Read elementwise.c (chunks), then elementwise_ukernel.c, whose loops the compiler makes vectors of, and functions.h,
 * the functions in them. Dropout's masks are in dropout.h, conversions to bfloat16 and back in convert_bf16.h. */
#ifndef CNN_KERNELS_ELEMENTWISE_ELEMENTWISE_H
#define CNN_KERNELS_ELEMENTWISE_ELEMENTWISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/tensor.h>

/* clang-format off */
/* The operations: X(NAME, loop). Its loops are loop_forward and loop_backward. The gradient of those of the second list
 * is told by their input, of the others by their output. */
#define CNN_ELEMENTWISE_OPERATIONS(X)                            \
    X(RELU, relu)                                                \
    X(LEAKY_RELU, leaky_relu) /* constants: slope, 0 or more */  \
    X(RELU6, relu6)                                              \
    X(CLIP, clip) /* constants: min, max */                      \
    X(SIGMOID, sigmoid)                                          \
    X(HARD_SIGMOID, hard_sigmoid) /* constants: slope, offset */ \
    X(TANH, tanh)                                                \
    X(ELU, elu) /* constants: alpha, scale; both above 0 */      \
    X(RESCALE, rescale) /* constants: scale, offset */           \
    CNN_ELEMENTWISE_OPERATIONS_BY_INPUT(X)

#define CNN_ELEMENTWISE_OPERATIONS_BY_INPUT(X) \
    X(SILU, silu)                              \
    X(HARD_SWISH, hard_swish)                  \
    X(GELU, gelu)                              \
    X(GELU_TANH, gelu_tanh)                    \
    X(SOFTPLUS, softplus)

typedef enum cnn_elementwise {
#define CNN_ELEMENTWISE_NAME(NAME, loop) CNN_ELEMENTWISE_##NAME,
    CNN_ELEMENTWISE_OPERATIONS(CNN_ELEMENTWISE_NAME)
#undef CNN_ELEMENTWISE_NAME
    CNN_ELEMENTWISE_COUNT
} cnn_elementwise;
/* clang-format on */

typedef struct cnn_elementwise_call {
    cnn_elementwise operation;
    const float *constants; /* the operation's; NULL if it has none */
    cnn_dtype type;
    size_t count;
} cnn_elementwise_call;

void cnn_elementwise_forward(cnn_context *context, const cnn_elementwise_call *call, const void *input, void *output);

/* From the operation's `value`, its output or its input as said above (NULL for rescale), and the gradient by its
 * output. `input_gradient` may lie where `gradient` does. */
void cnn_elementwise_backward(cnn_context *context, const cnn_elementwise_call *call, const void *value,
                              const void *gradient, void *input_gradient);

void cnn_elementwise_copy(cnn_context *context, cnn_dtype type, const void *from, void *to, size_t count);
void cnn_elementwise_add(cnn_context *context, cnn_dtype type, const void *a, const void *b, void *sum, size_t count);

/* Whether no value is infinite or NaN. */
bool cnn_elementwise_finite(cnn_context *context, cnn_dtype type, const void *values, size_t count);

/* The loops, of one instruction set. */
typedef struct cnn_elementwise_kernels {
    void (*forward[CNN_ELEMENTWISE_COUNT])(const float *input, float *output, size_t count, const float *constants);
    void (*backward[CNN_ELEMENTWISE_COUNT])(const float *value, const float *gradient, float *input_gradient,
                                            size_t count, const float *constants);
    void (*add)(const float *a, const float *b, float *sum, size_t count);
    bool (*finite[2])(const void *values, size_t count); /* of floats, and of bfloat16 */

    /* Of bfloat16; NULL for operations that aren't. */
    void (*forward_bf16[CNN_ELEMENTWISE_COUNT])(const uint16_t *input, uint16_t *output, size_t count);
    void (*backward_bf16[CNN_ELEMENTWISE_COUNT])(const uint16_t *output, const uint16_t *gradient,
                                                 uint16_t *input_gradient, size_t count);
    void (*add_bf16)(const uint16_t *a, const uint16_t *b, uint16_t *sum, size_t count);
} cnn_elementwise_kernels;

#endif
