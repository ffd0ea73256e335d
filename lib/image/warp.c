/* Any affine map, by bilinear samples at positions in fixed point. */
#include "image/warp.h"

#include <math.h>
#include <stdbool.h>

#include "core/error.h"
#include "core/memory.h"
#include "image/vector.h"

enum { FRACTION_BITS = 24 };
static const int64_t one = (int64_t)1 << FRACTION_BITS;
static const double farthest = 0x1p36; /* positions beyond, times 2^24, come near the limit of 64 bits */
static const float grey = 127.5f;

/* A position relative to the centre of the first pixel. */
typedef struct position {
    int64_t x, y;
} position;

typedef struct sampler {
    const uint8_t *bytes;
    int64_t width, height;
    cnn_border border;
    cnn_float4 mean, scale;
} sampler;

static int64_t to_fixed(double value)
{
    return (int64_t)llrint(value * (double)one);
}

static inline float fraction(int64_t value)
{
    return (float)(int32_t)(value & (one - 1)) * 0x1p-24f;
}

static inline cnn_float4 blend(cnn_float4 a, cnn_float4 b, float share)
{
    return a + (b - a) * share;
}

/* A position with all four pixels, and one byte behind each, within the photograph. */
static inline cnn_float4 sample_inside(const sampler *self, position at)
{
    size_t stride = 3 * (size_t)self->width;
    const uint8_t *upper = self->bytes + (size_t)(at.y >> FRACTION_BITS) * stride + 3 * (size_t)(at.x >> FRACTION_BITS);
    const uint8_t *lower = upper + stride;
    float x = fraction(at.x), y = fraction(at.y);
    cnn_float4 left = blend(cnn_load_bytes(upper), cnn_load_bytes(lower), y);
    cnn_float4 right = blend(cnn_load_bytes(upper + 3), cnn_load_bytes(lower + 3), y);
    return blend(left, right, x);
}

static inline cnn_float4 load_pixel(const sampler *self, int64_t x, int64_t y)
{
    const uint8_t *pixel = self->bytes + 3 * ((size_t)y * (size_t)self->width + (size_t)x);
    return (cnn_float4){ pixel[0], pixel[1], pixel[2], 0 };
}

static inline int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static cnn_float4 sample_anywhere(const sampler *self, position at)
{
    int64_t right = (self->width - 1) * one, bottom = (self->height - 1) * one;
    bool outside = at.x < -one / 2 || at.y < -one / 2 || at.x > right + one / 2 || at.y > bottom + one / 2;
    if (self->border == CNN_BORDER_GREY && outside)
        return (cnn_float4){ grey, grey, grey, grey };
    at = (position){ clamp(at.x, 0, right), clamp(at.y, 0, bottom) };
    int64_t x0 = at.x >> FRACTION_BITS, y0 = at.y >> FRACTION_BITS;
    int64_t x1 = x0 + 1 < self->width ? x0 + 1 : x0, y1 = y0 + 1 < self->height ? y0 + 1 : y0;
    float x = fraction(at.x), y = fraction(at.y);
    cnn_float4 upper = blend(load_pixel(self, x0, y0), load_pixel(self, x1, y0), x);
    cnn_float4 lower = blend(load_pixel(self, x0, y1), load_pixel(self, x1, y1), x);
    return blend(upper, lower, y);
}

