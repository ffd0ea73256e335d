/* Blocks of samples on x86: see sampler_block.h. */
#include "image/sampler.h"

#if defined(__x86_64__)
#include <string.h>

#include <immintrin.h>

#include "image/sampler_block.h"

#define AVX2 __attribute__((target("avx2")))

enum { BLOCKS = 16 };

/* Two pixels of a row and the two below. */
AVX2 static inline __m128i load_neighbours(const uint8_t *upper, const uint8_t *lower)
{
    long long below;
    memcpy(&below, lower, sizeof below);
    return _mm_insert_epi64(_mm_loadl_epi64((const __m128i *)(const void *)upper), below, 1);
}

/* Per channel: upper left, lower left, upper right, lower right. */
#define CHANNEL_ORDER 0, 8, 3, 11, 1, 9, 4, 12, 2, 10, 5, 13, -1, -1, -1, -1

/* Where the samples of a block lie. */
typedef struct block {
    _Alignas(32) int32_t offsets[CNN_SAMPLER_BLOCK];
    __m256i shares_x, shares_y;
    bool plain; /* needs the plain way */
} block;

AVX2 static inline __m256i cut(int64_t start, int64_t step)
{
    __m256i lanes = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32((int32_t)step));
    lanes =
        _mm256_srai_epi32(_mm256_add_epi32(lanes, _mm256_set1_epi32(cnn_position_fraction(start))), CNN_IGNORED_BITS);
    return _mm256_add_epi32(lanes, _mm256_set1_epi32(cnn_position_whole(start)));
}

/* Whether any of these is beyond −half a pixel … limit + half a pixel. */
AVX2 static inline bool any_outside(__m256i positions, int32_t limit)
{
    const int32_t half = CNN_SHARES / 2;
    __m256i low = _mm256_cmpgt_epi32(_mm256_set1_epi32(-half), positions);
    __m256i high = _mm256_cmpgt_epi32(positions, _mm256_set1_epi32(limit + half));
    return _mm256_movemask_epi8(_mm256_or_si256(low, high));
}

AVX2 static inline __m256i clamp(__m256i positions, int32_t limit)
{
    return _mm256_min_epi32(_mm256_max_epi32(positions, _mm256_setzero_si256()), _mm256_set1_epi32(limit));
}

/* The shares of left or upper and right or lower pixel, out of 64, as two numbers of `bits` bits. */
AVX2 static inline __m256i shares(__m256i positions, __m256i pixels, int bits)
{
    __m256i second = _mm256_sub_epi32(positions, _mm256_slli_epi32(pixels, CNN_SHARE_BITS));
    __m256i first = _mm256_sub_epi32(_mm256_set1_epi32(CNN_SHARES), second);
    return _mm256_or_si256(first, _mm256_slli_epi32(second, bits));
}

AVX2 static inline void place(block *b, const cnn_sampler *self, const cnn_sampler_limits *limit, cnn_position start,
                              cnn_position step)
{
    __m256i x = cut(start.x, step.x), y = cut(start.y, step.y);
    b->plain = self->border == CNN_BORDER_GREY && (any_outside(x, limit->right) || any_outside(y, limit->bottom));
    x = clamp(x, limit->right);
    y = clamp(y, limit->bottom);
    __m256i column = _mm256_min_epi32(_mm256_srai_epi32(x, CNN_SHARE_BITS), _mm256_set1_epi32(limit->last_column));
    __m256i row = _mm256_min_epi32(_mm256_srai_epi32(y, CNN_SHARE_BITS), _mm256_set1_epi32(limit->last_row));
    __m256i three_columns = _mm256_add_epi32(column, _mm256_slli_epi32(column, 1));
    __m256i row_offsets = _mm256_mullo_epi32(row, _mm256_set1_epi32((int32_t)self->stride));
    __m256i offsets = _mm256_add_epi32(row_offsets, three_columns), pair = shares(y, row, 8);
    _mm256_store_si256((__m256i *)(void *)b->offsets, offsets);
    b->shares_x = shares(x, column, 16);
    b->shares_y = _mm256_or_si256(pair, _mm256_slli_epi32(pair, 16));
    if (_mm256_movemask_epi8(_mm256_cmpgt_epi32(offsets, _mm256_set1_epi32(limit->last_offset))))
        b->plain = true;
}

