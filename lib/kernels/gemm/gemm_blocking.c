#include "kernels/gemm/gemm_blocking.h"

#include "core/memory.h"
#include "kernels/tasks.h"

/* Terms of the sum that are taken before the next tile: a panel of so many rows of b stays in the second-level cache
 * while all tiles use it. */
enum { TERMS = 1024 };

cnn_gemm_packed_block cnn_gemm_packed_block_at(const cnn_kernels *kernels, int64_t terms, int64_t columns,
                                               int64_t column)
{
    int64_t most = kernels->gemm->columns;
    cnn_gemm_packed_block block = { .column = column / most * most };
    block.columns = columns - block.column < most ? columns - block.column : most;
    block.offset = terms * block.column;
    block.stride = (int64_t)cnn_round_up((size_t)block.columns, (size_t)kernels->gemm->width);
    return block;
}

int64_t cnn_gemm_packed_count(const cnn_kernels *kernels, int64_t terms, int64_t columns)
{
    return terms * (int64_t)cnn_round_up((size_t)columns, (size_t)kernels->gemm->width);
}

/* A gemm and how its b is packed: the number of terms, 0 if it isn't, and the first that is used. */
typedef struct job {
    const cnn_kernels *kernels;
    const cnn_gemm *gemm;
    int64_t packed_terms, packed_first;
} job;

/* Terms [first, last) of the sum: the bias comes with its first, the clamp with its last. */
static void multiply_terms(const job *j, int64_t first, int64_t last)
{
    const cnn_gemm *whole = j->gemm;
    cnn_gemm p = *whole;
    if (whole->inner > TERMS && last > first) {
        p.outer = 1;
        p.inner = last - first;
        p.a = whole->a + first % whole->inner * whole->a_stride;
    } else {
        p.outer = (last - first) / whole->inner;
    }
    p.indirection.taps = whole->indirection.taps + first / whole->inner;
    p.accumulate = whole->accumulate || first > 0;
    if (last < whole->outer * whole->inner) {
        p.clamp = CNN_NO_CLAMP;
    }
    for (int64_t column = 0; column < whole->columns; column += p.columns) {
        cnn_gemm_packed_block block = cnn_gemm_packed_block_at(j->kernels, j->packed_terms, whole->columns, column);
        p.columns = block.columns;
        p.b_stride = j->packed_terms ? block.stride : whole->b_stride;
        p.b = whole->b + (j->packed_terms ? block.offset : column) + (j->packed_first + first) * p.b_stride;
        p.next = whole->next ? whole->next + (p.b - whole->b) : NULL;
        p.c = whole->c + column;
        p.bias = whole->bias ? whole->bias + column : NULL;
        p.residual = whole->residual ? whole->residual + column : NULL;
        (p.bf16_dot ? j->kernels->bf16_dot->multiply : j->kernels->gemm->multiply)(&p);
    }
}

static void run(const job *j)
{
    int64_t outer = j->gemm->outer, inner = j->gemm->inner;
    if (inner > TERMS && outer > 0) {
        int64_t pieces = cnn_divide_up(inner, TERMS);
        for (int64_t i = 0; i < outer * pieces; i++)
            multiply_terms(j, i / pieces * inner + inner * (i % pieces) / pieces,
                           i / pieces * inner + inner * (i % pieces + 1) / pieces);
        return;
    }
    int64_t group = TERMS / inner, o = 0;
    do { /* once even if there are no terms: the result is the bias then */
        int64_t last = cnn_lesser(o + group, outer);
        multiply_terms(j, o * inner, last * inner);
        o = last;
    } while (o < outer);
}

void cnn_gemm_run(const cnn_kernels *kernels, const cnn_gemm *gemm)
{
    run(&(job){ kernels, gemm, 0, 0 });
}

void cnn_gemm_run_packed(const cnn_kernels *kernels, const cnn_gemm *gemm, int64_t terms, int64_t first)
{
    run(&(job){ kernels, gemm, terms, first });
}
