#include "image/sampler.h"

#include <stdbool.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const int64_t one = (int64_t)1 << CNN_POSITION_BITS;
static const float grey = 127.5f;

void cnn_sampler_open(cnn_sampler *self, const cnn_photo *photo, cnn_border border, const cnn_warp_target *target)
{
    *self = (cnn_sampler){ .bytes = photo->bytes,
                           .stride = 3 * (size_t)photo->width,
                           .width = photo->width,
                           .height = photo->height,
                           .border = border };
    for (int channel = 0; channel < 3; channel++) {
        self->mean[channel] = target->mean[channel] * (CNN_SHARES * CNN_SHARES);
        self->scale[channel] = target->scale[channel] / (CNN_SHARES * CNN_SHARES);
    }
    for (int second = 0; second < CNN_SHARES; second++)
        for (int i = 0; i < 16; i++) {
            int share = i % 2 ? second : CNN_SHARES - second;
            self->shares[second].bytes[i] = (int8_t)share;
            self->shares[second].words[i % 8] = (int16_t)share;
        }
}

static inline const cnn_shares *shares_at(const cnn_sampler *self, int64_t position)
{
    enum { SIZE_BITS = 5 }; /* in steps of a struct's size at once */
    _Static_assert(sizeof(cnn_shares) == 1 << SIZE_BITS, "cnn_shares has grown");
    const size_t mask = (CNN_SHARES - 1) << SIZE_BITS;
    size_t offset = (size_t)(position >> (CNN_POSITION_BITS - CNN_SHARE_BITS - SIZE_BITS)) & mask;
    return (const cnn_shares *)(const void *)((const char *)self->shares + offset);
}

static inline const uint8_t *pixel_at(const uint8_t *bytes, size_t stride, cnn_position at)
{
    return bytes + (size_t)(at.y >> CNN_POSITION_BITS) * stride + 3 * (size_t)(at.x >> CNN_POSITION_BITS);
}

/* Eight bytes as a number whose lowest byte is the first. */
static inline uint64_t load_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Two pixels of a row and the two below them, each pair in the lowest six bytes of a word, blended; times 4096, which
 * is exact. */
static inline cnn_float4 blend_pixels(uint64_t upper, uint64_t lower, const cnn_shares *x, const cnn_shares *y)
{
#if defined(__x86_64__)
    __m128i shares_x = _mm_load_si128((const __m128i *)x->words);
    __m128i shares_y = _mm_load_si128((const __m128i *)y->words);
    __m128i zero = _mm_setzero_si128();
    __m128i pairs = _mm_unpacklo_epi8(_mm_cvtsi64_si128((int64_t)upper), _mm_cvtsi64_si128((int64_t)lower));
    __m128i left = _mm_madd_epi16(_mm_unpacklo_epi8(pairs, zero), shares_y);
    __m128i right = _mm_madd_epi16(_mm_unpacklo_epi8(_mm_srli_si128(pairs, 6), zero), shares_y);
    __m128i both = _mm_or_si128(left, _mm_slli_epi32(right, 16)); /* at most 64 × 255: 16 bits are enough */
    return (cnn_float4)_mm_cvtepi32_ps(_mm_madd_epi16(both, shares_x));
#else
    cnn_float4 result = { 0 };
    for (int channel = 0; channel < 3; channel++) {
        int top =
            (int)(upper >> 8 * channel & 255) * x->words[0] + (int)(upper >> 8 * (channel + 3) & 255) * x->words[1];
        int bottom =
            (int)(lower >> 8 * channel & 255) * x->words[0] + (int)(lower >> 8 * (channel + 3) & 255) * x->words[1];
        result[channel] = (float)(top * y->words[0] + bottom * y->words[1]);
    }
    return result;
#endif
}

static void sample_inside(const cnn_sampler *self, cnn_position at, cnn_position step, int64_t count, float *output)
{
    const uint8_t *bytes = self->bytes; /* in registers: the stores might change what `self` holds */
    size_t stride = self->stride;
    cnn_float4 mean = self->mean, scale = self->scale;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *upper = pixel_at(bytes, stride, at);
        cnn_float4 sum =
            blend_pixels(load_word(upper), load_word(upper + stride), shares_at(self, at.x), shares_at(self, at.y));
        cnn_store_floats(output + 3 * i, (sum - mean) * scale);
        at.x += step.x;
        at.y += step.y;
    }
}

