/* gemm of any size, cut into what a micro-kernel takes and what caches hold. */
#ifndef CNN_KERNELS_GEMM_GEMM_BLOCKING_H
#define CNN_KERNELS_GEMM_GEMM_BLOCKING_H

#include "kernels/gemm/gemm.h"
#include "kernels/kernels.h"

/* Result columns that one task works on, whatever the vectors' width: a multiple of every kernel's `columns`. */
enum { CNN_PANEL = 64 };

/* Multiplies with b as it is in memory, `b_stride` apart. */
void cnn_gemm_run(const cnn_kernels *kernels, const cnn_gemm *gemm);

/* How b is packed: blocks of kernels->gemm->columns columns one after the other, in each a row for each of `terms`
 * terms, padded to whole vectors. */
typedef struct cnn_gemm_packed {
    int64_t terms, columns;
    int64_t first_term, first_column; /* that are used */
} cnn_gemm_packed;

void cnn_gemm_run_packed(const cnn_kernels *kernels, const cnn_gemm *gemm, const cnn_gemm_packed *packed);

/* Floats of `columns` packed columns; from column `CNN_PANEL * n` on, they are those of a packed b of its own. */
int64_t cnn_gemm_packed_count(const cnn_kernels *kernels, int64_t terms, int64_t columns);

/* Where in a packed b of `terms` × `columns` the row of a column's block begins, and the floats between its rows. */
typedef struct cnn_gemm_packed_block {
    int64_t column, columns; /* that it holds */
    int64_t offset, stride;
} cnn_gemm_packed_block;

cnn_gemm_packed_block cnn_gemm_packed_block_at(const cnn_kernels *kernels, int64_t terms, int64_t columns,
                                               int64_t column);

#endif
