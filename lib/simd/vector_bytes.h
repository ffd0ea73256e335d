/* Vectors of 32-bit integers for the int8 kernels, of as many lanes as vector.h's floats. Included by sources that are
 * compiled once per instruction set.
 *
 * A group is what one lane's sum takes of a pixel's channels at a time: where there are dot products four bytes, where
 * there are matrix products eight, else two 16-bit numbers made of bytes. AVX2 has an instruction for four bytes too,
 * vpmaddubsw, but it saturates: the results would differ. NEON's dot product is of signed bytes alone: it takes the
 * input's less 128, by a flipped bit. */
#ifndef CNN_SIMD_VECTOR_BYTES_H
#define CNN_SIMD_VECTOR_BYTES_H

#include "simd/vector.h"

#if defined(__ARM_FEATURE_MATMUL_INT8)
enum { GROUP = 8, GROUP_BYTES = 8 };
#elif defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(__ARM_FEATURE_DOTPROD)
enum { GROUP = 4, GROUP_BYTES = 4 };
#else
enum { GROUP = 2, GROUP_BYTES = 4 };
#endif

#if defined(CNN_VECTOR_AVX512)

typedef __m512i vi;

ALWAYS_INLINE vi vi_load(const void *from)
{
    return _mm512_loadu_si512(from);
}

ALWAYS_INLINE vi vi_broadcast(int32_t a)
{
    return _mm512_set1_epi32(a);
}

ALWAYS_INLINE void vi_store(void *to, vi a)
{
    _mm512_storeu_si512(to, a);
}

/* A fourth, of multiples of 4. */
ALWAYS_INLINE vi vi_quarter(vi a)
{
    return _mm512_srai_epi32(a, 2);
}

/* sum + the products of each lane's numbers: bytes of `a` from 0 to 255, of `b` from -127 to 127, or any int16_t but
 * the least */
ALWAYS_INLINE vi vi_dot(vi sum, vi a, vi b)
{
#if defined(__AVX512VNNI__)
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); /* gcc 12 copies the sums to and fro otherwise */
    return sum;
#else
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
#endif
}

ALWAYS_INLINE vi vi_add(vi a, vi b)
{
    return _mm512_add_epi32(a, b);
}

ALWAYS_INLINE vi vi_sub(vi a, vi b)
{
    return _mm512_sub_epi32(a, b);
}

ALWAYS_INLINE vi vi_max(vi a, vi b)
{
    return _mm512_max_epi32(a, b);
}

/* Of a byte and a number from -127 to 127 */
ALWAYS_INLINE vi vi_mul_byte(vi a, vi b)
{
    return _mm512_madd_epi16(a, b);
}

ALWAYS_INLINE vf vi_to_float(vi a)
{
    return _mm512_cvtepi32_ps(a);
}

/* To the nearest, to the even one of two; for numbers below 2²² */
ALWAYS_INLINE vi vf_round(vf a)
{
    return _mm512_cvtps_epi32(a);
}

ALWAYS_INLINE vi vi_load_bytes(const uint8_t *from, size_t count)
{
    return _mm512_cvtepu8_epi32(count >= VF_WIDTH ? _mm_loadu_si128((const __m128i *)(const void *)from)
                                                  : _mm_maskz_loadu_epi8(vf_lanes(count), from));
}

ALWAYS_INLINE void vi_store_bytes(uint8_t *to, vi a, size_t count)
{
    __m128i bytes = _mm512_cvtepi32_epi8(a);
    if (count >= VF_WIDTH)
        _mm_storeu_si128((__m128i *)(void *)to, bytes);
    else
        _mm_mask_storeu_epi8(to, vf_lanes(count), bytes);
}

/* Vectors of bytes */
enum { VB_WIDTH = 64 };
typedef __m512i vb;

ALWAYS_INLINE vb vb_load(const uint8_t *from)
{
    return _mm512_loadu_si512(from);
}

