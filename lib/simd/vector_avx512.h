/* Included by vector.h. */
#include <immintrin.h>

enum { VF_WIDTH = 16, VF_REGISTERS = 32, VF_PLAIN = 0 };

typedef __m512 vf;
typedef __mmask16 vf_mask;

static inline __mmask16 vf_lanes(size_t count)
{
    return (__mmask16)((1u << count) - 1);
}

static inline vf vf_zero(void)
{
    return _mm512_setzero_ps();
}

static inline vf vf_broadcast(float a)
{
    return _mm512_set1_ps(a);
}

static inline vf vf_load(const float *from)
{
    return _mm512_loadu_ps(from);
}

static inline void vf_store(float *to, vf a)
{
    _mm512_storeu_ps(to, a);
}

static inline vf vf_load_partial(const float *from, size_t count)
{
    return _mm512_maskz_loadu_ps(vf_lanes(count), from);
}

static inline void vf_store_partial(float *to, vf a, size_t count)
{
    _mm512_mask_storeu_ps(to, vf_lanes(count), a);
}

static inline vf vf_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return _mm512_div_ps(a, b);
}

static inline vf vf_sqrt(vf a)
{
    return _mm512_sqrt_ps(a);
}

/* a > b ? a : b, so b where either is NaN */
static inline vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}

static inline vf vf_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}

/* a * b + c */
static inline vf vf_fmadd(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}

static inline vf_mask vf_greater(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}

static inline vf vf_select(vf_mask mask, vf yes, vf no)
{
    return _mm512_mask_blend_ps(mask, no, yes);
}

static inline vf_mask vf_both(vf_mask a, vf_mask b)
{
    return a & b;
}

/* Whole numbers 0 to 255 as bytes. */
static inline void vf_store_bytes(uint8_t *to, vf a, size_t count)
{
    _mm_mask_storeu_epi8(to, vf_lanes(count), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(a)));
}

static inline vf_mask vf_equal_bytes(const uint8_t *bytes, size_t count, uint8_t value)
{
    return _mm_cmpeq_epi8_mask(_mm_maskz_loadu_epi8(vf_lanes(count), bytes), _mm_set1_epi8((char)value));
}

static inline vf vf_of_bf16(__m256i a)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(a), 16));
}

static inline vf vf_load_bf16(const uint16_t *from)
{
    return vf_of_bf16(_mm256_loadu_si256((const void *)from));
}

static inline vf vf_load_bf16_partial(const uint16_t *from, size_t count)
{
    return vf_of_bf16(_mm256_maskz_loadu_epi16(vf_lanes(count), from));
}

/* To the nearest, of two equally near ones the even one; NaN stays NaN. */
static inline __m256i vf_to_bf16(vf a)
{
#if defined(__AVX512BF16__)
    return (__m256i)_mm512_cvtneps_pbh(a);
#else
    __m512i bits = _mm512_castps_si512(a), high = _mm512_srli_epi32(bits, 16);
    __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
    __m512i nearest = _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    __m512i quiet = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
    return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(nearest, _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), quiet));
#endif
}

static inline void vf_store_bf16(uint16_t *to, vf a)
{
    _mm256_storeu_si256((void *)to, vf_to_bf16(a));
}

static inline void vf_store_bf16_partial(uint16_t *to, vf a, size_t count)
{
    _mm256_mask_storeu_epi16(to, vf_lanes(count), vf_to_bf16(a));
}

#if defined(__AVX512BF16__)
#define VF_HAS_BF16_DOT

/* In each lane a pair of bfloat16, the nearest to `first` and to `second`. */
static inline vf vf_bf16_pairs_of(vf first, vf second)
{
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return (vf)_mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(second, first));
}

static inline vf vf_bf16_first_of_pairs(vf pairs)
{
    return (vf)_mm512_slli_epi32((__m512i)pairs, 16);
}

static inline vf vf_bf16_second_of_pairs(vf pairs)
{
    return (vf)_mm512_and_epi32((__m512i)pairs, _mm512_set1_epi32((int)0xffff0000));
}

/* One pair, which multiplies all lanes. */
typedef vf vf_bf16_pair;

static inline vf_bf16_pair vf_bf16_load_pair(const float *from)
{
    return vf_broadcast(*from);
}

/* The sum of both products of the pairs, + c. */
static inline vf vf_bf16_dot_pair(vf_bf16_pair a, vf b, vf c)
{
    return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b);
}
#endif
