/* What is done to each element of an array by itself. Outputs may lie where the first input does. */
#ifndef CNN_KERNELS_ELEMENTWISE_H
#define CNN_KERNELS_ELEMENTWISE_H

#include <stddef.h>

#include <cnn/context.h>

typedef enum cnn_elementwise {
    CNN_ELEMENTWISE_RELU,
    CNN_ELEMENTWISE_LEAKY_RELU, /* slope, 0 or more */
    CNN_ELEMENTWISE_RELU6,
    CNN_ELEMENTWISE_SIGMOID,
    CNN_ELEMENTWISE_TANH,
    CNN_ELEMENTWISE_RESCALE, /* scale, offset */
    CNN_ELEMENTWISE_COUNT
} cnn_elementwise;

/* `constants` are the operation's, NULL if it has none. */
void cnn_elementwise_forward(cnn_context *context, cnn_elementwise operation, const float *constants,
                             const float *input, float *output, size_t count);

/* From the operation's `output` (NULL for rescale) and the gradient by it. `input_gradient` may lie where `gradient`
 * does. */
void cnn_elementwise_backward(cnn_context *context, cnn_elementwise operation, const float *constants,
                              const float *output, const float *gradient, float *input_gradient, size_t count);

void cnn_elementwise_copy(cnn_context *context, const float *from, float *to, size_t count);
void cnn_elementwise_add(cnn_context *context, const float *a, const float *b, float *sum, size_t count);

/* The loops, of one instruction set. */
typedef struct cnn_elementwise_kernels {
    void (*forward[CNN_ELEMENTWISE_COUNT])(const float *input, float *output, size_t count, const float *constants);
    void (*backward[CNN_ELEMENTWISE_COUNT])(const float *output, const float *gradient, float *input_gradient,
                                            size_t count, const float *constants);
    void (*add)(const float *a, const float *b, float *sum, size_t count);
} cnn_elementwise_kernels;

#endif
