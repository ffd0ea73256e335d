#include "image/sampler.h"

#include <stdbool.h>

static const int64_t one = (int64_t)1 << CNN_POSITION_BITS;
static const float grey = 127.5f;

static cnn_sample_row sample_for(cnn_tier tier)
{
#if defined(__x86_64__)
    if (tier != CNN_TIER_GENERIC) /* all above it have AVX2 */
        return cnn_sample_row_avx2;
#elif defined(__aarch64__)
    if (tier != CNN_TIER_GENERIC)
        return cnn_sample_row_neon;
#endif
    (void)tier;
    return cnn_sample_row_generic;
}

void cnn_sampler_open(cnn_sampler *self, const cnn_photo *photo, cnn_border border, const cnn_warp_target *target,
                      cnn_tier tier)
{
    *self = (cnn_sampler){ .sample = sample_for(tier),
                           .bytes = photo->bytes,
                           .stride = 3 * (size_t)photo->width,
                           .width = photo->width,
                           .height = photo->height,
                           .border = border };
    for (int channel = 0; channel < 3; channel++) {
        self->mean[channel] = target->mean[channel] * (CNN_SHARES * CNN_SHARES);
        self->scale[channel] = target->scale[channel] / (CNN_SHARES * CNN_SHARES);
    }
}

static inline int share_at(int64_t position)
{
    return (int)(position >> CNN_IGNORED_BITS) & (CNN_SHARES - 1);
}

static inline int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static inline bool is_outside(const cnn_sampler *self, cnn_position at)
{
    int64_t x = at.x >> CNN_IGNORED_BITS, y = at.y >> CNN_IGNORED_BITS;
    const int64_t half = CNN_SHARES / 2;
    return x < -half || y < -half || x > self->width * CNN_SHARES - half || y > self->height * CNN_SHARES - half;
}

/* At a position already clamped to the photograph. Times 4096, which is exact. */
static inline cnn_float4 sample_clamped(const cnn_sampler *self, int64_t x, int64_t y)
{
    int64_t x0 = x >> CNN_POSITION_BITS, y0 = y >> CNN_POSITION_BITS;
    int right = share_at(x), lower = share_at(y), left = CNN_SHARES - right, upper = CNN_SHARES - lower;
    /* what has a share of 0 need not be there */
    const uint8_t *first = self->bytes + (size_t)y0 * self->stride + 3 * (size_t)x0;
    const uint8_t *below = lower ? first + self->stride : first;
    size_t next = right ? 3 : 0;
    cnn_float4 sum = { 0 };
    for (size_t channel = 0; channel < 3; channel++) {
        int top = first[channel] * left + first[channel + next] * right;
        int bottom = below[channel] * left + below[channel + next] * right;
        sum[channel] = (float)(top * upper + bottom * lower);
    }
    return sum;
}

void cnn_sample_row_generic(const cnn_sampler *self, cnn_position at, cnn_position step, int64_t count, float *output)
{
    const cnn_float4 grey_sum = (cnn_float4){ 1, 1, 1, 1 } * (grey * CNN_SHARES * CNN_SHARES);
    int64_t right = (self->width - 1) * one, bottom = (self->height - 1) * one;
    for (int64_t i = 0; i < count; i++, at.x += step.x, at.y += step.y) {
        cnn_float4 sum = grey_sum;
        if (self->border == CNN_BORDER_REPEAT || !is_outside(self, at))
            sum = sample_clamped(self, clamp(at.x, 0, right), clamp(at.y, 0, bottom));
        sum = (sum - self->mean) * self->scale;
        memcpy(output + 3 * i, &sum, 3 * sizeof *output);
    }
}
