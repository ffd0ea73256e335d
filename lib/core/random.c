#include "core/random.h"

#include <math.h>

static inline void philox_round(uint32_t counter[4], const uint32_t key[2])
{
    uint64_t a = (uint64_t)0xD2511F53u * counter[0];
    uint64_t b = (uint64_t)0xCD9E8D57u * counter[2];
    uint32_t next[4] = { (uint32_t)(b >> 32) ^ counter[1] ^ key[0], (uint32_t)b,
                         (uint32_t)(a >> 32) ^ counter[3] ^ key[1], (uint32_t)a };
    for (int i = 0; i < 4; i++)
        counter[i] = next[i];
}

void cnn_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t words[4])
{
    uint32_t k[2] = { key[0], key[1] };
    for (int i = 0; i < 4; i++)
        words[i] = counter[i];
    for (int round = 0; round < 10; round++) {
        philox_round(words, k);
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
}

void cnn_random_init(cnn_random *random, uint64_t seed, cnn_random_purpose purpose, uint32_t major, uint64_t minor)
{
    *random = (cnn_random){
        .key = { (uint32_t)seed, (uint32_t)(seed >> 32) },
        .counter = { 0, (uint32_t)purpose << 28 | (major & 0x0FFFFFFFu), (uint32_t)minor, (uint32_t)(minor >> 32) },
        .used = 4,
    };
}

uint32_t cnn_random_word(cnn_random *random)
{
    if (random->used == 4) {
        cnn_philox(random->key, random->counter, random->words);
        random->counter[0]++;
        random->used = 0;
    }
    return random->words[random->used++];
}

float cnn_random_uniform(cnn_random *random)
{
    return (float)(cnn_random_word(random) >> 8) * 0x1p-24f;
}

float cnn_random_between(cnn_random *random, float low, float high)
{
    return low + (high - low) * cnn_random_uniform(random);
}

float cnn_random_normal(cnn_random *random)
{
    /* Box and Muller 1958; the second number of the pair is dropped to keep a stream's state plain */
    double u = ((double)cnn_random_word(random) + 1) * 0x1p-32;
    double v = (double)cnn_random_word(random) * 0x1p-32;
    return (float)(sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
}

uint32_t cnn_random_below(cnn_random *random, uint32_t bound)
{
    /* Lemire 2019, "Fast random integer generation in an interval" */
    uint64_t product = (uint64_t)cnn_random_word(random) * bound;
    if ((uint32_t)product < bound) {
        uint32_t least = bound ? (uint32_t)-bound % bound : 0;
        while ((uint32_t)product < least)
            product = (uint64_t)cnn_random_word(random) * bound;
    }
    return (uint32_t)(product >> 32);
}

void cnn_random_shuffle(uint64_t seed, uint32_t epoch, uint32_t *order, size_t count)
{
    cnn_random random;
    cnn_random_init(&random, seed, CNN_RANDOM_SHUFFLE, epoch, 0);
    for (size_t i = count; i > 1; i--) { /* Fisher and Yates, as Durstenfeld put it */
        size_t other = cnn_random_below(&random, (uint32_t)i);
        uint32_t moved = order[i - 1];
        order[i - 1] = order[other];
        order[other] = moved;
    }
}
