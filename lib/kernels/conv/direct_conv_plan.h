/* How a correlation is cut into tasks, and where in the workspace things lie. Depends on shapes alone. */
#ifndef CNN_KERNELS_CONV_DIRECT_CONV_PLAN_H
#define CNN_KERNELS_CONV_DIRECT_CONV_PLAN_H

#include <stdbool.h>

#include "kernels/conv/direct_conv.h"

/* Floats (or pairs) between neighbours, of the source or of a strip copied from it. */
typedef struct cnn_pixel_strides {
    int64_t pixel, row, image;
} cnn_pixel_strides;

/* Rows of a result in strips, some side by side for each thread. */
typedef struct cnn_strips {
    int64_t height;
    int64_t share_rows, per_share; /* a thread's rows, and strips; the last thread's may be fewer */
    int64_t rows;                  /* of a strip; the last of a share may have fewer, or none */
    int64_t count;                 /* of strips in all */
} cnn_strips;

typedef struct cnn_correlation_plan {
    const cnn_kernels *kernels;
    bool depthwise;
    bool direct;                      /* the source is read in place: no padding to add, no gradient to make */
    bool staged;                      /* results go through scratch, to be pooled or rounded */
    int64_t panels, panel_units;      /* panels of columns in a group; in all groups */
    int64_t strip_images, strip_rows; /* a task's part of the result: several whole images, or rows of one */
    cnn_strips image_strips;
    int64_t strips;                      /* of all images */
    int64_t source_rows, source_columns; /* that a strip needs */
    cnn_pixel_strides strides;
    int64_t row_offsets, inner;         /* offsets for a row of taps, and terms of the sum from each */
    int64_t strip_floats, stage_floats; /* scratch of a worker */
    size_t tables_bytes, worker_bytes;
} cnn_correlation_plan;

bool cnn_correlation_is_depthwise(const cnn_correlation *shape);

/* How threads share the result: of a large one each takes neighbouring rows, of a small one channels. All convolutions
 * do so alike, for what a thread has made is in its caches. */
bool cnn_correlation_shared_by_rows(const cnn_correlation *shape, uint32_t threads);

/* Strips of about `rows` rows, a multiple of `unit` like those of shares. */
cnn_strips cnn_strips_of(const cnn_correlation *shape, uint32_t threads, int64_t rows, int64_t unit);
int64_t cnn_strip_first_row(const cnn_strips *strips, int64_t index);
int64_t cnn_strip_row_count(const cnn_strips *strips, int64_t index);

/* Rows of taps, first to last - 1, that don't meet padding alone, for a row of the result. */
typedef struct cnn_tap_rows {
    int64_t first, last;
} cnn_tap_rows;
cnn_tap_rows cnn_correlation_tap_rows(const cnn_correlation *shape, int64_t row);
cnn_correlation_plan cnn_correlation_plan_make(const cnn_correlation_call *call);

#endif
