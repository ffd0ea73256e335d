#include "../test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "core/parallel.h"

enum { TASKS = 1000 };

typedef struct cnn_counts {
    atomic_int runs[TASKS];
    atomic_int inside[4]; /* tasks now running, by worker */
    atomic_int overlaps;
    atomic_int strangers; /* worker numbers out of range */
} cnn_counts;

static cnn_context *create_context(uint32_t threads)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = threads;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    return context;
}

static void count_run(void *argument, size_t task, uint32_t worker)
{
    cnn_counts *counts = argument;
    if (worker >= 4) {
        atomic_fetch_add(&counts->strangers, 1);
        return;
    }
    if (atomic_fetch_add(&counts->inside[worker], 1))
        atomic_fetch_add(&counts->overlaps, 1);
    atomic_fetch_add(&counts->runs[task], 1);
    atomic_fetch_sub(&counts->inside[worker], 1);
}

static void each_task_runs_once_on_a_worker_of_its_own(void **state)
{
    (void)state;
    cnn_context *context = create_context(4);
    for (int repeat = 0; repeat < 50; repeat++) {
        cnn_counts counts = { 0 };
        cnn_parallel(context, TASKS, count_run, &counts);
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(1, counts.runs[i]);
        assert_int_equal(0, counts.overlaps);
        assert_int_equal(0, counts.strangers);
    }
    cnn_context_destroy(context);
}

enum { MEETING = 4 };

typedef struct cnn_meeting {
    atomic_int arrived;
    atomic_int strangers; /* tasks of another worker's part */
} cnn_meeting;

/* Ends when all tasks have begun, so that nobody is ready to help another. */
static void meet(void *argument, size_t task, uint32_t worker)
{
    cnn_meeting *meeting = argument;
    if (worker != task)
        atomic_fetch_add(&meeting->strangers, 1);
    atomic_fetch_add(&meeting->arrived, 1);
    while (atomic_load(&meeting->arrived) < MEETING)
        sched_yield();
}

static void each_thread_begins_with_its_own_part(void **state)
{
    (void)state;
    cnn_context *context = create_context(MEETING);
    for (int repeat = 0; repeat < 50; repeat++) {
        cnn_meeting meeting = { 0 };
        cnn_parallel(context, MEETING, meet, &meeting);
        assert_int_equal(0, meeting.strangers);
    }
    cnn_context_destroy(context);
}

enum { GROUPED = 9, BLOCKED = GROUPED - 1, EACH = 2 };

/* The first tasks of all parts but the last wait until somebody has done all others. */
static void wait_for_helper(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    atomic_int *done = argument;
    if (task % EACH || task / EACH == BLOCKED)
        atomic_fetch_add(done, 1);
    else
        while (atomic_load(done) < GROUPED * EACH - BLOCKED)
            sched_yield();
}

static void a_thread_helps_those_far_away(void **state)
{
    (void)state;
    cnn_context *context = create_context(GROUPED);
    for (int repeat = 0; repeat < 50; repeat++) {
        atomic_int done = 0;
        cnn_parallel(context, GROUPED * EACH, wait_for_helper, &done);
        assert_int_equal(GROUPED * EACH - BLOCKED, done);
    }
    cnn_context_destroy(context);
}

typedef struct cnn_nested {
    cnn_context *context;
    cnn_counts *counts; /* one a task */
} cnn_nested;

static void run_nested(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    cnn_nested *nested = argument;
    cnn_parallel(nested->context, TASKS, count_run, &nested->counts[task]);
}

static void a_call_within_a_task_runs_its_tasks_by_itself(void **state)
{
    (void)state;
    static cnn_counts counts[3];
    cnn_context *context = create_context(2);
    cnn_nested nested = { context, counts };
    cnn_parallel(context, 3, run_nested, &nested);
    for (int call = 0; call < 3; call++)
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(1, counts[call].runs[i]);
    cnn_context_destroy(context);
}

static void *call_from_a_thread(void *argument)
{
    cnn_nested *nested = argument;
    for (int i = 0; i < 20; i++)
        cnn_parallel(nested->context, TASKS, count_run, nested->counts);
    return NULL;
}

static void several_threads_may_call_at_once(void **state)
{
    (void)state;
    static cnn_counts counts[3];
    cnn_context *context = create_context(2);
    pthread_t threads[3];
    cnn_nested calls[3];
    for (int i = 0; i < 3; i++) {
        calls[i] = (cnn_nested){ context, &counts[i] };
        assert_int_equal(0, pthread_create(&threads[i], NULL, call_from_a_thread, &calls[i]));
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (int call = 0; call < 3; call++)
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(20, counts[call].runs[i]);
    cnn_context_destroy(context);
}

static void a_thread_may_limit_how_many_work_for_it(void **state)
{
    (void)state;
    cnn_context *context = create_context(4);
    assert_int_equal(0, cnn_limit_threads(2));
    for (int repeat = 0; repeat < 50; repeat++) {
        cnn_counts counts = { 0 };
        atomic_init(&counts.inside[2], 1); /* who comes here overlaps */
        atomic_init(&counts.inside[3], 1);
        cnn_parallel(context, TASKS, count_run, &counts);
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(1, counts.runs[i]);
        assert_int_equal(0, counts.overlaps);
    }
    assert_int_equal(2, cnn_limit_threads(1));
    cnn_counts alone = { 0 };
    for (int worker = 1; worker < 4; worker++)
        atomic_init(&alone.inside[worker], 1);
    cnn_parallel(context, TASKS, count_run, &alone);
    assert_int_equal(0, alone.overlaps);
    assert_int_equal(1, alone.runs[TASKS - 1]);
    assert_int_equal(1, cnn_limit_threads(0));
    cnn_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_task_runs_once_on_a_worker_of_its_own),
        cmocka_unit_test(each_thread_begins_with_its_own_part),
        cmocka_unit_test(a_thread_helps_those_far_away),
        cmocka_unit_test(a_call_within_a_task_runs_its_tasks_by_itself),
        cmocka_unit_test(several_threads_may_call_at_once),
        cmocka_unit_test(a_thread_may_limit_how_many_work_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
