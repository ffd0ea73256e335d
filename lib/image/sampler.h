/* Bilinear samples at positions in fixed point. */
#ifndef CNN_IMAGE_SAMPLER_H
#define CNN_IMAGE_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "image/warp.h"
#include "simd/dispatch.h"
#include "simd/pixel.h"

/* Positions have 24 bits below the point, of which the first 6 count: 1/64 of a pixel is finer than a byte can tell but
 * at the sharpest edges, and all sums are then whole numbers, the same on every processor. */
enum {
    CNN_POSITION_BITS = 24,
    CNN_SHARE_BITS = 6,
    CNN_SHARES = 1 << CNN_SHARE_BITS,
    CNN_IGNORED_BITS = CNN_POSITION_BITS - CNN_SHARE_BITS
};

/* Relative to the centre of the first pixel. */
typedef struct cnn_position {
    int64_t x, y;
} cnn_position;

typedef struct cnn_sampler cnn_sampler;

/* `count` samples from `start` on, three floats each. Positions may lie anywhere. */
typedef void (*cnn_sample_row)(const cnn_sampler *sampler, cnn_position start, cnn_position step, int64_t count,
                               float *output);

struct cnn_sampler {
    cnn_sample_row sample;
    const uint8_t *bytes;
    size_t stride;
    int64_t width, height;
    cnn_border border;
    cnn_float4 mean, scale; /* for values times 4096 */
};

void cnn_sampler_open(cnn_sampler *sampler, const cnn_photo *photo, cnn_border border, const cnn_warp_target *target,
                      cnn_tier tier);

/* The plain way. */
void cnn_sample_row_generic(const cnn_sampler *sampler, cnn_position start, cnn_position step, int64_t count,
                            float *output);

/* The same values, many at a time, on x86 and on 64-bit Arm. */
void cnn_sample_row_avx2(const cnn_sampler *sampler, cnn_position start, cnn_position step, int64_t count,
                         float *output);
void cnn_sample_row_neon(const cnn_sampler *sampler, cnn_position start, cnn_position step, int64_t count,
                         float *output);

#endif
