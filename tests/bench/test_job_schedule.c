#include "test.h"

#include "job_schedule.h"

static const pool_cost free_of_charge = { 0, 0 };

#define assert_seconds(expected, actual) assert_float_equal(expected, actual, 1e-9)

static void one_thread_takes_the_sum(void **state)
{
    (void)state;
    const double seconds[] = { 1, 2, 3 };
    assert_seconds(6, schedule_job(seconds, 3, 1, (pool_cost){ 10, 10 }));
    assert_seconds(0, schedule_job(seconds, 0, 4, (pool_cost){ 10, 10 }));
}

static void one_task_costs_no_start(void **state)
{
    (void)state;
    assert_seconds(5, schedule_job((const double[]){ 5 }, 1, 8, (pool_cost){ 10, 10 }));
}

static void equal_tasks_are_shared_evenly(void **state)
{
    (void)state;
    const double seconds[] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    assert_seconds(4, schedule_job(seconds, 8, 2, free_of_charge));
    assert_seconds(2, schedule_job(seconds, 8, 4, free_of_charge));
    assert_seconds(1, schedule_job(seconds, 8, 64, free_of_charge));
    assert_seconds(3, schedule_job(seconds, 7, 3, free_of_charge));
}

static void who_is_ready_helps_the_others(void **state)
{
    (void)state;
    /* parts {9, 1, 1} and {1, 1, 1}: the second thread does its own and, while the first is at the long one, the rest
     */
    assert_seconds(9, schedule_job((const double[]){ 9, 1, 1, 1, 1, 1 }, 6, 2, free_of_charge));
    /* parts {1, 1, 1} and {1, 1, 9}: the long one comes last, and nobody can help */
    assert_seconds(11, schedule_job((const double[]){ 1, 1, 1, 1, 1, 9 }, 6, 2, free_of_charge));
    /* of three threads, each with one task, none is left to take */
    assert_seconds(9, schedule_job((const double[]){ 1, 9, 1 }, 3, 3, free_of_charge));
}

static void the_pool_costs_each_job_and_each_task(void **state)
{
    (void)state;
    const double seconds[] = { 1, 1, 1, 1 };
    assert_seconds(0.5 + 2 * 1.25, schedule_job(seconds, 4, 2, (pool_cost){ 0.5, 0.25 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_takes_the_sum),
        cmocka_unit_test(one_task_costs_no_start),
        cmocka_unit_test(equal_tasks_are_shared_evenly),
        cmocka_unit_test(who_is_ready_helps_the_others),
        cmocka_unit_test(the_pool_costs_each_job_and_each_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
