/* The micro-kernels of Winograd's algorithm: its transforms. */
#ifndef CNN_KERNELS_WINOGRAD_WINOGRAD_TRANSFORMS_H
#define CNN_KERNELS_WINOGRAD_WINOGRAD_TRANSFORMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/activation.h"

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

/* Those of bfloat16 where there are dot products of it. */
typedef struct cnn_winograd_kernels {
    cnn_winograd_transforms by_2, by_4, bf16_by_2;
} cnn_winograd_kernels;

typedef struct cnn_winograd_adjoint_kernels {
    cnn_winograd_adjoints by_4, bf16_by_2;
} cnn_winograd_adjoint_kernels;

#endif
