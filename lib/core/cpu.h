/* What the processor can: the tiers of instructions that kernels are compiled for, and how many processors there are to
 * use. */
#ifndef CNN_CORE_CPU_H
#define CNN_CORE_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include <cnn/context.h>

/* The public instruction sets, and between them what only kernels care about. A processor that has a tier has all tiers
 * above it in its part of the list, except that AVX-512 may come without AVX-VNNI. */
typedef enum cnn_tier {
    CNN_TIER_GENERIC, /* plain C */

    CNN_TIER_AVX2,        /* and FMA */
    CNN_TIER_AVX2_VNNI,   /* dot products of bytes in 256-bit vectors: AVX-VNNI */
    CNN_TIER_AVX512,      /* F, BW, DQ, VL */
    CNN_TIER_AVX512_VNNI, /* dot products of bytes */
    CNN_TIER_AVX512_BF16, /* and of bfloat16 */

    CNN_TIER_NEON,
    CNN_TIER_NEON_DOT,  /* dot products of bytes */
    CNN_TIER_NEON_I8MM, /* matrix products of bytes */
    CNN_TIER_NEON_BF16, /* dot and matrix products of bfloat16 */

    CNN_TIER_COUNT
} cnn_tier;

/* The best tier that the processor has and this build was compiled for, not above `highest`; below a tier of another
 * architecture, the best of all. */
cnn_tier cnn_cpu_tier(cnn_tier highest);

/* The highest tier that belongs to a public instruction set. */
cnn_tier cnn_highest_tier(cnn_instruction_set set);

/* Whether a tier has dot products of bfloat16, which the others emulate. */
bool cnn_tier_has_bfloat16(cnn_tier tier);

/* As the environment variable CNN_CPU has it: "avx2_vnni". */
const char *cnn_tier_name(cnn_tier tier);

/* CNN_TIER_COUNT if the name is none. */
cnn_tier cnn_tier_from_name(const char *name);

/* Processors that this process may run on, and a quota of a control group gives it the time for. */
uint32_t cnn_cpu_count(void);

#endif
