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

/* A gemm and how its b is packed; NULL: it isn't. */
typedef struct job {
    const cnn_kernels *kernels;
    const cnn_gemm *gemm;
    const cnn_gemm_packed *packed;
} job;

/* What a micro-kernel takes at once, from a column on: columns, and where of b they are. */
static void place_columns(const job *j, int64_t column, int64_t first_term, cnn_gemm *part)
{
    const cnn_gemm_packed *packed = j->packed;
    int64_t most = j->kernels->gemm->columns, left = j->gemm->columns - column;
    if (!packed) {
        part->columns = cnn_lesser(left, most);
        part->b = j->gemm->b + first_term * part->b_stride + column;
        return;
    }
    int64_t at = packed->first_column + column;
    cnn_gemm_packed_block block = cnn_gemm_packed_block_at(j->kernels, packed->terms, packed->columns, at);
    part->columns = cnn_lesser(left, block.column + block.columns - at);
    part->b_stride = block.stride;
    part->b = j->gemm->b + block.offset + (packed->first_term + first_term) * block.stride + (at - block.column);
}

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
        place_columns(j, column, first, &p);
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
    run(&(job){ kernels, gemm, NULL });
}

void cnn_gemm_run_packed(const cnn_kernels *kernels, const cnn_gemm *gemm, const cnn_gemm_packed *packed)
{
    run(&(job){ kernels, gemm, packed });
}