#if defined(__x86_64__)
/* The same in fewer instructions: products of bytes. */
__attribute__((target("avx2"))) static void sample_inside_avx2(const cnn_sampler *self, cnn_position at,
                                                               cnn_position step, int64_t count, float *output)
{
    const uint8_t *bytes = self->bytes;
    size_t stride = self->stride;
    cnn_float4 mean = self->mean, scale = self->scale;
    /* the sums of left and right pixel side by side */
    const __m128i pairs = _mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1);
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *upper = pixel_at(bytes, stride, at);
        __m128i top = _mm_loadl_epi64((const __m128i *)(const void *)upper);
        __m128i bottom = _mm_loadl_epi64((const __m128i *)(const void *)(upper + stride));
        __m128i shares_x = _mm_load_si128((const __m128i *)(const void *)shares_at(self, at.x)->words);
        __m128i shares_y = _mm_load_si128((const __m128i *)(const void *)shares_at(self, at.y)->bytes);
        __m128i sums = _mm_maddubs_epi16(_mm_unpacklo_epi8(top, bottom), shares_y);
        sums = _mm_madd_epi16(_mm_shuffle_epi8(sums, pairs), shares_x);
        cnn_store_floats(output + 3 * i, ((cnn_float4)_mm_cvtepi32_ps(sums) - mean) * scale);
        at.x += step.x;
        at.y += step.y;
    }
}
#endif

cnn_sample_inside cnn_sample_inside_for(cnn_instruction_set set)
{
#if defined(__x86_64__)
    if (set != CNN_ISA_GENERIC) /* all above it have AVX2 */
        return sample_inside_avx2;
#endif
    (void)set;
    return sample_inside;
}

static inline int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* A pixel and its right neighbour, byte by byte. */
static uint64_t load_pair(const uint8_t *row, int64_t x, int64_t width)
{
    uint64_t word = 0;
    const uint8_t *left = row + 3 * x, *right = x + 1 < width ? left + 3 : left;
    for (int channel = 0; channel < 3; channel++)
        word |= (uint64_t)left[channel] << 8 * channel | (uint64_t)right[channel] << 8 * (channel + 3);
    return word;
}

static inline bool is_outside(const cnn_sampler *self, cnn_position at)
{
    int64_t x = at.x >> (CNN_POSITION_BITS - CNN_SHARE_BITS), y = at.y >> (CNN_POSITION_BITS - CNN_SHARE_BITS);
    const int64_t half = CNN_SHARES / 2;
    return x < -half || y < -half || x > self->width * CNN_SHARES - half || y > self->height * CNN_SHARES - half;
}

/* At a position already clamped to the photograph. Neighbours beyond the right edge have a share of 0, so any bytes do,
 * as long as there are some: behind the last row's end there are none. */
static inline cnn_float4 sample_clamped(const cnn_sampler *self, int64_t x, int64_t y)
{
    int64_t x0 = x >> CNN_POSITION_BITS, y0 = y >> CNN_POSITION_BITS;
    const uint8_t *upper = self->bytes + (size_t)y0 * self->stride;
    const uint8_t *lower = y0 + 1 < self->height ? upper + self->stride : upper;
    const cnn_shares *shares_x = shares_at(self, x), *shares_y = shares_at(self, y);
    bool roomy = self->width >= 3 && (x0 + 2 < self->width || y0 + 2 < self->height);
    if (!roomy)
        return blend_pixels(load_pair(upper, x0, self->width), load_pair(lower, x0, self->width), shares_x, shares_y);
    return blend_pixels(load_word(upper + 3 * x0), load_word(lower + 3 * x0), shares_x, shares_y);
}

void cnn_sample_anywhere(const cnn_sampler *self, cnn_position at, cnn_position step, int64_t count, float *output)
{
    const cnn_float4 grey_sum = (cnn_float4){ 1, 1, 1, 1 } * (grey * CNN_SHARES * CNN_SHARES);
    int64_t right = (self->width - 1) * one, bottom = (self->height - 1) * one;
    for (int64_t i = 0; i < count; i++, at.x += step.x, at.y += step.y) {
        cnn_float4 sum = grey_sum;
        if (self->border == CNN_BORDER_REPEAT || !is_outside(self, at))
            sum = sample_clamped(self, clamp(at.x, 0, right), clamp(at.y, 0, bottom));
        cnn_store_floats(output + 3 * i, (sum - self->mean) * self->scale);
    }
}
