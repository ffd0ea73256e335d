#include "../test.h"

#include "core/random.h"

static void philox_gives_the_published_vectors(void **state)
{
    (void)state;
    /* "kat_vectors" of Random123: philox 4x32 10 */
    uint32_t words[4];
    cnn_philox((uint32_t[2]){ 0, 0 }, (uint32_t[4]){ 0, 0, 0, 0 }, words);
    assert_memory_equal(words, ((uint32_t[4]){ 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 }), sizeof words);
    cnn_philox((uint32_t[2]){ 0xffffffff, 0xffffffff }, (uint32_t[4]){ 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
               words);
    assert_memory_equal(words, ((uint32_t[4]){ 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd }), sizeof words);
}

static void streams_differ_by_each_argument(void **state)
{
    (void)state;
    cnn_random streams[5];
    cnn_random_init(&streams[0], 1, CNN_RANDOM_AUGMENT, 2, 3);
    cnn_random_init(&streams[1], 2, CNN_RANDOM_AUGMENT, 2, 3);
    cnn_random_init(&streams[2], 1, CNN_RANDOM_DROPOUT, 2, 3);
    cnn_random_init(&streams[3], 1, CNN_RANDOM_AUGMENT, 3, 3);
    cnn_random_init(&streams[4], 1, CNN_RANDOM_AUGMENT, 2, 4);
    uint32_t first[5];
    for (int i = 0; i < 5; i++)
        first[i] = cnn_random_word(&streams[i]);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++)
            assert_int_not_equal(first[i], first[j]);
}

static void normal_numbers_have_mean_0_and_deviation_1(void **state)
{
    (void)state;
    cnn_random random;
    cnn_random_init(&random, 7, CNN_RANDOM_WEIGHTS, 0, 0);
    double sum = 0, squares = 0;
    enum { N = 100000 };
    for (int i = 0; i < N; i++) {
        double x = cnn_random_normal(&random);
        sum += x;
        squares += x * x;
    }
    assert_float_equal(sum / N, 0, 0.02);
    assert_float_equal(squares / N, 1, 0.02);
}

static void bounded_numbers_reach_every_value_and_no_other(void **state)
{
    (void)state;
    cnn_random random;
    cnn_random_init(&random, 7, CNN_RANDOM_SHUFFLE, 0, 0);
    int seen[7] = { 0 };
    for (int i = 0; i < 7000; i++) {
        uint32_t value = cnn_random_below(&random, 7);
        assert_true(value < 7);
        seen[value]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 850, 1150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_vectors),
        cmocka_unit_test(streams_differ_by_each_argument),
        cmocka_unit_test(normal_numbers_have_mean_0_and_deviation_1),
        cmocka_unit_test(bounded_numbers_reach_every_value_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
