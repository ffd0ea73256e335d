/* How a direct convolution is cut into tasks, and where in the workspace things lie. Depends on shapes and the number
 * of threads; no sum does on the latter. */
#ifndef CNN_KERNELS_CONV_DIRECT_CONV_PLAN_H
#define CNN_KERNELS_CONV_DIRECT_CONV_PLAN_H

#include <stdbool.h>

#include "kernels/conv/conv_problem.h"
#include "kernels/conv/row_tiles.h"

typedef struct cnn_direct_conv_plan {
    const cnn_kernels *kernels;
    bool depthwise;
    bool direct;                    /* the source is read in place: no padding to add, no gradient to make */
    bool staged;                    /* results go through a staging buffer, to be pooled or rounded */
    int64_t panel;                  /* columns of a task */
    int64_t panels, panel_units;    /* panels of columns in a group; in all groups */
    int64_t tile_images, tile_rows; /* a task's part of the result: several whole images, or rows of one */
    cnn_row_tiles row_tiles;
    int64_t tiles;                         /* of all images */
    int64_t source_rows, source_columns;   /* that a tile needs */
    cnn_pixel_strides strides;             /* of the source, or of the padded tile copied from it */
    int64_t row_offsets, inner;            /* offsets for a row of taps, and terms of the sum from each */
    int64_t padded_floats, staging_floats; /* scratch of a worker */
    size_t tables_bytes, worker_bytes;
} cnn_direct_conv_plan;

cnn_direct_conv_plan cnn_direct_conv_plan_make(const cnn_conv_call *call);

#endif
