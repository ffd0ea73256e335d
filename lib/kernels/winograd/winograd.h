/* Convolutions of 3×3 taps and stride 1 by Winograd's minimal filtering, F(m×m, 3×3): a tile of m × m results comes
 * from (m + 2)² products in place of 9m². Over all channels and many tiles these are (m + 2)² gemms, of transformed
 * tiles of the source and transformed weights. After A. Lavin and S. Gray, "Fast algorithms for convolutional neural
 * networks", arXiv:1509.09308.
 *
 * Read winograd_tile.c (the choice of m), winograd.c (blocks of tiles through transform, gemm and transform back),
 * winograd_pack.c (the weights), winograd_transforms.h and winograd_lines.h, then the micro-kernels:
 * winograd_ukernel.c, and for gradients by weights, which winograd_backward_weights.c computes,
 * winograd_adjoint_ukernel.c. */
#ifndef CNN_KERNELS_WINOGRAD_WINOGRAD_H
#define CNN_KERNELS_WINOGRAD_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/conv/conv_problem.h"

/* The side of the tiles, m, that is fastest for a problem; 0: another algorithm is. By channels and the size of
 * the source alone, so that a prediction's bits don't depend on what else is predicted with it. */
int64_t cnn_winograd_tile(const cnn_conv_problem *problem);

/* As the functions of direct_conv.h; conv_algorithm.c comes here where there is a tile. */
size_t cnn_winograd_packed_bytes(const cnn_kernels *kernels, const cnn_conv_problem *problem);
void cnn_winograd_pack(cnn_context *context, const cnn_conv_problem *problem, const cnn_conv_weights *weights,
                       float *packed);
/* Packed weights lie panel by panel, in each matrix by matrix: as they are read. These are the floats between the
 * matrices of the panel from `column` on, whose first is at matrices × source channels × `column`. */
int64_t cnn_winograd_panel_stride(const cnn_kernels *kernels, const cnn_conv_problem *problem, int64_t column);
size_t cnn_winograd_workspace(const cnn_conv_call *call);
void cnn_winograd_run(const cnn_conv_call *call, void *workspace);

const struct cnn_winograd_transforms *cnn_winograd_transforms_of(const cnn_kernels *kernels,
                                                                 const cnn_conv_problem *problem);

#endif
