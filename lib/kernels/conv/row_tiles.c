#include "kernels/conv/row_tiles.h"

#include "kernels/tasks.h"

enum { MIN_THREAD_PIXELS = 64 /* fewer rows can't be shared evenly */ };

bool cnn_conv_shared_by_rows(const cnn_conv_problem *s, uint32_t threads)
{
    return s->batch * s->height * s->width >= (int64_t)threads * MIN_THREAD_PIXELS;
}

cnn_row_tiles cnn_row_tiles_of(const cnn_conv_problem *s, uint32_t threads, int64_t rows, int64_t unit)
{
    bool alone = s->batch == 1 && cnn_conv_shared_by_rows(s, threads);
    int64_t thread_units = cnn_divide_up(cnn_divide_up(s->height, alone ? threads : 1), unit), units = rows / unit;
    cnn_row_tiles tiles = { .height = s->height, .thread_rows = thread_units * unit };
    tiles.per_thread = cnn_divide_up(thread_units, cnn_at_least_1(units));
    tiles.rows = cnn_divide_up(thread_units, tiles.per_thread) * unit;
    tiles.per_thread = cnn_divide_up(tiles.thread_rows, tiles.rows);
    tiles.count = cnn_divide_up(s->height, tiles.thread_rows) * tiles.per_thread;
    return tiles;
}

int64_t cnn_row_tile_first(const cnn_row_tiles *tiles, int64_t index)
{
    return index / tiles->per_thread * tiles->thread_rows + index % tiles->per_thread * tiles->rows;
}

int64_t cnn_row_tile_count(const cnn_row_tiles *tiles, int64_t index)
{
    int64_t end = cnn_lesser((index / tiles->per_thread + 1) * tiles->thread_rows, tiles->height);
    int64_t left = end - cnn_row_tile_first(tiles, index);
    return left < 0 ? 0 : cnn_lesser(left, tiles->rows);
}
