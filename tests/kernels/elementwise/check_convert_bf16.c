#include <math.h>
#include <string.h>

#include "check.h"
#include "kernels/elementwise/convert_bf16.h"

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Processors' own conversion takes the smallest numbers for zero. */
static bool is_subnormal(float value)
{
    return fpclassify(value) == FP_SUBNORMAL;
}

static void compare_rounded(float value, cnn_bf16 got)
{
    float expected = cnn_bf16_widen(cnn_bf16_round(value)), wide = cnn_bf16_widen(got);
    bool same = isnan(value) ? isnan(wide) : expected == wide || (is_subnormal(value) && wide == 0);
    check_true("a float isn't rounded to the nearest", same);
}

/* Every upper half, with lower halves around the middle between two neighbours. */
static void check_conversion(cnn_context *context, uint32_t lower)
{
    enum { COUNT = 65536 + 7 };
    float *values = check_allocate(COUNT * sizeof *values), *wide = check_allocate(COUNT * sizeof *wide);
    cnn_bf16 *rounded = check_allocate(COUNT * sizeof *rounded);
    for (uint32_t i = 0; i < COUNT; i++)
        values[i] = from_bits((i << 16) | lower);
    cnn_bf16_round_array(context, values, rounded, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        compare_rounded(values[i], rounded[i]);
    cnn_bf16_widen_array(context, rounded, wide, COUNT);
    bool exact = true;
    for (uint32_t i = 0; i < COUNT; i++) {
        float expected = cnn_bf16_widen(rounded[i]);
        exact = exact && !memcmp(&wide[i], &expected, sizeof expected);
    }
    check_true("widening changes a value", exact);
    check_release(values);
    check_release(wide);
    check_release(rounded);
}

void check_convert_bf16(const check_sets *sets)
{
    static const uint32_t lower[] = { 0, 1, 0x7fff, 0x8000, 0x8001, 0xffff };
    for (int i = 0; i < sets->count; i++) {
        check_case("%s: bfloat16", sets->sets[i].name);
        for (size_t k = 0; k < sizeof lower / sizeof lower[0]; k++)
            check_conversion(sets->sets[i].contexts[k % CHECK_THREADS], lower[k]);
    }
}
