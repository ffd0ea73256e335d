/* Included by gemm_ukernel.c and by the part of it that is for one processor: what a register tile is. */
#ifndef CNN_KERNELS_GEMM_GEMM_TILE_H
#define CNN_KERNELS_GEMM_GEMM_TILE_H

#include "kernels/gemm/gemm.h"
#include "simd/vector.h"

enum { MAX_VECTORS = VF_REGISTERS == 32 ? 4 : 2, MAX_ROWS = VF_PLAIN ? 4 : 8 };

typedef struct tile_shape {
    int rows, vectors;
    bool ragged;    /* the last vector is not whole, */
    bool bf16_dot;  /* as of the gemm */
    size_t columns; /* in all there are so many */
} tile_shape;

/* Of vector `v` of a row of the tile. */
ALWAYS_INLINE vf load_columns(tile_shape s, int v, const float *row)
{
    bool whole = !s.ragged || v < s.vectors - 1;
    return whole ? vf_load(row + v * VF_WIDTH) : vf_load_partial(row + v * VF_WIDTH, s.columns - v * VF_WIDTH);
}

/* What is brought into the caches while a tile is computed, for each term a vector at `from`, and `step` further for
 * the next: of b itself, or a tile's part of what is wanted after it, which all at once would take as long as several
 * tiles. */
typedef struct prefetch {
    const float *from;
    ptrdiff_t step;
} prefetch;

#endif
