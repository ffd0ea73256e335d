/* Any affine map. */
#include "image/warp.h"

#include <math.h>
#include <stdbool.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "image/average.h"
#include "image/sampler.h"

static const int64_t one = (int64_t)1 << CNN_POSITION_BITS;
static const double farthest = 0x1p36; /* positions beyond, times 2^24, come near the limit of 64 bits */

static int64_t to_fixed(double value)
{
    return (int64_t)llrint(value * (double)one);
}

static bool is_near(const cnn_affine *affine, const cnn_warp_target *target)
{
    double x = fabs(affine->xx) * target->width + fabs(affine->xy) * target->height + fabs(affine->x0);
    double y = fabs(affine->yx) * target->width + fabs(affine->yy) * target->height + fabs(affine->y0);
    return x < farthest && y < farthest; /* NaN isn't */
}

/* Brings a photograph that may have been out of use for long into a near cache, line after line, which is several times
 * as fast as what the slanted lines of samples do. */
static void fetch(const cnn_photo *photo)
{
    enum { LINE = 64, LARGEST = 512 * 1024 };
    size_t size = 3 * (size_t)photo->width * (size_t)photo->height;
    if (size <= LARGEST)
        for (size_t i = 0; i < size; i += LINE)
            __builtin_prefetch(photo->bytes + i, 0, 2);
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
    cnn_sampler_open(&sampler, photo, border, target, cnn_tier_of(context));
    fetch(photo);
    const double rounding = 0.5 / CNN_SHARES; /* cut off again with the bits below */
    cnn_position step = { to_fixed(affine->xx), to_fixed(affine->yx) };
    for (uint32_t y = 0; y < target->height; y++) {
        double row_x = affine->xx * 0.5 + affine->xy * (y + 0.5) + affine->x0 - 0.5 + rounding;
        double row_y = affine->yx * 0.5 + affine->yy * (y + 0.5) + affine->y0 - 0.5 + rounding;
        sampler.sample(&sampler, (cnn_position){ to_fixed(row_x), to_fixed(row_y) }, step, target->width,
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

cnn_status cnn_warp(cnn_context *context, const cnn_photo *photo, const cnn_affine *affine, cnn_border border,
                    const cnn_warp_target *target)
{
    if (affine->xy == 0 && affine->yx == 0)
        return cnn_resample(context, photo, affine, border, target);
    int64_t block_width = block_size(affine->xx, affine->xy, photo->width);
    int64_t block_height = block_size(affine->yx, affine->yy, photo->height);
    if (block_width == 1 && block_height == 1)
        return sample_rows(context, photo, affine, border, target);
    cnn_photo smaller;
    uint8_t *bytes;
    cnn_status status = cnn_average_blocks(context, photo, block_width, block_height, &smaller, &bytes);
    if (status)
        return status;
    double x = 1.0 / (double)block_width, y = 1.0 / (double)block_height;
    cnn_affine map = { affine->xx * x, affine->xy * x, affine->x0 * x, affine->yx * y, affine->yy * y, affine->y0 * y };
    status = sample_rows(context, &smaller, &map, border, target);
    cnn_release(context, bytes);
    return status;
}
