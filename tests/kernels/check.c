#include "check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "simd/bf16.h"

enum { MARK_BYTES = 256, MARK = 0xa5, UNINITIALISED = 0xff /* floats of it are NaN */ };

static int failures;
static char current_case[256];

typedef struct header {
    size_t bytes;
    void *memory;
} header;

void *check_allocate(size_t bytes)
{
    unsigned char *memory = aligned_alloc(64, (2 * MARK_BYTES + bytes + 63) / 64 * 64);
    if (!memory)
        abort();
    memset(memory, MARK, 2 * MARK_BYTES + bytes);
    memset(memory + MARK_BYTES, UNINITIALISED, bytes);
    *(header *)(void *)memory = (header){ bytes, memory };
    return memory + MARK_BYTES;
}

void check_release(void *memory)
{
    if (!memory)
        return;
    unsigned char *start = (unsigned char *)memory - MARK_BYTES;
    size_t bytes = ((header *)(void *)start)->bytes;
    bool intact = true;
    for (size_t i = sizeof(header); i < MARK_BYTES; i++)
        intact = intact && start[i] == MARK;
    for (size_t i = 0; i < MARK_BYTES; i++)
        intact = intact && start[MARK_BYTES + bytes + i] == MARK;
    check_true("memory around an array was changed", intact);
    free(start);
}

uint32_t check_draw(uint32_t *state, uint32_t bound)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)*state * bound) >> 32);
}

float *check_random(int64_t count, check_values values, uint32_t seed)
{
    float *numbers = check_allocate((size_t)count * sizeof *numbers);
    for (int64_t i = 0; i < count; i++)
        numbers[i] = values == CHECK_WHOLE_NUMBERS ? (float)check_draw(&seed, 5) - 2
                                                   : (float)check_draw(&seed, 1 << 24) / (1 << 23) - 1;
    return numbers;
}

void check_round(float *values, int64_t count, cnn_dtype type)
{
    for (int64_t i = 0; i < count && type == CNN_BFLOAT16; i++)
        values[i] = cnn_bf16_widen(cnn_bf16_round(values[i]));
}

void *check_typed(const float *values, int64_t count, cnn_dtype type)
{
    void *copy = check_allocate((size_t)count * cnn_dtype_size(type));
    if (type == CNN_FLOAT32)
        memcpy(copy, values, (size_t)count * sizeof *values);
    for (int64_t i = 0; i < count && type == CNN_BFLOAT16; i++)
        ((cnn_bf16 *)copy)[i] = cnn_bf16_round(values[i]);
    return copy;
}

float *check_widened(void *values, int64_t count, cnn_dtype type)
{
    if (type == CNN_FLOAT32)
        return values;
    float *wide = check_allocate((size_t)count * sizeof *wide);
    for (int64_t i = 0; i < count; i++)
        wide[i] = cnn_bf16_widen(((cnn_bf16 *)values)[i]);
    check_release(values);
    return wide;
}

void check_case(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(current_case, sizeof current_case, format, arguments);
    va_end(arguments);
}

void check_true(const char *what, bool truth)
{
    if (truth)
        return;
    if (failures++ < 20)
        printf("FAILED %s: %s\n", current_case, what);
}

void check_equal(const char *what, const float *expected, const float *got, int64_t count, float tolerance)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabsf(expected[i] - got[i]) <= tolerance)) {
            char text[128];
            snprintf(text, sizeof text, "%s [%lld] is %.9g, expected %.9g", what, (long long)i, (double)got[i],
                     (double)expected[i]);
            check_true(text, false);
            return;
        }
}

void check_same_bits(const char *what, const void *expected, const void *got, size_t bytes)
{
    check_true(what, !memcmp(expected, got, bytes));
}

/* All tiers of the processor, or the best alone. */
static void open_sets(check_sets *sets, bool best)
{
    const uint32_t many = 40;
    for (cnn_tier tier = CNN_TIER_GENERIC; tier < CNN_TIER_COUNT; tier++) {
        if (cnn_cpu_tier(best ? CNN_TIER_COUNT : tier) != tier)
            continue;
        check_set *set = &sets->sets[sets->count++];
        set->name = cnn_tier_name(tier);
        setenv("CNN_CPU", set->name, 1);
        for (int t = 0; t < CHECK_THREADS; t++) {
            cnn_context_options options;
            cnn_context_options_init(&options);
            options.threads = t == CHECK_THREADS - 1 ? many : 1u << t; /* 1, 2, 4 and many */
            if (cnn_context_create(&options, &set->contexts[t]))
                exit(2);
        }
    }
}

/* All families of kernels, or the one of that name. */
static void check_families(const check_sets *sets, const char *chosen)
{
    static const struct {
        const char *name;
        void (*check)(const check_sets *sets);
    } families[] = { { "convert_bf16", check_convert_bf16 },
                     { "elementwise", check_elementwise },
                     { "batch_norm", check_batch_norm },
                     { "pool", check_pool },
                     { "conv", check_conv },
                     { "dense", check_dense },
                     { "int8", check_int8 },
                     { "winograd", check_winograd } };
    bool found = false;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (!chosen || !strcmp(chosen, families[i].name)) {
            families[i].check(sets);
            found = true;
        }
    check_case("%s", chosen ? chosen : "");
    check_true("there is no family of this name", found);
}

int main(int argc, char **argv)
{
    check_sets sets = { 0 };
    bool best = argc > 1 && !strcmp(argv[1], "--best");
    open_sets(&sets, best);
    if (argc > 1 && !strcmp(argv[1], "--bench")) {
        bool json = argc > 2 && !strcmp(argv[2], "--json");
        argc -= json;
        argv += json;
        bench(&sets, argc > 3 ? argv[3] : NULL, argc > 2 ? argv[2] : NULL, json);
    } else {
        check_families(&sets, argc > 1 + best ? argv[1 + best] : NULL);
        for (int i = 0; i < sets.count; i++)
            printf("%s ", sets.sets[i].name);
        printf(failures ? ": %d failures\n" : ": all agree with the reference\n", failures);
    }
    for (int i = 0; i < sets.count; i++)
        for (int t = 0; t < CHECK_THREADS; t++)
            cnn_context_destroy(sets.sets[i].contexts[t]);
    return failures ? 1 : 0;
}
