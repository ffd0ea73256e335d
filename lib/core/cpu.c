#include "core/cpu.h"

#include <string.h>

#include "core/os.h"
#include "core/quota.h"

static const struct {
    cnn_instruction_set set;
    const char *name;
} names[] = {
    { CNN_ISA_GENERIC, "generic" },         { CNN_ISA_AVX2, "avx2" },
    { CNN_ISA_AVX512, "avx512" },           { CNN_ISA_NEON, "neon" },
    { CNN_ISA_AVX512_BF16, "avx512_bf16" },
};

static cnn_instruction_set best_of_processor(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16") ? CNN_ISA_AVX512_BF16
                                                                                            : CNN_ISA_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return CNN_ISA_AVX2;
    return CNN_ISA_GENERIC;
#elif defined(__aarch64__)
    return CNN_ISA_NEON; /* part of every AArch64 processor */
#else
    return CNN_ISA_GENERIC;
#endif
}

bool cnn_cpu_has_vnni(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return best_of_processor() >= CNN_ISA_AVX512 && __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
}

cnn_instruction_set cnn_cpu_instruction_set(cnn_instruction_set wanted)
{
    cnn_instruction_set best = best_of_processor();
    if (wanted == CNN_ISA_GENERIC || wanted == CNN_ISA_BEST)
        return wanted == CNN_ISA_GENERIC ? CNN_ISA_GENERIC : best;
    if (wanted == CNN_ISA_NEON || best == CNN_ISA_NEON)
        return best;
    return wanted < best ? wanted : best;
}

const char *cnn_instruction_set_name(cnn_instruction_set set)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].set == set)
            return names[i].name;
    return "best";
}

cnn_instruction_set cnn_instruction_set_from_name(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(names[i].name, name))
            return names[i].set;
    return CNN_ISA_BEST;
}

uint32_t cnn_cpu_count(void)
{
    uint32_t allowed = cnn_os_processors(), quota = cnn_cpu_quota("");
    return quota && quota < allowed ? quota : allowed;
}
