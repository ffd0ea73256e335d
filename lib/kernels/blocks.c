#include "kernels/blocks.h"

#include <math.h>

#include "core/memory.h"

/* Terms of the sum that are taken before the next tile: a panel of so many rows of b stays in the second-level cache
 * while all tiles use it. */
enum { TERMS = 1024 };

cnn_packed_block cnn_packed_block_at(const cnn_kernels *kernels, int64_t terms, int64_t columns, int64_t column)
{
    int64_t most = kernels->product->columns;
    cnn_packed_block block = { .column = column / most * most };
    block.columns = columns - block.column < most ? columns - block.column : most;
    block.offset = terms * block.column;
    block.step = (int64_t)cnn_round_up((size_t)block.columns, (size_t)kernels->product->width);
    return block;
}

int64_t cnn_packed_count(const cnn_kernels *kernels, int64_t terms, int64_t columns)
{
    return terms * (int64_t)cnn_round_up((size_t)columns, (size_t)kernels->product->width);
}

/* Terms [first, last) of the sum. */
typedef struct part {
    int64_t first, last;
} part;

/* One part of the sum; the bias comes with the first, the limits with the last. */
static void multiply_part(const cnn_kernels *kernels, const cnn_product *whole, part terms, bool packed)
{
    cnn_product p = *whole;
    int64_t all = whole->outer * whole->inner, most = kernels->product->columns;
    if (whole->inner <= TERMS) {
        p.outer = (terms.last - terms.first) / whole->inner;
        p.a_offsets = whole->a_offsets + terms.first / whole->inner;
    } else {
        p.outer = 1;
        p.inner = terms.last - terms.first;
        p.a_offsets = whole->a_offsets + terms.first / whole->inner;
        p.a = whole->a + terms.first % whole->inner * whole->a_step;
    }
    p.accumulate = whole->accumulate || terms.first > 0;
    if (terms.last < all) {
        p.low = -INFINITY;
        p.high = INFINITY;
    }
    for (int64_t column = 0; column < whole->columns; column += most) {
        cnn_packed_block block = cnn_packed_block_at(kernels, all, whole->columns, column);
        p.columns = block.columns;
        p.b_step = packed ? block.step : whole->b_step;
        p.b = whole->b + (packed ? block.offset : column) + terms.first * p.b_step;
        p.c = whole->c + column;
        p.bias = whole->bias ? whole->bias + column : NULL;
        kernels->product->multiply(&p);
    }
}

static void multiply_parts(const cnn_kernels *kernels, const cnn_product *p, bool packed)
{
    if (p->inner <= TERMS) {
        int64_t group = TERMS / p->inner;
        for (int64_t o = 0; o < p->outer; o += group) {
            int64_t last = o + group < p->outer ? o + group : p->outer;
            multiply_part(kernels, p, (part){ o * p->inner, last * p->inner }, packed);
        }
        return;
    }
    int64_t pieces = (p->inner + TERMS - 1) / TERMS;
    for (int64_t o = 0; o < p->outer; o++)
        for (int64_t i = 0; i < pieces; i++)
            multiply_part(kernels, p,
                          (part){ o * p->inner + p->inner * i / pieces, o * p->inner + p->inner * (i + 1) / pieces },
                          packed);
}

void cnn_product_run(const cnn_kernels *kernels, const cnn_product *product)
{
    multiply_parts(kernels, product, false);
}

void cnn_product_run_packed(const cnn_kernels *kernels, const cnn_product *product)
{
    multiply_parts(kernels, product, true);
}
