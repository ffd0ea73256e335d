/* Included by int8_gemm_ukernel.c: the sums of a register tile, by NEON's products of bytes. */
#if defined(__ARM_FEATURE_MATMUL_INT8)

/* A product of matrices adds to 2 × 2 sums those of a pair of rows and a pair of columns, eight bytes of each. */
ALWAYS_INLINE void sum_tile(const cnn_int8_gemm *p, int64_t row, tile_shape s, vi sum[MAX_ROWS][MAX_VECTORS])
{
    const int row_pairs = (s.rows + 1) / 2, column_pairs = 2 * s.vectors;
    int32x4_t squares[MAX_ROWS / 2][2 * MAX_VECTORS];
    UNROLLED (c, column_pairs) {
        int32x2_t bias = vld1_s32(p->bias + 2 * c);
        UNROLLED (r, row_pairs)
            squares[r][c] = vcombine_s32(bias, bias);
    }
    const uint8_t *a[MAX_ROWS], *b = p->b;
    UNROLLED (r, 2 * row_pairs) /* a last row without a partner is its own, whose sums nobody reads */
        a[r] = p->a + p->indirection.rows[row + (r < s.rows ? r : r - 1)];
    for (int64_t i = 0; i < p->terms; i++, b += column_pairs * 16) {
        ptrdiff_t offset = p->indirection.taps[i];
        int8x16_t weights[2 * MAX_VECTORS];
        UNROLLED (c, column_pairs)
            weights[c] = vld1q_s8((const int8_t *)b + 16 * c);
        __builtin_prefetch(b + FETCH_AHEAD);
        UNROLLED (r, row_pairs) {
            uint8x16_t rows = vcombine_u8(vld1_u8(a[2 * r] + offset), vld1_u8(a[2 * r + 1] + offset));
            UNROLLED (c, column_pairs)
                squares[r][c] = vusmmlaq_s32(squares[r][c], rows, weights[c]);
        }
    }
    UNROLLED (r, s.rows)
        UNROLLED (v, s.vectors) {
            int32x4_t left = squares[r / 2][2 * v], right = squares[r / 2][2 * v + 1];
            sum[r][v] = (vi)(r % 2 ? vcombine_s32(vget_high_s32(left), vget_high_s32(right))
                                   : vcombine_s32(vget_low_s32(left), vget_low_s32(right)));
        }
}

#else

/* Of each row a load takes four groups, where they lie side by side. */
ALWAYS_INLINE void sum_tile(const cnn_int8_gemm *p, int64_t row, tile_shape s, vi sum[MAX_ROWS][MAX_VECTORS])
{
    const uint8_t *a[MAX_ROWS], *b = p->b;
    begin_tile(p, row, s, sum, a);
    for (int64_t i = 0; i < p->terms;) {
        const ptrdiff_t *tap = p->indirection.taps + i;
        bool together = i + 4 <= p->terms && tap[1] == tap[0] + 4 && tap[2] == tap[0] + 8 && tap[3] == tap[0] + 12;
        if (!together) {
            UNROLLED (r, s.rows) {
                vi group = vi_broadcast_group(a[r] + tap[0]);
                UNROLLED (v, s.vectors)
                    sum[r][v] = vi_dot(sum[r][v], group, vi_load(b + v * sizeof(vi)));
            }
            i++;
            b += s.vectors * sizeof(vi);
            continue;
        }
        int8x16_t groups[MAX_ROWS];
        UNROLLED (r, s.rows)
            groups[r] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(a[r] + tap[0]), vdupq_n_u8(0x80)));
        __builtin_prefetch(b + FETCH_AHEAD);
        __builtin_prefetch(b + FETCH_AHEAD + 64);
#define ADD_GROUP(lane)                                                                      \
    UNROLLED (v, s.vectors) {                                                                \
        int8x16_t weights = vld1q_s8((const int8_t *)b + ((lane)*s.vectors + v) * 16);       \
        UNROLLED (r, s.rows)                                                                 \
            sum[r][v] = (vi)vdotq_laneq_s32((int32x4_t)sum[r][v], weights, groups[r], lane); \
    }
        ADD_GROUP(0)
        ADD_GROUP(1)
        ADD_GROUP(2)
        ADD_GROUP(3)
#undef ADD_GROUP
        i += 4;
        b += 4 * s.vectors * sizeof(vi);
    }
}
#endif
