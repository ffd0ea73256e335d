/* Softmax over rows of numbers, and its gradient. Outputs may lie where inputs do. softmax_ukernel.c has one row. */
#ifndef CNN_KERNELS_NORM_SOFTMAX_H
#define CNN_KERNELS_NORM_SOFTMAX_H

#include <stddef.h>

#include <cnn/context.h>

void cnn_softmax_forward(cnn_context *context, const float *input, float *output, size_t rows, size_t columns);
void cnn_softmax_backward(cnn_context *context, const float *output, const float *gradient, float *input_gradient,
                          size_t rows, size_t columns);

/* The loops over one row, of one instruction set. */
typedef struct cnn_softmax_kernels {
    void (*forward)(const float *input, float *output, size_t columns);
    void (*backward)(const float *output, const float *gradient, float *input_gradient, size_t columns);
} cnn_softmax_kernels;

#endif
