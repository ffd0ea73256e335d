/* Included by gemm_ukernel.c: a register tile's sums by NEON's matrix products of bfloat16. One of them adds to 2 × 2
 * sums those of a pair of rows and a pair of columns, two terms of each, as two dot products would one after the other.
 * So it multiplies twice as fast, less what it takes to bring pairs together. */
#ifndef CNN_KERNELS_GEMM_BF16_GEMM_NEON_H
#define CNN_KERNELS_GEMM_BF16_GEMM_NEON_H

#include <string.h>

#include "kernels/gemm/gemm_tile.h"

typedef struct squares {
    vf sum[MAX_ROWS / 2][2 * MAX_VECTORS]; /* each { first row's, first row's, second row's, second row's } */
} squares;

/* Of 64 bits each; with vcombine_f32, gcc 12 would take registers for halves. */
ALWAYS_INLINE vf low_halves(vf a, vf b)
{
    return vreinterpretq_f32_f64(vzip1q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}

ALWAYS_INLINE vf high_halves(vf a, vf b)
{
    return vreinterpretq_f32_f64(vzip2q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}

/* A last row without a partner is its own, whose sums nobody reads. */
ALWAYS_INLINE int partner(tile_shape s, int row)
{
    return row < s.rows ? row : row - 1;
}

ALWAYS_INLINE void squares_from_rows(tile_shape s, vf sum[MAX_ROWS][MAX_VECTORS], squares *to)
{
    UNROLLED (r, (s.rows + 1) / 2)
        UNROLLED (v, s.vectors) {
            vf first = sum[2 * r][v], second = sum[partner(s, 2 * r + 1)][v];
            to->sum[r][2 * v] = low_halves(first, second);
            to->sum[r][2 * v + 1] = high_halves(first, second);
        }
}

ALWAYS_INLINE void squares_to_rows(tile_shape s, const squares *from, vf sum[MAX_ROWS][MAX_VECTORS])
{
    UNROLLED (r, s.rows)
        UNROLLED (v, s.vectors) {
            vf left = from->sum[r / 2][2 * v], right = from->sum[r / 2][2 * v + 1];
            sum[r][v] = r % 2 ? high_halves(left, right) : low_halves(left, right);
        }
}

/* Pairs of terms: of row r from a[r] on, of the columns from b on. */
typedef struct term_pairs {
    int64_t count;
    const float *a[MAX_ROWS], *b;
    ptrdiff_t b_stride;
} term_pairs;

/* What has no partner in a run of terms gets a zero. */
typedef struct last_pair {
    float a[MAX_ROWS][2], b[2][MAX_VECTORS * VF_WIDTH];
} last_pair;

ALWAYS_INLINE term_pairs pair_with_zero(tile_shape s, const term_pairs *from, last_pair *pair)
{
    term_pairs result = { .count = 1, .b = pair->b[0], .b_stride = MAX_VECTORS * VF_WIDTH };
    for (int r = 0; r < (s.rows + 1) / 2 * 2; r++) {
        pair->a[r][0] = from->a[r][2 * from->count];
        pair->a[r][1] = 0;
        result.a[r] = pair->a[r];
    }
    const float *b = from->b + 2 * from->count * from->b_stride;
    memset(pair->b, 0, sizeof pair->b);
    memcpy(pair->b[0], b, sizeof *b * (s.ragged ? s.columns : (size_t)(s.vectors * VF_WIDTH)));
    return result;
}

ALWAYS_INLINE void add_pair(tile_shape s, const float *const a[MAX_ROWS], const float *b, ptrdiff_t b_stride,
                            squares *to)
{
    const int pairs = (s.rows + 1) / 2;
    bfloat16x8_t rows[MAX_ROWS / 2];
    UNROLLED (r, pairs)
        rows[r] = vreinterpretq_bf16_f32(vcombine_f32(vld1_f32(a[2 * r]), vld1_f32(a[2 * r + 1])));
    UNROLLED (v, s.vectors) {
        vf first = load_columns(s, v, b), second = load_columns(s, v, b + b_stride);
        bfloat16x8_t left = vreinterpretq_bf16_f32(vzip1q_f32(first, second));
        bfloat16x8_t right = vreinterpretq_bf16_f32(vzip2q_f32(first, second));
        UNROLLED (r, pairs) {
            to->sum[r][2 * v] = vbfmmlaq_f32(to->sum[r][2 * v], rows[r], left);
            to->sum[r][2 * v + 1] = vbfmmlaq_f32(to->sum[r][2 * v + 1], rows[r], right);
        }
    }
}

/* Adds all terms of the sum, for an `a_stride` of 1. */
ALWAYS_INLINE void add_terms_by_squares(const cnn_gemm *p, int64_t row, prefetch fetch, tile_shape s,
                                        vf sum[MAX_ROWS][MAX_VECTORS])
{
    squares sums;
    squares_from_rows(s, sum, &sums);
    const float *b = p->b;
    const bool odd = p->inner % 2;
    for (int64_t o = 0; o < p->outer; o++, b += p->inner * p->b_stride) {
        last_pair last;
        term_pairs terms = { .count = p->inner / 2, .b = b, .b_stride = p->b_stride };
        UNROLLED (r, (s.rows + 1) / 2 * 2)
            terms.a[r] = p->a + p->indirection.taps[o] + p->indirection.rows[row + partner(s, r)];
        for (int part = 0; part <= odd; part++) {
            if (part)
                terms = pair_with_zero(s, &terms, &last);
            const float *pair = terms.b;
            for (int64_t i = 0; i < terms.count; i++, pair += 2 * terms.b_stride) {
                const float *a[MAX_ROWS];
                UNROLLED (r, (s.rows + 1) / 2 * 2)
                    a[r] = terms.a[r] + 2 * i;
                __builtin_prefetch(fetch.from, 0, 3);
                __builtin_prefetch(fetch.from + fetch.step, 0, 3);
                fetch.from += 2 * fetch.step;
                add_pair(s, a, pair, terms.b_stride, &sums);
            }
        }
    }
    squares_to_rows(s, &sums, sum);
}

#endif
