#include "check_pair.h"

#include "check.h"

check_pair check_pair_draw(int64_t count, uint32_t seed)
{
    check_pair a = { check_random(count, CHECK_FLOATS, seed), NULL, count };
    for (int64_t i = 0; i < count; i++)
        a.wide[i] *= 8; /* for relu6 to have something to cut */
    check_round(a.wide, count, CNN_BFLOAT16);
    a.bf16 = check_typed(a.wide, count, CNN_BFLOAT16);
    return a;
}

void check_pair_release(check_pair *a)
{
    check_release(a->wide);
    check_release(a->bf16);
}

void check_pair_compare(const char *what, check_pair *results)
{
    void *expected = check_typed(results->wide, results->count, CNN_BFLOAT16);
    check_same_bits(what, expected, results->bf16, (size_t)results->count * sizeof(uint16_t));
    check_release(expected);
    check_pair_release(results);
}