/* Samples 2 × `pair` and the next: six floats and two more. */
AVX2 static inline __m256 sample_pair(const cnn_sampler *self, const block *b, int pair)
{
    const uint8_t *upper = self->bytes, *lower = upper + self->stride;
    const int32_t *offsets = b->offsets + 2 * pair;
    __m256i order = _mm256_setr_epi8(CHANNEL_ORDER, CHANNEL_ORDER);
    __m256i spread = _mm256_add_epi32(_mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1), _mm256_set1_epi32(2 * pair));
    __m128i first = load_neighbours(upper + offsets[0], lower + offsets[0]);
    __m128i second = load_neighbours(upper + offsets[1], lower + offsets[1]);
    __m256i bytes = _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
    __m256i columns =
        _mm256_maddubs_epi16(_mm256_shuffle_epi8(bytes, order), _mm256_permutevar8x32_epi32(b->shares_y, spread));
    __m256i sums = _mm256_madd_epi16(columns, _mm256_permutevar8x32_epi32(b->shares_x, spread));
    __m256 mean = _mm256_broadcast_ps((const __m128 *)&self->mean);
    __m256 scale = _mm256_broadcast_ps((const __m128 *)&self->scale);
    __m256 values = _mm256_mul_ps(_mm256_sub_ps(_mm256_cvtepi32_ps(sums), mean), scale);
    return _mm256_permutevar8x32_ps(values, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 6, 6));
}

AVX2 static inline void sample_block(const cnn_sampler *self, const block *b, float *output)
{
    for (int pair = 0; pair < 3; pair++)
        _mm256_storeu_ps(output + 6 * pair, sample_pair(self, b, pair));
    __m256 last = sample_pair(self, b, 3);
    _mm_storeu_ps(output + 18, _mm256_castps256_ps128(last));
    _mm_storel_pi((__m64 *)(void *)(output + 22), _mm256_extractf128_ps(last, 1));
}

/* Up to BLOCKS blocks from sample `done` on; returns where the next ones begin. The last block of a row begins earlier
 * where it would reach beyond, and does some samples again. All are placed before the first is sampled: an address read
 * back right after it was stored as part of a vector would have to be waited for. */
AVX2 static int64_t sample_blocks(const cnn_sampler *self, const cnn_sampler_limits *limit, cnn_position start,
                                  cnn_position step, int64_t done, int64_t count, float *output)
{
    block blocks[BLOCKS];
    int64_t firsts[BLOCKS];
    cnn_position starts[BLOCKS];
    int placed = 0;
    for (; placed < BLOCKS && done < count; placed++, done += CNN_SAMPLER_BLOCK) {
        int64_t first = done + CNN_SAMPLER_BLOCK <= count ? done : count - CNN_SAMPLER_BLOCK;
        firsts[placed] = first;
        starts[placed] = (cnn_position){ start.x + first * step.x, start.y + first * step.y };
        place(&blocks[placed], self, limit, starts[placed], step);
    }
    for (int i = 0; i < placed; i++)
        if (blocks[i].plain)
            cnn_sample_row_generic(self, starts[i], step, CNN_SAMPLER_BLOCK, output + 3 * firsts[i]);
        else
            sample_block(self, &blocks[i], output + 3 * firsts[i]);
    return done;
}

AVX2 void cnn_sample_row_avx2(const cnn_sampler *self, cnn_position start, cnn_position step, int64_t count,
                              float *output)
{
    if (count < CNN_SAMPLER_BLOCK || !cnn_sampler_is_small(self, start, step, count)) {
        cnn_sample_row_generic(self, start, step, count, output);
        return;
    }
    const cnn_sampler sampler = *self; /* the stores can't change this one */
    const cnn_sampler_limits limit = cnn_sampler_limits_of(self);
    for (int64_t done = 0; done < count;)
        done = sample_blocks(&sampler, &limit, start, step, done, count, output);
}

#endif
