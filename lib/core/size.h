/* Arithmetic on sizes that can't overflow unseen. What is given may be a dimension or a number from a file, of 64 bits
 * where a size has 32. */
#ifndef CNN_CORE_SIZE_H
#define CNN_CORE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False if the product or sum doesn't fit. */
static inline bool cnn_multiply(uint64_t a, uint64_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

static inline bool cnn_sum(uint64_t a, uint64_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

static inline size_t cnn_round_up(size_t value, size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

#endif
