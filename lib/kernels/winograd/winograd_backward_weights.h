/* Gradients by the weights of 3×3 convolutions by Winograd's algorithm: the adjoint of F(4×4, 3×3), of bfloat16 that of
 * F(2×2, 3×3). Tiles of the input and of the gradient, both transformed, make 36 or 16 gemms whose sums go over tiles,
 * of which the dot products of bfloat16 take two at a time. */
#ifndef CNN_KERNELS_WINOGRAD_WINOGRAD_BACKWARD_WEIGHTS_H
#define CNN_KERNELS_WINOGRAD_WINOGRAD_BACKWARD_WEIGHTS_H

#include <stdbool.h>

#include "kernels/conv/conv.h"
#include "kernels/kernels.h"

/* Whether it is for that shape. */
bool cnn_winograd_backward_weights_fits(const cnn_kernels *kernels, const cnn_conv_shape *shape);

/* As the functions of conv.h, which come here then. */
size_t cnn_winograd_backward_weights_workspace(cnn_context *context, const cnn_conv_shape *shape);
void cnn_winograd_backward_weights_run(cnn_context *context, const cnn_conv_shape *shape,
                                       const cnn_conv_gradient *gradient, const cnn_weight_gradient *wanted);

#endif