ALWAYS_INLINE void vb_store(uint8_t *to, vb a)
{
    _mm512_storeu_si512(to, a);
}

ALWAYS_INLINE vb vb_max(vb a, vb b)
{
    return _mm512_max_epu8(a, b);
}

ALWAYS_INLINE vb vb_load_partial(const uint8_t *from, size_t count)
{
    return _mm512_maskz_loadu_epi8(((uint64_t)1 << count) - 1, from);
}

ALWAYS_INLINE vb vb_zero(void)
{
    return _mm512_setzero_si512();
}

/* Fours of bytes, such that zips within 128 bits, twice, leave them in their order. */
ALWAYS_INLINE vb vb_spread(vb a)
{
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), a);
}

ALWAYS_INLINE vb vb_zip_low(vb a, vb b)
{
    return _mm512_unpacklo_epi8(a, b);
}

ALWAYS_INLINE vb vb_zip_high(vb a, vb b)
{
    return _mm512_unpackhi_epi8(a, b);
}

ALWAYS_INLINE vb vb_zip_low_words(vb a, vb b)
{
    return _mm512_unpacklo_epi16(a, b);
}

ALWAYS_INLINE vb vb_zip_high_words(vb a, vb b)
{
    return _mm512_unpackhi_epi16(a, b);
}

ALWAYS_INLINE vb vb_broadcast(uint8_t a)
{
    return _mm512_set1_epi8((char)a);
}

ALWAYS_INLINE vb vb_broadcast_word(int16_t a)
{
    return _mm512_set1_epi16(a);
}

ALWAYS_INLINE vb vb_min(vb a, vb b)
{
    return _mm512_min_epu8(a, b);
}

/* Two rows of two vectors, after which `words` are added, and what is then below 0 is 0, above 255 is 255. */
ALWAYS_INLINE vb vb_from_rows(vi rows[2][2], vb words)
{
    __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(rows[0][0], rows[0][1]), words);
    __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(rows[1][0], rows[1][1]), words);
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(first, second));
}

ALWAYS_INLINE void vb_store_halves(uint8_t *low, uint8_t *high, vb a)
{
    _mm256_storeu_si256((__m256i *)(void *)low, _mm512_castsi512_si256(a));
    _mm256_storeu_si256((__m256i *)(void *)high, _mm512_extracti64x4_epi64(a, 1));
}

#elif defined(CNN_VECTOR_AVX2)

typedef __m256i vi;

ALWAYS_INLINE vi vi_load(const void *from)
{
    return _mm256_loadu_si256(from);
}

ALWAYS_INLINE vi vi_broadcast(int32_t a)
{
    return _mm256_set1_epi32(a);
}

ALWAYS_INLINE void vi_store(void *to, vi a)
{
    _mm256_storeu_si256(to, a);
}

ALWAYS_INLINE vi vi_quarter(vi a)
{
    return _mm256_srai_epi32(a, 2);
}

#if defined(CNN_EVEX_FOR_VEX)
#define VPDPBUSD "%{evex%} vpdpbusd" /* the same by AVX-512, for tests where there is no AVX-VNNI */
#else
#define VPDPBUSD "%{vex%} vpdpbusd"
#endif

ALWAYS_INLINE vi vi_dot(vi sum, vi a, vi b)
{
#if defined(__AVXVNNI__)
    __asm__(VPDPBUSD " %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
    return sum;
#else
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
#endif
}

ALWAYS_INLINE vi vi_add(vi a, vi b)
{
    return _mm256_add_epi32(a, b);
}

ALWAYS_INLINE vi vi_sub(vi a, vi b)
{
    return _mm256_sub_epi32(a, b);
}

ALWAYS_INLINE vi vi_max(vi a, vi b)
{
    return _mm256_max_epi32(a, b);
}

ALWAYS_INLINE vi vi_mul_byte(vi a, vi b)
{
    return _mm256_madd_epi16(a, b);
}

ALWAYS_INLINE vf vi_to_float(vi a)
{
    return _mm256_cvtepi32_ps(a);
}

ALWAYS_INLINE vi vf_round(vf a)
{
    return _mm256_cvtps_epi32(a);
}

ALWAYS_INLINE vi vi_load_bytes(const uint8_t *from, size_t count)
{
    uint64_t bytes = 0;
    memcpy(&bytes, from, count >= VF_WIDTH ? VF_WIDTH : count);
    return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)bytes));
}

