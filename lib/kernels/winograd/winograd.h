/* Convolutions of 3×3 taps by Winograd's minimal filtering: F(m×m, 3×3) makes a tile of m × m results from (m + 2)²
 * products instead of 9m². Over all channels and many tiles the products are (m + 2)² products of matrices: transformed
 * tiles of the source times transformed weights. After A. Lavin and S. Gray, "Fast algorithms for convolutional neural
 * networks", arXiv:1509.09308. */
#ifndef CNN_KERNELS_WINOGRAD_WINOGRAD_H
#define CNN_KERNELS_WINOGRAD_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/conv/conv_problem.h"

/* The side of the tiles, m, that a correlation is best made of; 0: it isn't for Winograd. By channels and the size of
 * the source alone, so that a prediction's bits don't depend on what else is predicted with it. */
int64_t cnn_winograd_tile(const cnn_conv_problem *shape);

/* As the functions of direct_conv.h, which come here if there is a tile. */
size_t cnn_winograd_packed_bytes(const cnn_kernels *kernels, const cnn_conv_problem *shape);
void cnn_winograd_pack(cnn_context *context, const cnn_conv_problem *shape, const cnn_conv_weights *weights,
                       float *packed);
/* Packed weights lie panel by panel, in each matrix by matrix: as they are read. These are the floats between the
 * matrices of the panel from `column` on, whose first is at matrices × source channels × `column`. */
int64_t cnn_winograd_panel_stride(const cnn_kernels *kernels, const cnn_conv_problem *shape, int64_t column);
size_t cnn_winograd_workspace(const cnn_conv_call *call);
void cnn_winograd_run(const cnn_conv_call *call, void *workspace);

/* A tile of results: products of some channels, transformed back. */
typedef struct cnn_winograd_output {
    const float *products;
    ptrdiff_t matrix_stride;
    const float *bias;               /* or NULL */
    cnn_clamp clamp;                 /* of results */
    const float *residual;           /* lies as `to` does; or NULL, as where results are pooled */
    bool pools;                      /* the maxima of 2 × 2 windows are written, */
    uint8_t *argmax;                 /* and their places, unless NULL */
    int64_t rows, columns, channels; /* of the tile, before pooling, that are wanted */
    void *to;                        /* floats or, if `bf16`, bfloat16 */
    bool bf16;
    ptrdiff_t row_stride, pixel_stride; /* of what is written */
} cnn_winograd_output;

/* Of one tile size, in floats or in pairs of bfloat16, which count as one float each. Element (i, j) of a transformed
 * tile or of transformed weights is for matrix i * (m + 2) + j. */
typedef struct cnn_winograd_transforms {
    /* Of `tiles` side by side. */
    void (*input)(const float *from, ptrdiff_t row_stride, int64_t channels, int64_t tiles, float *to,
                  ptrdiff_t matrix_stride);
    void (*output)(const cnn_winograd_output *output);
    /* from[v * tap[0] + u * tap[1] + column], and for pairs the same from `source_channel` on */
    void (*weights)(const float *from, const ptrdiff_t tap[2], ptrdiff_t source_channel, int64_t columns, float *to,
                    ptrdiff_t matrix_stride);
} cnn_winograd_transforms;

/* For gradients by weights: rows of images, in units of 4 pixels of the gradient across: a tile of 4 × 4 floats, or two
 * tiles of 2 × 2 bfloat16, whose values make pairs. Element (i, j) of their `channels` channels goes to
 * to[(i * side + j) * matrix_stride + unit * channels + channel], the side being that of transformed tiles. */
typedef struct cnn_winograd_units {
    const void *from;
    ptrdiff_t row_stride, pixel_stride; /* values */
    int64_t channels, units;
    float *to;
    ptrdiff_t matrix_stride;
    float *sums; /* of the gradient, by channel, are added to it; or NULL */
} cnn_winograd_units;

typedef struct cnn_winograd_adjoints {
    void (*input)(const cnn_winograd_units *padded);    /* 4 * units + 2 columns and 2 rows more than */
    void (*gradient)(const cnn_winograd_units *padded); /* this, which has 4 * units columns */
    /* Sums of products of both to the gradients by nine taps: to[tap * tap_stride + column]. */
    void (*weights)(const float *from, ptrdiff_t matrix_stride, int64_t columns, float *to, ptrdiff_t tap_stride);
} cnn_winograd_adjoints;

typedef struct cnn_winograd_kernels {
    cnn_winograd_transforms by_2, by_4;
    cnn_winograd_adjoints adjoints_by_4;

    /* These where there is a product of pairs. */
    cnn_winograd_transforms bf16_by_2;
    cnn_winograd_adjoints bf16_adjoints;
} cnn_winograd_kernels;

/* The transforms for a correlation. */
const cnn_winograd_transforms *cnn_winograd_transforms_of(const cnn_kernels *kernels, const cnn_conv_problem *shape);

#endif
