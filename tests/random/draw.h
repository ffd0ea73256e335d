/* Random numbers for tests: SplitMix64, Steele et al. 2014, "Fast splittable pseudorandom number generators". */
#ifndef CNN_TESTS_RANDOM_DRAW_H
#define CNN_TESTS_RANDOM_DRAW_H

#include <stdbool.h>
#include <stdint.h>

typedef struct draw {
    uint64_t state;
} draw;

uint64_t draw_bits(draw *source);
int32_t draw_below(draw *source, int32_t bound);               /* 0 to bound − 1 */
int32_t draw_between(draw *source, int32_t low, int32_t high); /* both included */
bool draw_one_in(draw *source, int32_t many);
float draw_float(draw *source, float low, float high);

/* A number of an array, each as likely. */
#define draw_of(source, ...) \
    ((const int32_t[]){      \
        __VA_ARGS__ }[draw_below(source, (int32_t)(sizeof((const int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t)))])

#endif
