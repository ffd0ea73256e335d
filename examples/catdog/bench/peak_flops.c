#include "bench/peak_flops.h"

#include <stdint.h>
#include <string.h>

#include "cli/clock.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { CHAINS = 12, ROUNDS = 200000 };

static volatile float sink;

#define CHAINS_OF(vector, multiply_add, set1, width)                                                             \
    vector sums[CHAINS], factor = set1(0.999f), term = set1(1e-3f);                                              \
    for (int i = 0; i < CHAINS; i++)                                                                             \
        sums[i] = set1((float)i);                                                                                \
    for (int round = 0; round < ROUNDS; round++)                                                                 \
        _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) sums[i] = multiply_add(sums[i], factor, term); \
    for (int i = 0; i < CHAINS; i++)                                                                             \
        sink = sums[i][0];                                                                                       \
    return 2.0 * CHAINS * ROUNDS * width;

typedef float four __attribute__((vector_size(16)));

static inline four set_four(float a)
{
    return (four){ a, a, a, a };
}

static inline four multiply_add_four(four a, four b, four c)
{
    return a * b + c;
}

#if defined(__aarch64__)
/* In assembly, which compiles for any processor: one that lacks the instruction isn't asked to run it. */
#define NEON_PEAK(name, vector, chains_of, set, extension, instruction, width)                 \
    static inline vector name##_add(vector sum, vector a, vector b)                            \
    {                                                                                          \
        __asm__(".arch armv8.2-a+" extension "\n\t" instruction : "+w"(sum) : "w"(a), "w"(b)); \
        return sum;                                                                            \
    }                                                                                          \
    static double name(void)                                                                   \
    {                                                                                          \
        chains_of(vector, name##_add, set, width)                                              \
    }

NEON_PEAK(run_neon, four, CHAINS_OF, set_four, "simd", "fmla %0.4s, %1.4s, %2.4s", 4)
NEON_PEAK(run_bfmmla, four, CHAINS_OF, set_four, "bf16", "bfmmla %0.4s, %1.8h, %2.8h", 16)
#endif

static double run_generic(void)
{
    CHAINS_OF(four, multiply_add_four, set_four, 4)
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static double run_avx2(void)
{
    CHAINS_OF(__m256, _mm256_fmadd_ps, _mm256_set1_ps, 8)
}

__attribute__((target("avx512f"))) static double run_avx512(void)
{
    CHAINS_OF(__m512, _mm512_fmadd_ps, _mm512_set1_ps, 16)
}

__attribute__((target("avx512f,avx512bf16"))) static inline __m512 add_products(__m512 sum, __m512 a, __m512 b)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

__attribute__((target("avx512f,avx512bf16"))) static double run_pairs(void)
{
    CHAINS_OF(__m512, add_products, _mm512_set1_ps, 32)
}
#endif

#define INT8_CHAINS_OF(vector, multiply_add, set1, width)                                                        \
    vector sums[CHAINS], factor = set1(0x01020304), term = set1(0x04030201);                                     \
    for (int i = 0; i < CHAINS; i++)                                                                             \
        sums[i] = set1(i);                                                                                       \
    for (int round = 0; round < ROUNDS; round++)                                                                 \
        _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) sums[i] = multiply_add(sums[i], factor, term); \
    for (int i = 0; i < CHAINS; i++)                                                                             \
        sink = (float)sums[i][0];                                                                                \
    return 2.0 * CHAINS * ROUNDS * width;

typedef int32_t four_integers __attribute__((vector_size(16)));

static inline four_integers set_four_integers(int32_t a)
{
    return (four_integers){ a, a, a, a };
}

/* Makes compilers believe that the vector has changed, for them to multiply anew. */
#if defined(__x86_64__)
#define TOUCH(vector) __asm__("" : "+v"(vector))
#elif defined(__aarch64__)
#define TOUCH(vector) __asm__("" : "+w"(vector))
#else
#define TOUCH(vector) __asm__("" : "+m"(vector))
#endif

static inline four_integers multiply_add_integers(four_integers sum, four_integers a, four_integers b)
{
    TOUCH(a);
    return sum + a * b;
}

static double run_int8_generic(void){ INT8_CHAINS_OF(four_integers, multiply_add_integers, set_four_integers, 4) }

#if defined(__aarch64__)
NEON_PEAK(run_sdot, four_integers, INT8_CHAINS_OF, set_four_integers, "dotprod", "sdot %0.4s, %1.16b, %2.16b", 16)
    NEON_PEAK(run_usmmla, four_integers, INT8_CHAINS_OF, set_four_integers, "i8mm", "usmmla %0.4s, %1.16b, %2.16b", 32)
#endif

#if defined(__x86_64__)
        __attribute__((target("avx2"))) static inline __m256i multiply_add_words(__m256i sum, __m256i a, __m256i b)
{
    __m256i product; /* anew each time, though it is always the same, and without copies of sums */
    __asm__ volatile("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(a), "x"(b));
    return sum;
}

__attribute__((target("avx2"))) static double run_int8_avx2(void)
{
    INT8_CHAINS_OF(__m256i, multiply_add_words, _mm256_set1_epi32, 16)
}

#if defined(CNN_EVEX_FOR_VEX) /* as in the kernels that stand in for those of AVX-VNNI */
__attribute__((target("avx512vl,avx512vnni"))) static double run_int8_avx2_vnni(void)
{
    INT8_CHAINS_OF(__m256i, _mm256_dpbusd_epi32, _mm256_set1_epi32, 32)
}
#else
__attribute__((target("avx2,avxvnni"))) static double run_int8_avx2_vnni(void)
{
    INT8_CHAINS_OF(__m256i, _mm256_dpbusd_avx_epi32, _mm256_set1_epi32, 32)
}
#endif

__attribute__((target("avx512f,avx512bw"))) static inline __m512i multiply_add_wide_words(__m512i sum, __m512i a,
                                                                                          __m512i b)
{
    __m512i product;
    __asm__ volatile("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+v"(sum), "=&v"(product) : "v"(a), "v"(b));
    return sum;
}

__attribute__((target("avx512f,avx512bw"))) static double run_int8_avx512(void)
{
    INT8_CHAINS_OF(__m512i, multiply_add_wide_words, _mm512_set1_epi32, 32)
}

__attribute__((target("avx512f,avx512vnni"))) static double run_int8_vnni(void)
{
    INT8_CHAINS_OF(__m512i, _mm512_dpbusd_epi32, _mm512_set1_epi32, 64)
}
#endif

/* The best of many short runs, by the clock: a thread's processor time stands still for milliseconds on virtual
 * machines that take the time they were denied off it. */
static double best_rate(double (*run)(void))
{
    double best = 0;
    for (int i = 0; i < 200; i++) {
        double start = clock_now(), operations = run(), rate = operations / (clock_now() - start) * 1e-9;
        best = rate > best ? rate : best;
    }
    return best;
}

double peak_bf16_gflops(const char *instruction_set)
{
#if defined(__x86_64__)
    if (!strcmp(instruction_set, "avx512_bf16"))
        return best_rate(run_pairs);
#elif defined(__aarch64__)
    if (!strcmp(instruction_set, "neon_bf16"))
        return best_rate(run_bfmmla);
#endif
    return peak_gflops(instruction_set);
}

double peak_gflops(const char *instruction_set)
{
    (void)instruction_set; /* unless the processor is one of these */
    double (*run)(void) = run_generic;
#if defined(__x86_64__)
    if (!strncmp(instruction_set, "avx2", 4))
        run = run_avx2;
    else if (!strncmp(instruction_set, "avx512", 6))
        run = run_avx512;
#elif defined(__aarch64__)
    if (!strncmp(instruction_set, "neon", 4))
        run = run_neon;
#endif
    return best_rate(run);
}

double peak_int8_gops(const char *instruction_set)
{
    (void)instruction_set;
    double (*run)(void) = run_int8_generic;
#if defined(__x86_64__)
    if (!strcmp(instruction_set, "avx2"))
        run = run_int8_avx2;
    else if (!strcmp(instruction_set, "avx2_vnni"))
        run = run_int8_avx2_vnni;
    else if (!strcmp(instruction_set, "avx512"))
        run = run_int8_avx512;
    else if (!strncmp(instruction_set, "avx512", 6))
        run = run_int8_vnni;
#elif defined(__aarch64__)
    if (!strcmp(instruction_set, "neon_dot"))
        run = run_sdot;
    else if (!strncmp(instruction_set, "neon_", 5))
        run = run_usmmla;
#endif
    return best_rate(run);
}
