/* Counter-based random numbers: Philox4x32-10, Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
 *
 * A stream is named by what it is for (seed, purpose, epoch, image, ...), so any thread can draw any number of it, in
 * any order, and a resumed run draws the same. */
#ifndef CNN_CORE_RANDOM_H
#define CNN_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What numbers are drawn for: streams of different purposes never meet. */
typedef enum cnn_random_purpose {
    CNN_RANDOM_WEIGHTS = 1,
    CNN_RANDOM_DROPOUT = 2,
    CNN_RANDOM_SHUFFLE = 3,
    CNN_RANDOM_AUGMENT = 4,
    CNN_RANDOM_SPLIT = 5,
    CNN_RANDOM_MIX = 6
} cnn_random_purpose;

/* The block of four words at `counter` of the stream of `key`. */
void cnn_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t words[4]);

/* A stream: draws in turn. */
typedef struct cnn_random {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t words[4];
    uint32_t used;
} cnn_random;

/* Streams with different arguments are independent. `major` is below 2^28 (an epoch, a parameter's number). */
void cnn_random_init(cnn_random *random, uint64_t seed, cnn_random_purpose purpose, uint32_t major, uint64_t minor);

uint32_t cnn_random_word(cnn_random *random);
float cnn_random_uniform(cnn_random *random); /* 0 to below 1 */
float cnn_random_between(cnn_random *random, float low, float high);
float cnn_random_normal(cnn_random *random);                   /* mean 0, deviation 1 */
uint32_t cnn_random_below(cnn_random *random, uint32_t bound); /* 0 to below bound, unbiased; bound 0 gives 0 */

/* Puts an epoch's images in an order of its own. */
void cnn_random_shuffle(uint64_t seed, uint32_t epoch, uint32_t *order, size_t count);

#endif
