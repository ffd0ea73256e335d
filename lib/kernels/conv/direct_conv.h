/* Direct convolution: for each tap a product of matrices, of the source pixels that the result's pixels meet there and
 * the tap's weights, without a copy of the source as im2col makes it: an indirection buffer says where pixels lie
 * (M. Dukhan, "The indirect convolution algorithm", arXiv:1907.02129). Serves all that no other algorithm does.
 *
 * Read direct_conv_plan.h, then direct_conv.c; direct_conv_pack.c has the weights' order. */
#ifndef CNN_KERNELS_CONV_DIRECT_CONV_H
#define CNN_KERNELS_CONV_DIRECT_CONV_H

#include "kernels/conv/conv_problem.h"

size_t cnn_direct_conv_packed_bytes(const cnn_kernels *kernels, const cnn_conv_problem *problem);
void cnn_direct_conv_pack(cnn_context *context, const cnn_conv_problem *problem, const cnn_conv_weights *weights,
                          float *packed);
size_t cnn_direct_conv_workspace(const cnn_conv_call *call);
void cnn_direct_conv_run(const cnn_conv_call *call, void *workspace);

#endif
