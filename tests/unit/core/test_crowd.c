/* More threads than processors, timed: no other test runs beside this one. */
#include "../test.h"

#include <time.h>

#include "core/parallel.h"

enum { LAYERS = 100, PARTS = 64 };

static void compute(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    volatile float *sum = (float *)argument + task;
    for (int i = 0; i < 200; i++)
        *sum += 1;
}

/* The least time that something like the layers of a net takes, in seconds. */
static double best_time(uint32_t threads)
{
    enum { REPEATS = 10 };
    static float sums[PARTS];
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = threads;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    double best = 1e9;
    for (int i = 0; i < REPEATS; i++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        for (int layer = 0; layer < LAYERS; layer++)
            cnn_parallel(context, PARTS, compute, sums);
        clock_gettime(CLOCK_MONOTONIC, &end);
        double seconds = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
        best = seconds < best ? seconds : best;
    }
    cnn_context_destroy(context);
    return best;
}

/* Waiting for each thread to look at each job, they took forty times as long, always. Other programs that take the
 * processors take them for some of the rounds. */
static void a_crowd_of_threads_is_not_much_slower(void **state)
{
    (void)state;
    enum { ROUNDS = 10 };
    double alone = 0, crowded = 1;
    for (int i = 0; i < ROUNDS && crowded > 4 * alone; i++) {
        alone = best_time(1);
        crowded = best_time(64);
    }
    if (crowded > 4 * alone)
        fail_msg("64 threads take %.1f ms, one %.1f ms", 1e3 * crowded, 1e3 * alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_of_threads_is_not_much_slower),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
