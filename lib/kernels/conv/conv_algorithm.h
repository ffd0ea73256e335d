/* Computes a conv_problem.h by the algorithm that suits its shape: Winograd's, the one for depthwise convolutions, or
 * direct convolution. The shape alone chooses. */
#ifndef CNN_KERNELS_CONV_CONV_ALGORITHM_H
#define CNN_KERNELS_CONV_CONV_ALGORITHM_H

#include "kernels/conv/conv_problem.h"

size_t cnn_conv_problem_packed_bytes(const cnn_kernels *kernels, const cnn_conv_problem *problem);
void cnn_conv_problem_pack(cnn_context *context, const cnn_conv_problem *problem, const cnn_conv_weights *weights,
                           float *packed);

const char *cnn_conv_call_algorithm(const cnn_conv_call *call); /* its name */
size_t cnn_conv_call_workspace(const cnn_conv_call *call);
void cnn_conv_call_run(const cnn_conv_call *call, void *workspace);

#endif
