/* How the gradient by a convolution's weights is cut into tasks, and where in the workspace things lie. Depends on
 * shapes and the number of threads; no sum does on the latter. */
#ifndef CNN_KERNELS_CONV_CONV_WEIGHTS_PLAN_H
#define CNN_KERNELS_CONV_CONV_WEIGHTS_PLAN_H

#include <stdbool.h>

#include "kernels/conv/conv_problem.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/gemm/indirection.h"
#include "kernels/gemm/split_k.h"

/* Input channels whose pairs of pixels stay in the first-level cache. */
enum { CNN_PAIRED_ROWS = 64 };

typedef struct cnn_weights_plan {
    const cnn_kernels *kernels;
    const cnn_conv_shape *shape;
    cnn_conv_problem problem; /* of the forward pass */
    const cnn_conv_gradient *gradient;
    const void *input;
    bool depthwise, direct;
    bool gradient_in_place;
    bool paired;                     /* pixels, for dot products of bfloat16; then tiles are of bfloat16 */
    bool flat;                       /* a tile's rows are neighbours in the input too, so that pairs may span them */
    int64_t groups, columns, panels; /* result channels of a group, and panels of them */
    int64_t tile_images, tile_rows, tiles_per_image, tiles;
    int64_t source_columns, source_rows, channels; /* that a task needs of the input */
    cnn_pixel_strides strides;                     /* in it */
    bool runs;                                     /* a kernel row's pixels are neighbours, and taken at once */
    size_t source_floats, gradient_floats, pairs, worker_floats, tables_bytes; /* pairs: of a tile's pixels */
    cnn_indirection indirection;
    cnn_split_k split;
    int64_t shares; /* of a group's input channels, for many threads */
    float *scratch;
} cnn_weights_plan;

/* Without what the workspace and the call give: `input`, `indirection`, `scratch` and the split's arrays. */
cnn_weights_plan cnn_weights_plan_make(cnn_context *context, const cnn_conv_shape *shape,
                                       const cnn_conv_gradient *gradient);

/* Rows of the result that one gemm has: channels of the input, or of a row of the kernel. */
static inline int64_t cnn_weights_plan_rows(const cnn_weights_plan *p)
{
    return p->runs ? p->shape->kernel[1] * p->channels : p->channels;
}

size_t cnn_weights_plan_workspace(const cnn_weights_plan *plan, uint32_t threads);

/* Gives the plan its places there, and fills its tables. */
void cnn_weights_plan_place(cnn_weights_plan *plan, void *workspace);

#endif