ALWAYS_INLINE void vi_store_bytes(uint8_t *to, vi a, size_t count)
{
    __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    int64_t bytes = _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
    memcpy(to, &bytes, count >= VF_WIDTH ? VF_WIDTH : count);
}

enum { VB_WIDTH = 32 };
typedef __m256i vb;

ALWAYS_INLINE vb vb_load(const uint8_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

ALWAYS_INLINE void vb_store(uint8_t *to, vb a)
{
    _mm256_storeu_si256((__m256i *)(void *)to, a);
}

ALWAYS_INLINE vb vb_max(vb a, vb b)
{
    return _mm256_max_epu8(a, b);
}

ALWAYS_INLINE vb vb_load_partial(const uint8_t *from, size_t count)
{
    vb a = _mm256_setzero_si256();
    memcpy(&a, from, count);
    return a;
}

ALWAYS_INLINE vb vb_zero(void)
{
    return _mm256_setzero_si256();
}

/* Fours of bytes, such that zips within 128 bits, twice, leave them in their order. */
ALWAYS_INLINE vb vb_spread(vb a)
{
    return _mm256_permutevar8x32_epi32(a, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
}

ALWAYS_INLINE vb vb_zip_low(vb a, vb b)
{
    return _mm256_unpacklo_epi8(a, b);
}

ALWAYS_INLINE vb vb_zip_high(vb a, vb b)
{
    return _mm256_unpackhi_epi8(a, b);
}

ALWAYS_INLINE vb vb_zip_low_words(vb a, vb b)
{
    return _mm256_unpacklo_epi16(a, b);
}

ALWAYS_INLINE vb vb_zip_high_words(vb a, vb b)
{
    return _mm256_unpackhi_epi16(a, b);
}

ALWAYS_INLINE vb vb_broadcast(uint8_t a)
{
    return _mm256_set1_epi8((char)a);
}

ALWAYS_INLINE vb vb_broadcast_word(int16_t a)
{
    return _mm256_set1_epi16(a);
}

ALWAYS_INLINE vb vb_min(vb a, vb b)
{
    return _mm256_min_epu8(a, b);
}

ALWAYS_INLINE vb vb_from_rows(vi rows[2][2], vb words)
{
    __m256i first = _mm256_adds_epi16(_mm256_packs_epi32(rows[0][0], rows[0][1]), words);
    __m256i second = _mm256_adds_epi16(_mm256_packs_epi32(rows[1][0], rows[1][1]), words);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(first, second), order);
}

ALWAYS_INLINE void vb_store_halves(uint8_t *low, uint8_t *high, vb a)
{
    _mm_storeu_si128((__m128i *)(void *)low, _mm256_castsi256_si128(a));
    _mm_storeu_si128((__m128i *)(void *)high, _mm256_extracti128_si256(a, 1));
}

#else

/* Sums wrap around where they pass 2³¹, as the processors' own: only their end counts. */
typedef uint32_t vi __attribute__((vector_size(16)));
typedef int32_t vi_signed __attribute__((vector_size(16)));

ALWAYS_INLINE vi vi_load(const void *from)
{
    vi a;
    memcpy(&a, from, sizeof a);
    return a;
}

ALWAYS_INLINE vi vi_broadcast(int32_t a)
{
    uint32_t bits = (uint32_t)a;
    return (vi){ bits, bits, bits, bits };
}

ALWAYS_INLINE void vi_store(void *to, vi a)
{
    memcpy(to, &a, sizeof a);
}

ALWAYS_INLINE vi vi_quarter(vi a)
{
    return (vi)((vi_signed)a >> 2);
}

ALWAYS_INLINE vi vi_low_half(vi a)
{
    return (vi)((vi_signed)(a << 16) >> 16);
}

ALWAYS_INLINE vi vi_high_half(vi a)
{
    return (vi)((vi_signed)a >> 16);
}

ALWAYS_INLINE vi vi_dot(vi sum, vi a, vi b)
{
#if defined(__ARM_FEATURE_DOTPROD)
    return (vi)vdotq_s32((int32x4_t)sum, (int8x16_t)a, (int8x16_t)b);
#else
    return sum + vi_low_half(a) * vi_low_half(b) + vi_high_half(a) * vi_high_half(b);
#endif
}

ALWAYS_INLINE vi vi_add(vi a, vi b)
{
    return a + b;
}

ALWAYS_INLINE vi vi_sub(vi a, vi b)
{
    return a - b;
}

ALWAYS_INLINE vi vi_max(vi a, vi b)
{
    vi greater = (vi)((vi_signed)a > (vi_signed)b);
    return (greater & a) | (~greater & b);
}

ALWAYS_INLINE vi vi_mul_byte(vi a, vi b)
{
    return a * b;
}

ALWAYS_INLINE vf vi_to_float(vi a)
{
    return (vf) __builtin_convertvector((vi_signed)a, float __attribute__((vector_size(16))));
}

/* Added to 1.5 × 2²³, a number has no bits left after its ones. */
ALWAYS_INLINE vi vf_round(vf a)
{
    vf large = vf_broadcast(12582912);
    return (vi)vf_add(a, large) - (vi)large;
}

ALWAYS_INLINE vi vi_load_bytes(const uint8_t *from, size_t count)
{
    vi a = { 0 };
    for (size_t i = 0; i < count && i < VF_WIDTH; i++)
        a[i] = from[i];
    return a;
}

ALWAYS_INLINE void vi_store_bytes(uint8_t *to, vi a, size_t count)
{
    for (size_t i = 0; i < count && i < VF_WIDTH; i++)
        to[i] = (uint8_t)a[i];
}

enum { VB_WIDTH = 16 };
typedef uint8_t vb __attribute__((vector_size(16)));

ALWAYS_INLINE vb vb_load(const uint8_t *from)
{
    vb a;
    memcpy(&a, from, sizeof a);
    return a;
}

ALWAYS_INLINE void vb_store(uint8_t *to, vb a)
{
    memcpy(to, &a, sizeof a);
}

ALWAYS_INLINE vb vb_max(vb a, vb b)
{
    vb greater = (vb)(a > b);
    return (greater & a) | (~greater & b);
}

#endif

/* A vector's groups of weights lie in memory as bytes, which are widened where vi_dot multiplies 16 bits. */
enum { WEIGHTS_BYTES = VF_WIDTH * GROUP };

ALWAYS_INLINE vi vi_load_weights(const uint8_t *from)
{
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(__ARM_FEATURE_DOTPROD)
    return vi_load(from);
#elif defined(CNN_VECTOR_AVX512)
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)from));
#elif defined(CNN_VECTOR_AVX2)
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)from));
#else
    typedef int8_t signed_bytes __attribute__((vector_size(WEIGHTS_BYTES)));
    typedef int16_t words __attribute__((vector_size(16)));
    signed_bytes bytes;
    memcpy(&bytes, from, sizeof bytes);
    return (vi) __builtin_convertvector(bytes, words);
#endif
}

/* The 32 bits at any address, in all lanes. */
ALWAYS_INLINE vi vi_broadcast_group(const uint8_t *from)
{
    int32_t group;
    memcpy(&group, from, sizeof group);
#if defined(__ARM_FEATURE_DOTPROD)
    group ^= (int32_t)0x80808080;
#endif
    return vi_broadcast(group);
}

#endif
