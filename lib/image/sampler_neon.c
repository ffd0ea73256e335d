/* Blocks of samples on 64-bit Arm: see sampler_block.h. */
#include "image/sampler.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "image/sampler_block.h"

/* Where the samples of a block lie, and the shares of the pixels around them, out of 64. */
typedef struct block {
    int32_t offsets[CNN_SAMPLER_BLOCK];
    uint16_t left[CNN_SAMPLER_BLOCK], right[CNN_SAMPLER_BLOCK], upper[CNN_SAMPLER_BLOCK], lower[CNN_SAMPLER_BLOCK];
    bool plain; /* needs the plain way */
} block;

/* Four positions along one axis, the first of them `lane` steps from `start`. */
static inline int32x4_t cut(int64_t start, int64_t step, int lane)
{
    static const int32_t numbers[4] = { 0, 1, 2, 3 };
    int32x4_t lanes = vaddq_s32(vld1q_s32(numbers), vdupq_n_s32(lane));
    lanes = vmlaq_n_s32(vdupq_n_s32(cnn_position_fraction(start)), lanes, (int32_t)step);
    return vaddq_s32(vshrq_n_s32(lanes, CNN_IGNORED_BITS), vdupq_n_s32(cnn_position_whole(start)));
}

/* Which of these are beyond −half a pixel … limit + half a pixel. */
static inline uint32x4_t outside(int32x4_t positions, int32_t limit)
{
    const int32_t half = CNN_SHARES / 2;
    return vorrq_u32(vcltq_s32(positions, vdupq_n_s32(-half)), vcgtq_s32(positions, vdupq_n_s32(limit + half)));
}

static inline int32x4_t clamp(int32x4_t positions, int32_t limit)
{
    return vminq_s32(vmaxq_s32(positions, vdupq_n_s32(0)), vdupq_n_s32(limit));
}

/* Stores the shares of the left or upper pixel, and those of the right or lower one. */
static inline void store_shares(int32x4_t positions, int32x4_t pixels, uint16_t *first, uint16_t *second)
{
    int32x4_t shares = vsubq_s32(positions, vshlq_n_s32(pixels, CNN_SHARE_BITS));
    uint16x4_t narrow = vmovn_u32(vreinterpretq_u32_s32(shares));
    vst1_u16(first, vsub_u16(vdup_n_u16(CNN_SHARES), narrow));
    vst1_u16(second, narrow);
}

static inline void place(block *b, const cnn_sampler *self, const cnn_sampler_limits *limit, cnn_position start,
                         cnn_position step)
{
    uint32x4_t plain = vdupq_n_u32(0);
    for (int i = 0; i < CNN_SAMPLER_BLOCK; i += 4) {
        int32x4_t x = cut(start.x, step.x, i), y = cut(start.y, step.y, i);
        if (self->border == CNN_BORDER_GREY)
            plain = vorrq_u32(plain, vorrq_u32(outside(x, limit->right), outside(y, limit->bottom)));
        x = clamp(x, limit->right);
        y = clamp(y, limit->bottom);
        int32x4_t column = vminq_s32(vshrq_n_s32(x, CNN_SHARE_BITS), vdupq_n_s32(limit->last_column));
        int32x4_t row = vminq_s32(vshrq_n_s32(y, CNN_SHARE_BITS), vdupq_n_s32(limit->last_row));
        int32x4_t offsets = vmlaq_n_s32(vmulq_n_s32(column, 3), row, (int32_t)self->stride);
        plain = vorrq_u32(plain, vcgtq_s32(offsets, vdupq_n_s32(limit->last_offset)));
        vst1q_s32(b->offsets + i, offsets);
        store_shares(x, column, b->left + i, b->right + i);
        store_shares(y, row, b->upper + i, b->lower + i);
    }
    b->plain = vmaxvq_u32(plain);
}

/* Three floats and one more. */
static inline float32x4_t sample(const cnn_sampler *self, const block *b, int i)
{
    const uint8_t *upper = self->bytes + b->offsets[i], *lower = upper + self->stride;
    uint16x8_t columns = vmull_u8(vld1_u8(upper), vdup_n_u8((uint8_t)b->upper[i]));
    columns = vmlal_u8(columns, vld1_u8(lower), vdup_n_u8((uint8_t)b->lower[i]));
    uint32x4_t sums = vmull_n_u16(vget_low_u16(columns), b->left[i]);
    sums = vmlal_n_u16(sums, vget_low_u16(vextq_u16(columns, columns, 3)), b->right[i]);
    return vmulq_f32(vsubq_f32(vcvtq_f32_u32(sums), (float32x4_t)self->mean), (float32x4_t)self->scale);
}

static inline void sample_block(const cnn_sampler *self, const block *b, float *output)
{
    for (int i = 0; i < CNN_SAMPLER_BLOCK - 1; i++) /* what is too much is overwritten */
        vst1q_f32(output + 3 * i, sample(self, b, i));
    float32x4_t last = sample(self, b, CNN_SAMPLER_BLOCK - 1);
    output += 3 * (CNN_SAMPLER_BLOCK - 1);
    vst1_f32(output, vget_low_f32(last));
    vst1q_lane_f32(output + 2, last, 2);
}

/* The last block begins earlier where it would reach beyond the row, and does some samples again. */
void cnn_sample_row_neon(const cnn_sampler *self, cnn_position start, cnn_position step, int64_t count, float *output)
{
    if (count < CNN_SAMPLER_BLOCK || !cnn_sampler_is_small(self, start, step, count)) {
        cnn_sample_row_generic(self, start, step, count, output);
        return;
    }
    const cnn_sampler sampler = *self; /* the stores can't change this one */
    const cnn_sampler_limits limit = cnn_sampler_limits_of(self);
    for (int64_t done = 0; done < count; done += CNN_SAMPLER_BLOCK) {
        int64_t first = done + CNN_SAMPLER_BLOCK <= count ? done : count - CNN_SAMPLER_BLOCK;
        cnn_position at = { start.x + first * step.x, start.y + first * step.y };
        block b;
        place(&b, &sampler, &limit, at, step);
        if (b.plain)
            cnn_sample_row_generic(&sampler, at, step, CNN_SAMPLER_BLOCK, output + 3 * first);
        else
            sample_block(&sampler, &b, output + 3 * first);
    }
}

#endif
