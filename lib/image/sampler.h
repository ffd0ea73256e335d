/* Bilinear samples at positions in fixed point. */
#ifndef CNN_IMAGE_SAMPLER_H
#define CNN_IMAGE_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "image/vector.h"
#include "image/warp.h"

/* Positions have 24 bits below the point, of which the first 6 count: 1/64 of a pixel is finer than a byte can tell but
 * at the sharpest edges, and all sums are then whole numbers, the same on every processor. */
enum { CNN_POSITION_BITS = 24, CNN_SHARE_BITS = 6, CNN_SHARES = 1 << CNN_SHARE_BITS };

/* Relative to the centre of the first pixel. */
typedef struct cnn_position {
    int64_t x, y;
} cnn_position;

/* The shares of two neighbours out of 64, several times over. */
typedef struct cnn_shares {
    _Alignas(32) int16_t words[8];
    int8_t bytes[16];
} cnn_shares;

typedef struct cnn_sampler {
    const uint8_t *bytes;
    size_t stride;
    int64_t width, height;
    cnn_border border;
    cnn_float4 mean, scale;        /* for values times 4096 */
    cnn_shares shares[CNN_SHARES]; /* by the second one's */
} cnn_sampler;

void cnn_sampler_open(cnn_sampler *sampler, const cnn_photo *photo, cnn_border border, const cnn_warp_target *target);

/* `count` samples from `start` on, of which the four pixels, and two bytes behind each two, lie within the photograph.
 * Behind each one a fourth value is stored. */
typedef void (*cnn_sample_inside)(const cnn_sampler *sampler, cnn_position start, cnn_position step, int64_t count,
                                  float *output);
cnn_sample_inside cnn_sample_inside_for(cnn_instruction_set set);

/* The same from anywhere. */
void cnn_sample_anywhere(const cnn_sampler *sampler, cnn_position start, cnn_position step, int64_t count,
                         float *output);

#endif
