/* Many samples at a time. All of it is whole numbers up to the last two steps, so that the results are those of the
 * plain way.
 *
 * A block's positions are 32-bit numbers relative to its first one, in 1/64 pixels once the lower bits are cut off, and
 * are clamped to the photograph there. A pixel and its right neighbour come as one load of 8 bytes, of which 6 count;
 * at the last column the neighbour to the left is loaded instead and the one on the right gets the whole share. */
#ifndef CNN_IMAGE_SAMPLER_BLOCK_H
#define CNN_IMAGE_SAMPLER_BLOCK_H

#include <stdbool.h>
#include <stdlib.h>

#include "image/sampler.h"

enum { CNN_SAMPLER_BLOCK = 8 /* samples */, CNN_SAMPLER_LOADED = 8 /* bytes */ };

/* What is the same for all blocks of a row. */
typedef struct cnn_sampler_limits {
    int32_t right, bottom;         /* of clamped positions */
    int32_t last_column, last_row; /* that have a right and a lower neighbour */
    int32_t last_offset;           /* of a first pixel; loads beyond would leave the photograph */
} cnn_sampler_limits;

/* Whether a row's positions and the photograph's offsets fit 32 bits. */
static inline bool cnn_sampler_is_small(const cnn_sampler *self, cnn_position start, cnn_position step, int64_t count)
{
    const int64_t farthest = (int64_t)1 << (CNN_POSITION_BITS + 23), largest = (int64_t)1 << 23;
    const int64_t longest = (int64_t)7 << CNN_POSITION_BITS; /* 15 such steps and a bit are below 2^31 */
    cnn_position end = { start.x + count * step.x, start.y + count * step.y };
    return self->width >= 2 && self->height >= 2 && self->width < largest && self->height < largest &&
           self->stride * (size_t)self->height < INT32_MAX && llabs(step.x) <= longest && llabs(step.y) <= longest &&
           llabs(start.x) < farthest && llabs(start.y) < farthest && llabs(end.x) < farthest && llabs(end.y) < farthest;
}

static inline cnn_sampler_limits cnn_sampler_limits_of(const cnn_sampler *self)
{
    return (cnn_sampler_limits){ .right = (int32_t)(self->width - 1) * CNN_SHARES,
                                 .bottom = (int32_t)(self->height - 1) * CNN_SHARES,
                                 .last_column = (int32_t)self->width - 2,
                                 .last_row = (int32_t)self->height - 2,
                                 .last_offset =
                                     (int32_t)self->stride * (int32_t)(self->height - 1) - CNN_SAMPLER_LOADED };
}

/* A position's parts: what 32-bit steps are added to, and whole pixels in 1/64. */
static inline int32_t cnn_position_fraction(int64_t position)
{
    return (int32_t)(position & (((int64_t)1 << CNN_POSITION_BITS) - 1));
}

static inline int32_t cnn_position_whole(int64_t position)
{
    return (int32_t)(position >> CNN_POSITION_BITS) * CNN_SHARES;
}

#endif
