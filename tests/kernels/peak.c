#include "peak.h"

#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { CHAINS = 12, ROUNDS = 200000 };

static volatile float sink;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

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
#endif

double peak_gflops(const char *instruction_set)
{
    double (*run)(void) = run_generic;
#if defined(__x86_64__)
    if (!strcmp(instruction_set, "avx2"))
        run = run_avx2;
    else if (!strncmp(instruction_set, "avx512", 6))
        run = run_avx512;
#endif
    double best = 0;
    for (int i = 0; i < 200; i++) {
        double start = now(), flops = run(), rate = flops / (now() - start) * 1e-9;
        best = rate > best ? rate : best;
    }
    return best;
}
