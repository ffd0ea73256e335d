/* The memory that threads share while they decode. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "image/decoding_budget.h"

enum { MEGABYTE = 1 << 20, THREADS = 6, ROUNDS = 50 };

static atomic_long held, most;

static void *take_in_turn(void *megabytes)
{
    long wanted = *(long *)megabytes;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t taken = cnn_decoding_begin((uint64_t)wanted * MEGABYTE);
        long now = atomic_fetch_add(&held, wanted) + wanted, before = atomic_load(&most);
        while (now > before && !atomic_compare_exchange_weak(&most, &before, now))
            continue;
        sched_yield();
        atomic_fetch_sub(&held, wanted);
        cnn_decoding_end(taken);
    }
    return NULL;
}

static void run_threads(long megabytes)
{
    pthread_t threads[THREADS];
    atomic_store(&most, 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, take_in_turn, &megabytes));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void threads_share_half_a_gigabyte(void **state)
{
    (void)state;
    run_threads(200);
    assert_in_range(atomic_load(&most), 200, 512);
}

static void an_image_larger_than_all_there_is_waits_until_it_is_alone(void **state)
{
    (void)state;
    run_threads(900);
    assert_int_equal(900, atomic_load(&most));
}

static void small_images_never_wait(void **state)
{
    (void)state;
    uint64_t all = cnn_decoding_begin((uint64_t)4000 * MEGABYTE);
    assert_int_equal(0, cnn_decoding_begin(MEGABYTE));
    cnn_decoding_end(all);
}

static void what_is_held_elsewhere_at_a_fork_does_not_block_the_child(void **state)
{
    (void)state;
    uint64_t all = cnn_decoding_begin((uint64_t)500 * MEGABYTE);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        alarm(5);
        cnn_decoding_end(cnn_decoding_begin((uint64_t)500 * MEGABYTE));
        _exit(0);
    }
    int status;
    assert_int_equal(child, waitpid(child, &status, 0));
    assert_true(WIFEXITED(status));
    cnn_decoding_end(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_half_a_gigabyte),
        cmocka_unit_test(an_image_larger_than_all_there_is_waits_until_it_is_alone),
        cmocka_unit_test(small_images_never_wait),
        cmocka_unit_test(what_is_held_elsewhere_at_a_fork_does_not_block_the_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
