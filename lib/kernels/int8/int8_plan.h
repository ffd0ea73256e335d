/* How an int8 convolution is cut into tasks, and where in packed weights and workspace things lie. Depends on
 * shapes, the instruction set and the number of threads, none of which cuts a sum. */
#ifndef CNN_KERNELS_INT8_INT8_PLAN_H
#define CNN_KERNELS_INT8_INT8_PLAN_H

#include "kernels/conv/conv_problem.h"
#include "kernels/int8/int8.h"
#include "kernels/int8/int8_gemm.h"
#include "kernels/kernels.h"

/* Channels of the result that one task works on: a multiple of every kernel's `columns`. */
enum { CNN_INT8_PANEL = 64 };

/* The last group of a row of taps may reach this far behind the last pixel; it meets weights of zero there. */
enum { CNN_INT8_BEHIND = 8 };

/* Weights: blocks of kernels->columns columns, in each all groups, of bytes; per block of a convolution's group, one
 * after the other. Before them a bias and a scale for each column. Of depthwise ones, a row of groups for each column
 * of taps and each row of groups of them, as the kernels multiply them; and where two rows of the result share the
 * groups of the source, the same for the second, a row further down. With Winograd's algorithm, matrices take the place
 * of runs, and weights are 16 bits wide. */
typedef struct cnn_int8_layout {
    bool depthwise, winograd;
    int64_t groups;              /* of the convolution; 1 for depthwise ones */
    int64_t columns, padded;     /* of a group; the same in whole vectors */
    int64_t row_terms, row_runs; /* numbers that lie together, and how many runs of those there are in a row of taps */
    int64_t inner, outer;        /* groups of numbers in a run; runs */
    int64_t sharing;             /* depthwise: rows of the result that share groups: 1 or 2 */
    size_t scales, weights, end; /* where they begin; the bias is first */
} cnn_int8_layout;

/* Whether a convolution is computed by Winograd's algorithm: int8_winograd.h. */
bool cnn_int8_winograd_fits(const cnn_int8_gemm_kernels *kernels, const cnn_conv_shape *shape);

cnn_int8_layout cnn_int8_layout_make(const cnn_kernels *kernels, const cnn_conv_shape *shape);

typedef struct cnn_int8_plan {
    const cnn_int8_gemm_kernels *kernels;
    const cnn_int8_finish_kernels *finish;
    cnn_int8_layout layout;
    bool direct;                    /* the input is read in place */
    cnn_conv_problem problem;       /* without the part of the result that no whole pooling window holds */
    int64_t panels, panel_units;    /* panels of columns in a group; in all groups */
    int64_t tile_images, tile_rows; /* a task's part of the result: several whole images, or rows of one */
    int64_t tiles_per_image, tiles;
    int64_t source_rows, source_columns; /* that a tile needs */
    int64_t channels;                    /* of a tile */
    cnn_pixel_strides strides;           /* bytes, of the tile or of the input */
    bool single;                         /* tasks have one row */
    bool widens;                         /* a task widens a block's weights for all of its rows */
    size_t tables_bytes, tile_bytes, worker_bytes;
} cnn_int8_plan;

cnn_int8_plan cnn_int8_plan_make(cnn_context *context, const cnn_conv_shape *shape, bool pool);

#endif
