/* Any affine map. */
#include "image/warp.h"

#include <math.h>
#include <stdbool.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "image/sampler.h"

static const int64_t one = (int64_t)1 << CNN_POSITION_BITS;
static const double farthest = 0x1p36; /* positions beyond, times 2^24, come near the limit of 64 bits */

static int64_t to_fixed(double value)
{
    return (int64_t)llrint(value * (double)one);
}

static inline int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
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

static inline cnn_position advanced(cnn_position start, cnn_position step, int64_t count)
{
    return (cnn_position){ start.x + count * step.x, start.y + count * step.y };
}

static void warp_row(const cnn_sampler *sampler, cnn_sample_inside inside, cnn_position start, cnn_position step,
                     int64_t width, float *row)
{
    int64_t first = 0, end = width - 1;
    narrow(start.x, step.x, (sampler->width - 2) * one, &first, &end);
    narrow(start.y, step.y, (sampler->height - 1) * one, &first, &end);
    cnn_sample_anywhere(sampler, start, step, first, row);
    inside(sampler, advanced(start, step, first), step, end - first, row + 3 * first);
    cnn_sample_anywhere(sampler, advanced(start, step, end), step, width - 1 - end, row + 3 * end);
    float last[4]; /* in the row there may be no room for a fourth value */
    cnn_sample_anywhere(sampler, advanced(start, step, width - 1), step, 1, last);
    memcpy(row + 3 * (width - 1), last, 3 * sizeof *last);
}

static bool is_near(const cnn_affine *affine, const cnn_warp_target *target)
{
    double x = fabs(affine->xx) * target->width + fabs(affine->xy) * target->height + fabs(affine->x0);
    double y = fabs(affine->yx) * target->width + fabs(affine->yy) * target->height + fabs(affine->y0);
    return x < farthest && y < farthest; /* NaN isn't */
}

static cnn_status sample_rows(cnn_context *context, const cnn_photo *photo, const cnn_affine *affine, cnn_border border,
                              const cnn_warp_target *target)
{
    if (!is_near(affine, target))
        return cnn_fail(CNN_ERROR_ARGUMENT, "the transformation of the image leads too far away");
    context = cnn_context_or_default(context);
    if (!context)
        return CNN_ERROR_OUT_OF_MEMORY;
    cnn_sampler sampler;
    cnn_sampler_open(&sampler, photo, border, target);
    cnn_sample_inside inside = cnn_sample_inside_for(context->instruction_set);
    const double rounding = 0.5 / CNN_SHARES; /* cut off again with the bits below */
    cnn_position step = { to_fixed(affine->xx), to_fixed(affine->yx) };
    for (uint32_t y = 0; y < target->height; y++) {
        double row_x = affine->xx * 0.5 + affine->xy * (y + 0.5) + affine->x0 - 0.5 + rounding;
        double row_y = affine->yx * 0.5 + affine->yy * (y + 0.5) + affine->y0 - 0.5 + rounding;
        warp_row(&sampler, inside, (cnn_position){ to_fixed(row_x), to_fixed(row_y) }, step, target->width,
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
        return sample_rows(context, photo, affine, border, target);
    int64_t width = (photo->width + block_width - 1) / block_width;
    int64_t height = (photo->height + block_height - 1) / block_height;
    uint8_t *bytes = cnn_allocate(context, 3 * (size_t)width * (size_t)height);
    if (!bytes)
        return CNN_ERROR_OUT_OF_MEMORY;
    average_blocks(photo, block_width, block_height, width, height, bytes);
    cnn_photo smaller = { .bytes = bytes, .width = width, .height = height };
    double x = 1.0 / (double)block_width, y = 1.0 / (double)block_height;
    cnn_affine map = { affine->xx * x, affine->xy * x, affine->x0 * x, affine->yx * y, affine->yy * y, affine->y0 * y };
    cnn_status status = sample_rows(context, &smaller, &map, border, target);
    cnn_release(context, bytes);
    return status;
}