/* The quotient rounded towards −∞; b > 0. */
static int64_t divide_down(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Narrows first … end to the steps i at which 0 ≤ start + i × step < limit. */
static void narrow(int64_t start, int64_t step, int64_t limit, int64_t *first, int64_t *end)
{
    int64_t low = 0, high = *end;
    if (step == 0) {
        if (start < 0 || start >= limit)
            high = 0;
    } else if (step > 0) {
        low = -divide_down(start, step);
        high = divide_down(limit - 1 - start, step) + 1;
    } else {
        low = divide_down(start - limit, -step) + 1;
        high = divide_down(start, -step) + 1;
    }
    *first = clamp(low, *first, *end);
    *end = clamp(high, *first, *end);
}

static inline position advanced(position start, position step, int64_t count)
{
    return (position){ start.x + count * step.x, start.y + count * step.y };
}

static void warp_border(const sampler *self, position start, position step, int64_t first, int64_t end, float *row)
{
    for (int64_t i = first; i < end; i++) {
        cnn_float4 pixel = (sample_anywhere(self, advanced(start, step, i)) - self->mean) * self->scale;
        memcpy(row + 3 * i, &pixel, 3 * sizeof(float));
    }
}

static void warp_row(const sampler *self, position start, position step, int64_t width, float *row)
{
    int64_t first = 0, end = width - 1; /* the last pixel may not be stored with a fourth value */
    narrow(start.x, step.x, (self->width - 2) * one, &first, &end);
    narrow(start.y, step.y, (self->height - 1) * one, &first, &end);
    warp_border(self, start, step, 0, first, row);
    position at = advanced(start, step, first);
    for (int64_t i = first; i < end; i++) {
        cnn_store_floats(row + 3 * i, (sample_inside(self, at) - self->mean) * self->scale);
        at.x += step.x;
        at.y += step.y;
    }
    warp_border(self, start, step, end, width, row);
}

static bool is_near(const cnn_affine *affine, const cnn_warp_target *target)
{
    double x = fabs(affine->xx) * target->width + fabs(affine->xy) * target->height + fabs(affine->x0);
    double y = fabs(affine->yx) * target->width + fabs(affine->yy) * target->height + fabs(affine->y0);
    return x < farthest && y < farthest; /* NaN isn't */
}

static cnn_status sample_rows(const cnn_photo *photo, const cnn_affine *affine, cnn_border border,
                              const cnn_warp_target *target)
{
    if (!is_near(affine, target))
        return cnn_fail(CNN_ERROR_ARGUMENT, "the transformation of the image leads too far away");
    sampler self = { .bytes = photo->bytes, .width = photo->width, .height = photo->height, .border = border };
    for (int channel = 0; channel < 3; channel++) {
        self.mean[channel] = target->mean[channel];
        self.scale[channel] = target->scale[channel];
    }
    position step = { to_fixed(affine->xx), to_fixed(affine->yx) };
    for (uint32_t y = 0; y < target->height; y++) {
        double row_x = affine->xx * 0.5 + affine->xy * (y + 0.5) + affine->x0 - 0.5;
        double row_y = affine->yx * 0.5 + affine->yy * (y + 0.5) + affine->y0 - 0.5;
        warp_row(&self, (position){ to_fixed(row_x), to_fixed(row_y) }, step, target->width,
                 target->floats + 3 * (size_t)y * target->width);
    }
    return CNN_OK;
}

/* How many source pixels an output pixel spans along a source axis, as a whole number: blocks to average before
 * sampling, which by itself looks at two pixels only. */
static int64_t block_size(double a, double b, int64_t limit)
{
    double span = sqrt(a * a + b * b) + 0.25;
    return span < 2 ? 1 : span < (double)limit ? (int64_t)span : limit;
}

static void average_block(const cnn_photo *photo, int64_t x0, int64_t x1, int64_t y0, int64_t y1, uint8_t *pixel)
{
    uint64_t sum[3] = { 0 }, count = (uint64_t)((x1 - x0) * (y1 - y0));
    for (int64_t y = y0; y < y1; y++) {
        const uint8_t *source = photo->bytes + 3 * ((size_t)y * (size_t)photo->width + (size_t)x0);
        for (int64_t x = x0; x < x1; x++, source += 3) {
            sum[0] += source[0];
            sum[1] += source[1];
            sum[2] += source[2];
        }
    }
    for (int channel = 0; channel < 3; channel++)
        pixel[channel] = (uint8_t)((sum[channel] + count / 2) / count);
}

static void average_blocks(const cnn_photo *photo, int64_t block_width, int64_t block_height, int64_t width,
                           int64_t height, uint8_t *output)
{
    for (int64_t y = 0; y < height; y++) {
        int64_t y0 = y * block_height;
        int64_t y1 = y0 + block_height < photo->height ? y0 + block_height : photo->height;
        for (int64_t x = 0; x < width; x++, output += 3) {
            int64_t x0 = x * block_width;
            int64_t x1 = x0 + block_width < photo->width ? x0 + block_width : photo->width;
            average_block(photo, x0, x1, y0, y1, output);
        }
    }
}

cnn_status cnn_warp(cnn_context *context, const cnn_photo *photo, const cnn_affine *affine, cnn_border border,
                    const cnn_warp_target *target)
{
    if (affine->xy == 0 && affine->yx == 0)
        return cnn_resample(context, photo, affine, border, target);
    int64_t block_width = block_size(affine->xx, affine->xy, photo->width);
    int64_t block_height = block_size(affine->yx, affine->yy, photo->height);
    if (block_width == 1 && block_height == 1)
        return sample_rows(photo, affine, border, target);
    int64_t width = (photo->width + block_width - 1) / block_width;
    int64_t height = (photo->height + block_height - 1) / block_height;
    uint8_t *bytes = cnn_allocate(context, 3 * (size_t)width * (size_t)height);
    if (!bytes)
        return CNN_ERROR_OUT_OF_MEMORY;
    average_blocks(photo, block_width, block_height, width, height, bytes);
    cnn_photo smaller = { .bytes = bytes, .width = width, .height = height };
    double x = 1.0 / (double)block_width, y = 1.0 / (double)block_height;
    cnn_affine map = { affine->xx * x, affine->xy * x, affine->x0 * x, affine->yx * y, affine->yy * y, affine->y0 * y };
    cnn_status status = sample_rows(&smaller, &map, border, target);
    cnn_release(context, bytes);
    return status;
}
