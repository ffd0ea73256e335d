/* Included by vector.h. */
#include <immintrin.h>

enum { VF_WIDTH = 8, VF_REGISTERS = 16, VF_PLAIN = 0 };

typedef __m256 vf;
typedef __m256 vf_mask;

static inline __m256i vf_lanes(size_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vf vf_zero(void)
{
    return _mm256_setzero_ps();
}

static inline vf vf_broadcast(float a)
{
    return _mm256_set1_ps(a);
}

static inline vf vf_load(const float *from)
{
    return _mm256_loadu_ps(from);
}

static inline void vf_store(float *to, vf a)
{
    _mm256_storeu_ps(to, a);
}

static inline vf vf_load_partial(const float *from, size_t count)
{
    return _mm256_maskload_ps(from, vf_lanes(count));
}

static inline void vf_store_partial(float *to, vf a, size_t count)
{
    _mm256_maskstore_ps(to, vf_lanes(count), a);
}

static inline vf vf_add(vf a, vf b)
{
    return _mm256_add_ps(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return _mm256_sub_ps(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return _mm256_mul_ps(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return _mm256_div_ps(a, b);
}

static inline vf vf_sqrt(vf a)
{
    return _mm256_sqrt_ps(a);
}

/* a > b ? a : b, so b where either is NaN */
static inline vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}

static inline vf vf_min(vf a, vf b)
{
    return _mm256_min_ps(a, b);
}

/* a * b + c */
static inline vf vf_fmadd(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline vf_mask vf_greater(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_GT_OQ);
}

static inline vf vf_select(vf_mask mask, vf yes, vf no)
{
    return _mm256_blendv_ps(no, yes, mask);
}

static inline vf_mask vf_both(vf_mask a, vf_mask b)
{
    return _mm256_and_ps(a, b);
}

/* Whole numbers 0 to 255 as bytes. */
static inline void vf_store_bytes(uint8_t *to, vf a, size_t count)
{
    __m256i words = _mm256_cvtps_epi32(a);
    __m128i halves = _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    int64_t bytes = _mm_cvtsi128_si64(_mm_packus_epi16(halves, halves));
    memcpy(to, &bytes, count);
}

static inline vf_mask vf_equal_bytes(const uint8_t *bytes, size_t count, uint8_t value)
{
    int64_t eight = 0;
    memcpy(&eight, bytes, count);
    __m256i words = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(eight));
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(words, _mm256_set1_epi32(value)));
}

static inline vf vf_of_bf16(__m128i a)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(a), 16));
}

static inline vf vf_load_bf16(const uint16_t *from)
{
    return vf_of_bf16(_mm_loadu_si128((const void *)from));
}

static inline vf vf_load_bf16_partial(const uint16_t *from, size_t count)
{
    uint16_t lanes[8] = { 0 };
    memcpy(lanes, from, count * sizeof *from);
    return vf_load_bf16(lanes);
}

/* To the nearest, of two equally near ones the even one; NaN stays NaN. */
static inline __m128i vf_to_bf16(vf a)
{
    __m256i bits = _mm256_castps_si256(a), high = _mm256_srli_epi32(bits, 16);
    __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
    __m256i nearest = _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    __m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
    __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
    __m256i words = _mm256_blendv_epi8(nearest, quiet, nan);
    return _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

static inline void vf_store_bf16(uint16_t *to, vf a)
{
    _mm_storeu_si128((void *)to, vf_to_bf16(a));
}

static inline void vf_store_bf16_partial(uint16_t *to, vf a, size_t count)
{
    uint16_t lanes[8];
    vf_store_bf16(lanes, a);
    memcpy(to, lanes, count * sizeof *to);
}
