/* The indirection buffer (M. Dukhan, "The indirect convolution algorithm", arXiv:1907.02129): where the input lies that
 * a pixel of the result meets at a tap. There, it is a table of pointers for each pixel and tap; as the distance
 * between two taps is the same for all pixels, two tables of offsets do here, which are added. */
#ifndef CNN_KERNELS_GEMM_INDIRECTION_H
#define CNN_KERNELS_GEMM_INDIRECTION_H

#include <stddef.h>
#include <stdint.h>

#include "core/memory.h"

typedef struct cnn_indirection {
    ptrdiff_t *rows;    /* of each row of the result: its first tap's input */
    ptrdiff_t *taps;    /* of each tap: its distance from the first */
    ptrdiff_t *outputs; /* of each row of the result: the row itself */
} cnn_indirection;

/* Tables for so many rows and taps in memory of so many bytes, a multiple of 64. */
static inline size_t cnn_indirection_bytes(int64_t rows, int64_t taps)
{
    return cnn_round_up((size_t)(2 * rows + taps) * sizeof(ptrdiff_t), 64);
}

static inline cnn_indirection cnn_indirection_at(void *memory, int64_t rows)
{
    ptrdiff_t *table = memory;
    return (cnn_indirection){ .rows = table, .outputs = table + rows, .taps = table + 2 * rows };
}

#endif
