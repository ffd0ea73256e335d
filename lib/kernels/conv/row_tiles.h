/* How the rows of a convolution's result are cut into tiles, one for each task, and which thread gets which. */
#ifndef CNN_KERNELS_CONV_ROW_TILES_H
#define CNN_KERNELS_CONV_ROW_TILES_H

#include "kernels/conv/conv_problem.h"

/* How threads share the result: of a large one each takes neighbouring rows, of a small one channels. All convolutions
 * do so alike, for what a thread has made is in its caches. */
bool cnn_conv_shared_by_rows(const cnn_conv_problem *problem, uint32_t threads);

/* Tiles of rows, some side by side for each thread. */
typedef struct cnn_row_tiles {
    int64_t height;
    int64_t thread_rows, per_thread; /* a thread's rows, and tiles; the last thread's may be fewer */
    int64_t rows;                    /* of a tile; a thread's last may have fewer, or none */
    int64_t count;                   /* of tiles in all */
} cnn_row_tiles;

/* Tiles of about `rows` rows, a multiple of `unit` as a thread's rows are. */
cnn_row_tiles cnn_row_tiles_of(const cnn_conv_problem *problem, uint32_t threads, int64_t rows, int64_t unit);
int64_t cnn_row_tile_first(const cnn_row_tiles *tiles, int64_t index);
int64_t cnn_row_tile_count(const cnn_row_tiles *tiles, int64_t index);

#endif
