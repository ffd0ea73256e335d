#include "core/cpu.h"

#include <stdbool.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "core/os.h"
#include "core/quota.h"

static const char *const names[] = {
    [CNN_TIER_GENERIC] = "generic",
    [CNN_TIER_AVX2] = "avx2",
    [CNN_TIER_AVX2_VNNI] = "avx2_vnni",
    [CNN_TIER_AVX512] = "avx512",
    [CNN_TIER_AVX512_VNNI] = "avx512_vnni",
    [CNN_TIER_AVX512_BF16] = "avx512_bf16",
    [CNN_TIER_NEON] = "neon",
    [CNN_TIER_NEON_DOT] = "neon_dot",
    [CNN_TIER_NEON_I8MM] = "neon_i8mm",
    [CNN_TIER_NEON_BF16] = "neon_bf16",
};

#if defined(__x86_64__)
enum { FIRST_TIER = CNN_TIER_AVX2, LAST_TIER = CNN_TIER_AVX512_BF16 };

/* Compilers before 2023 don't know its name. */
static bool has_avx_vnni(void)
{
#if defined(CNN_EVEX_FOR_VEX) /* tests run the same kernels with AVX-512's encoding of the instruction */
    return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
#else
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && eax >> 4 & 1;
#endif
}

static bool has_tier(cnn_tier tier)
{
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    bool avx512_vnni = avx512 && __builtin_cpu_supports("avx512vnni");
    switch (tier) {
    case CNN_TIER_AVX2: return avx2;
    case CNN_TIER_AVX2_VNNI: return avx2 && has_avx_vnni();
    case CNN_TIER_AVX512: return avx512;
    case CNN_TIER_AVX512_VNNI: return avx512_vnni;
    case CNN_TIER_AVX512_BF16: return avx512_vnni && __builtin_cpu_supports("avx512bf16");
    default: return false;
    }
}
#elif defined(__aarch64__)
enum { FIRST_TIER = CNN_TIER_NEON, LAST_TIER = CNN_TIER_NEON_BF16 };

static bool has_tier(cnn_tier tier)
{
    enum { DOT = 1 << 20, I8MM = 1 << 13, BF16 = 1 << 14 }; /* Linux's HWCAP_ASIMDDP, HWCAP2_I8MM, HWCAP2_BF16 */
    unsigned long features[2];
    cnn_os_processor_features(features);
    bool dot = features[0] & DOT, i8mm = dot && features[1] & I8MM, bf16 = i8mm && features[1] & BF16;
    switch (tier) {
    case CNN_TIER_NEON: return true; /* part of every AArch64 processor */
    case CNN_TIER_NEON_DOT: return dot;
    case CNN_TIER_NEON_I8MM: return i8mm;
    case CNN_TIER_NEON_BF16: return bf16;
    default: return false;
    }
}
#else
enum { FIRST_TIER = CNN_TIER_COUNT, LAST_TIER = CNN_TIER_GENERIC };

static bool has_tier(cnn_tier tier)
{
    (void)tier;
    return false;
}
#endif

cnn_tier cnn_cpu_tier(cnn_tier highest)
{
    bool foreign = highest != CNN_TIER_GENERIC && (highest < (int)FIRST_TIER || highest > (int)LAST_TIER);
    int last = foreign ? (int)LAST_TIER : (int)highest;
    for (int tier = last; tier >= (int)FIRST_TIER; tier--)
        if (has_tier((cnn_tier)tier))
            return (cnn_tier)tier;
    return CNN_TIER_GENERIC;
}

cnn_tier cnn_highest_tier(cnn_instruction_set set)
{
    switch (set) {
    case CNN_ISA_GENERIC: return CNN_TIER_GENERIC;
    case CNN_ISA_AVX2: return CNN_TIER_AVX2_VNNI;
    case CNN_ISA_AVX512: return CNN_TIER_AVX512_BF16;
    case CNN_ISA_NEON: return CNN_TIER_NEON_BF16;
    case CNN_ISA_BEST:
    case CNN_INSTRUCTION_SET_MAX_ENUM: break;
    }
    return CNN_TIER_COUNT;
}

bool cnn_tier_has_bfloat16(cnn_tier tier)
{
    return tier == CNN_TIER_AVX512_BF16 || tier == CNN_TIER_NEON_BF16;
}

const char *cnn_tier_name(cnn_tier tier)
{
    return names[tier];
}

cnn_tier cnn_tier_from_name(const char *name)
{
    int tier = 0;
    while (tier < CNN_TIER_COUNT && strcmp(names[tier], name) != 0)
        tier++;
    return (cnn_tier)tier;
}

uint32_t cnn_cpu_count(void)
{
    uint32_t allowed = cnn_os_processors(), quota = cnn_cpu_quota("");
    return quota && quota < allowed ? quota : allowed;
}
