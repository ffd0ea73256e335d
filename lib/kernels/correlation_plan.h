/* How a correlation is cut into tasks, and where in the workspace things lie. Depends on shapes alone. */
#ifndef CNN_KERNELS_CORRELATION_PLAN_H
#define CNN_KERNELS_CORRELATION_PLAN_H

#include <stdbool.h>

#include "kernels/correlation.h"

/* Floats (or pairs) between neighbours, of the source or of a strip copied from it. */
typedef struct cnn_pixel_strides {
    int64_t pixel, row, image;
} cnn_pixel_strides;

typedef struct cnn_correlation_plan {
    const cnn_kernels *kernels;
    bool depthwise;
    bool direct;                      /* the source is read in place: no padding to add, no gradient to make */
    bool staged;                      /* results go through scratch, to be pooled or rounded */
    int64_t panels, panel_units;      /* panels of columns in a group; in all groups */
    int64_t strip_images, strip_rows; /* a task's part of the result: several whole images, or rows of one */
    int64_t strips_per_image, strips;
    int64_t source_rows, source_columns; /* that a strip needs */
    cnn_pixel_strides strides;
    int64_t row_offsets, inner;         /* offsets for a row of taps, and terms of the sum from each */
    int64_t strip_floats, stage_floats; /* scratch of a worker */
    size_t tables_bytes, worker_bytes;
} cnn_correlation_plan;

bool cnn_correlation_is_depthwise(const cnn_correlation *shape);

/* Rows of taps, first to last - 1, that don't meet padding alone, for a row of the result. */
typedef struct cnn_tap_rows {
    int64_t first, last;
} cnn_tap_rows;
cnn_tap_rows cnn_correlation_tap_rows(const cnn_correlation *shape, int64_t row);
cnn_correlation_plan cnn_correlation_plan_make(const cnn_correlation_call *call);

#endif
