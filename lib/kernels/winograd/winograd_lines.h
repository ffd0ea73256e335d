/* Winograd's transforms of one dimension, a vector of channels at a time. One of two dimensions is a matrix times the
 * tile times the matrix transposed: the matrix is applied to the columns, then to the rows of what that gives. Included
 * by sources that are compiled once per instruction set. Matrices have the paper's names (arXiv:1509.09308), for the
 * points 0, 1, -1 (2, -2) and infinity. */
#ifndef CNN_KERNELS_WINOGRAD_WINOGRAD_LINES_H
#define CNN_KERNELS_WINOGRAD_WINOGRAD_LINES_H

#include "simd/vector.h"

enum { MAX_TILE = 4, MAX_SIDE = MAX_TILE + 2, TAPS = 3 };

/* b + factor * a */
ALWAYS_INLINE vf add_times(vf b, float factor, vf a)
{
    return vf_fmadd(vf_broadcast(factor), a, b);
}

/* B transposed. */
ALWAYS_INLINE void input_line(int tile, const vf d[MAX_SIDE], vf t[MAX_SIDE])
{
    if (tile == 2) {
        t[0] = vf_sub(d[0], d[2]);
        t[1] = vf_add(d[1], d[2]);
        t[2] = vf_sub(d[2], d[1]);
        t[3] = vf_sub(d[1], d[3]);
        return;
    }
    vf even = add_times(d[4], -4, d[2]), odd = add_times(d[3], -4, d[1]);
    vf even_2 = vf_sub(d[4], d[2]), odd_2 = vf_sub(d[3], d[1]);
    t[0] = add_times(add_times(d[4], -5, d[2]), 4, d[0]);
    t[1] = vf_add(even, odd);
    t[2] = vf_sub(even, odd);
    t[3] = add_times(even_2, 2, odd_2);
    t[4] = add_times(even_2, -2, odd_2);
    t[5] = add_times(add_times(d[5], -5, d[3]), 4, d[1]);
}

/* B transposed, the tile, B: of a tile of the source. */
/* Floats between rows and pixels of the source, and between matrices. */
typedef struct tile_strides {
    ptrdiff_t row, pixel, matrix;
} tile_strides;

ALWAYS_INLINE void input_vector(int tile, const float *from, tile_strides stride, float *to, size_t lanes)
{
    int side = tile + 2;
    vf half[MAX_SIDE][MAX_SIDE], line[MAX_SIDE];
    UNROLLED (j, side) {
        vf column[MAX_SIDE];
        UNROLLED (i, side)
            column[i] = vf_load_lanes(from + i * stride.row + j * stride.pixel, lanes);
        input_line(tile, column, line);
        UNROLLED (i, side)
            half[i][j] = line[i];
    }
    UNROLLED (i, side) {
        input_line(tile, half[i], line);
        UNROLLED (j, side)
            vf_store_lanes(to + (i * side + j) * stride.matrix, line[j], lanes);
    }
}

#endif
