/* An array in floats, and the same values in bfloat16: what loops over bfloat16 give is held against what those over
 * floats give, rounded. */
#ifndef CNN_TESTS_CHECK_PAIR_H
#define CNN_TESTS_CHECK_PAIR_H

#include <stdint.h>

typedef struct check_pair {
    float *wide;
    void *bf16;
    int64_t count;
} check_pair;

check_pair check_pair_draw(int64_t count, uint32_t seed);
void check_pair_release(check_pair *pair);

/* Compares, and releases both. */
void check_pair_compare(const char *what, check_pair *results);

#endif
