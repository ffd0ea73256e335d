#include "../test.h"

#include <math.h>

static cnn_schedule make(cnn_schedule_kind kind)
{
    cnn_schedule schedule;
    cnn_schedule_init(&schedule);
    schedule.kind = kind;
    return schedule;
}

static void a_constant_rate_and_no_schedule_stay_at_1(void **state)
{
    (void)state;
    cnn_schedule schedule = make(CNN_SCHEDULE_CONSTANT);
    for (int i = 0; i <= 10; i++) {
        assert_float_equal(1, cnn_schedule_factor(&schedule, i / 10.0, 5), 0);
        assert_float_equal(1, cnn_schedule_factor(NULL, i / 10.0, 5), 0);
    }
}

static void warmup_rises_in_a_line_and_is_kept_by_all_kinds(void **state)
{
    (void)state;
    for (int kind = CNN_SCHEDULE_CONSTANT; kind <= CNN_SCHEDULE_PLATEAU; kind++) {
        cnn_schedule schedule = make((cnn_schedule_kind)kind);
        schedule.warmup = 0.2f;
        schedule.step_epochs = 4;
        assert_float_equal(0.04, cnn_schedule_factor(&schedule, 0, 4), 1e-9);
        if (kind != CNN_SCHEDULE_ONE_CYCLE)
            assert_float_equal(0.52, cnn_schedule_factor(&schedule, 0.1, 4), 1e-7);
        assert_float_equal(1, cnn_schedule_factor(&schedule, 0.2, 4), 1e-6);
    }
}

static void steps_fall_at_whole_epochs(void **state)
{
    (void)state;
    cnn_schedule schedule = make(CNN_SCHEDULE_STEP);
    const int epochs = 9, batches = 7; /* quotients that aren't exact */
    for (int step = 0; step < epochs * batches; step++) {
        double expected = pow(0.1f, step / batches / 3);
        assert_float_equal(expected, cnn_schedule_factor(&schedule, (double)step / (epochs * batches), 9), 1e-9);
    }
    schedule.step_epochs = 5;
    schedule.gamma = 0.5f;
    assert_float_equal(1, cnn_schedule_factor(&schedule, 4.9 / 9, 9), 0);
    assert_float_equal(0.5, cnn_schedule_factor(&schedule, 5.0 / 9, 9), 0);
}

static void exponential_decay_falls_every_epoch(void **state)
{
    (void)state;
    cnn_schedule schedule = make(CNN_SCHEDULE_EXPONENTIAL);
    for (int epoch = 0; epoch < 49; epoch++) {
        assert_float_equal(pow(0.95f, epoch), cnn_schedule_factor(&schedule, epoch / 49.0, 49), 1e-12);
        assert_float_equal(pow(0.95f, epoch), cnn_schedule_factor(&schedule, (epoch + 0.99) / 49.0, 49), 1e-12);
    }
}

static void cosine_falls_from_1_to_the_final_factor(void **state)
{
    (void)state;
    cnn_schedule schedule = make(CNN_SCHEDULE_COSINE);
    schedule.final_factor = 0.1f;
    assert_float_equal(1, cnn_schedule_factor(&schedule, 0, 10), 0);
    assert_float_equal(0.55, cnn_schedule_factor(&schedule, 0.5, 10), 1e-7);
    assert_float_equal(0.1, cnn_schedule_factor(&schedule, 1, 10), 1e-7);
    schedule.final_factor = 0;
    assert_float_equal(0, cnn_schedule_factor(&schedule, 1, 10), 0);
    schedule.final_factor = 0.0001f;
    assert_float_equal(0.0001, cnn_schedule_factor(&schedule, 1, 10), 1e-9);
    schedule.warmup = 0.5f;
    assert_float_equal((1 + 0.0001) / 2, cnn_schedule_factor(&schedule, 0.75, 10), 1e-7);
}

static void one_cycle_rises_from_a_25th_over_three_tenths_and_falls(void **state)
{
    (void)state;
    cnn_schedule schedule = make(CNN_SCHEDULE_ONE_CYCLE);
    assert_float_equal(0.04, cnn_schedule_factor(&schedule, 0, 10), 1e-9);
    assert_float_equal(0.52, cnn_schedule_factor(&schedule, 0.15, 10), 1e-6);
    assert_float_equal(1, cnn_schedule_factor(&schedule, 0.3, 10), 1e-6);
    assert_float_equal((1 + 0.0001) / 2, cnn_schedule_factor(&schedule, 0.65, 10), 1e-6);
    assert_float_equal(0.0001, cnn_schedule_factor(&schedule, 1, 10), 1e-9);
}

static void zeros_are_zeros(void **state)
{
    (void)state;
    cnn_schedule schedule = make(CNN_SCHEDULE_ONE_CYCLE);
    schedule.warmup = 0;
    assert_float_equal(1, cnn_schedule_factor(&schedule, 0, 10), 0);
    assert_float_equal((1 + 0.0001) / 2, cnn_schedule_factor(&schedule, 0.5, 10), 1e-6);
    schedule = make(CNN_SCHEDULE_STEP);
    schedule.gamma = 0;
    assert_float_equal(1, cnn_schedule_factor(&schedule, 0.2, 10), 0);
    assert_float_equal(0, cnn_schedule_factor(&schedule, 0.9, 10), 0);
}

static void a_schedule_that_makes_no_sense_has_no_factor(void **state)
{
    (void)state;
    cnn_schedule schedule = make((cnn_schedule_kind)77);
    assert_true(isnan(cnn_schedule_factor(&schedule, 0, 10)));
    schedule = make(CNN_SCHEDULE_COSINE);
    schedule.warmup = 1;
    assert_true(isnan(cnn_schedule_factor(&schedule, 0, 10)));
    schedule = make(CNN_SCHEDULE_STEP);
    schedule.gamma = -2;
    assert_true(isnan(cnn_schedule_factor(&schedule, 0, 10)));
    schedule = (cnn_schedule){ 0 };
    assert_true(isnan(cnn_schedule_factor(&schedule, 0, 10)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_rate_and_no_schedule_stay_at_1),
        cmocka_unit_test(warmup_rises_in_a_line_and_is_kept_by_all_kinds),
        cmocka_unit_test(steps_fall_at_whole_epochs),
        cmocka_unit_test(exponential_decay_falls_every_epoch),
        cmocka_unit_test(cosine_falls_from_1_to_the_final_factor),
        cmocka_unit_test(one_cycle_rises_from_a_25th_over_three_tenths_and_falls),
        cmocka_unit_test(zeros_are_zeros),
        cmocka_unit_test(a_schedule_that_makes_no_sense_has_no_factor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
