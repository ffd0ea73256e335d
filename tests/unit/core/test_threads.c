/* The library's threads as guests in a process: its signals, its limits, its processors. */
#include "../test.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/parallel.h"
#include "short_wait.h"

static atomic_int created_with_signals;
static atomic_int created, failing_from = -1; /* threads from that number on can't be started; negative: all can */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);

/* The linker puts this in the place of the C library's. */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    int number = atomic_fetch_add(&created, 1);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    atomic_fetch_add(&created_with_signals, !sigismember(&blocked, SIGUSR1));
    return failing_from >= 0 && number >= failing_from ? EAGAIN
                                                       : __real_pthread_create(thread, attributes, run, argument);
}

static cnn_context *create_context(uint32_t threads)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = threads;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    return context;
}

/* --- signals --- */

enum { MEETING = 4 };

typedef struct meeting {
    atomic_int arrived;
    atomic_int open_signals; /* of the workers' threads */
    pthread_t caller;
} meeting;

static const int of_the_application[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGWINCH };
enum { SIGNALS = sizeof of_the_application / sizeof *of_the_application };

/* Each thread has one of the tasks. */
static void look_at_signals(void *argument, size_t task, uint32_t worker)
{
    (void)task;
    (void)worker;
    meeting *m = argument;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (int i = 0; i < SIGNALS && !pthread_equal(pthread_self(), m->caller); i++)
        atomic_fetch_add(&m->open_signals, !sigismember(&blocked, of_the_application[i]));
    atomic_fetch_add(&m->arrived, 1);
    while (atomic_load(&m->arrived) < MEETING)
        sched_yield();
}

static void the_applications_signals_are_blocked_on_workers(void **state)
{
    (void)state;
    cnn_context *context = create_context(MEETING);
    meeting m = { .caller = pthread_self() };
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    cnn_parallel(context, MEETING, look_at_signals, &m);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(0, m.open_signals);
    for (int i = 0; i < SIGNALS; i++)
        assert_int_equal(sigismember(&before, of_the_application[i]), sigismember(&after, of_the_application[i]));
    cnn_context_destroy(context);
}

static atomic_int handled, handled_elsewhere;
static pthread_t main_thread;

static void handle(int signal)
{
    (void)signal;
    atomic_fetch_add(&handled, 1);
    atomic_fetch_add(&handled_elsewhere, !pthread_equal(pthread_self(), main_thread));
}

/* The handler of a signal to the process runs on any thread that doesn't block it, if the main one does. */
static void handlers_run_on_threads_of_the_application(void **state)
{
    (void)state;
    main_thread = pthread_self();
    struct sigaction action = { .sa_handler = handle }, before;
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    assert_int_equal(0, sigaction(SIGUSR1, &action, &before));
    cnn_context *context = create_context(MEETING);
    meeting m = { .caller = pthread_self() };
    cnn_parallel(context, MEETING, look_at_signals, &m);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    kill(getpid(), SIGUSR1);
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    assert_int_equal(0, handled);
    pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
    assert_int_equal(1, handled);
    assert_int_equal(0, handled_elsewhere);
    cnn_context_destroy(context);
    sigaction(SIGUSR1, &before, NULL);
}

/* The loader's threads are started with signals blocked, too: whoever starts one has them blocked at that moment. */
static void the_applications_signals_are_blocked_on_a_loaders_threads(void **state)
{
    (void)state;
    uint8_t pixels[3] = { 0 };
    cnn_tensor *image;
    cnn_dataset *dataset;
    assert_ok(cnn_tensor_wrap(NULL, CNN_UINT8, 3, (int64_t[]){ 1, 1, 3 }, pixels, &image));
    assert_ok(cnn_dataset_create_from_pixels(NULL, (const cnn_tensor *const[]){ image, image }, (int32_t[]){ 0, 1 }, 2,
                                             (const char *const[]){ "a", "b" }, 2, &dataset));
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = 1;
    cnn_loader_options options;
    cnn_loader_options_init(&options);
    options.workers = 3;
    options.preprocess = &preprocess;
    cnn_loader *loader;
    atomic_store(&created, 0);
    atomic_store(&created_with_signals, 0);
    assert_ok(cnn_loader_create(NULL, dataset, &options, &loader));
    assert_int_equal(3, created);
    assert_int_equal(0, created_with_signals);
    cnn_loader_destroy(loader);
    cnn_dataset_destroy(dataset);
    cnn_tensor_destroy(image);
}

/* --- threads that can't be had --- */

static void count(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    atomic_fetch_add(&((atomic_int *)argument)[task], 1);
}

/* Also where the test has failed before it could. */
static int let_threads_start(void **state)
{
    (void)state;
    atomic_store(&failing_from, -1);
    return 0;
}

static void work_is_done_by_the_threads_that_can_be_had(void **state)
{
    (void)state;
    enum { TASKS = 100, WANTED = 6 };
    for (int possible = 0; possible < WANTED; possible++) {
        cnn_context *context = create_context(WANTED);
        atomic_store(&created, 0);
        atomic_store(&failing_from, possible);
        for (int repeat = 0; repeat < 5; repeat++) {
            atomic_int runs[TASKS] = { 0 };
            cnn_parallel(context, TASKS, count, runs);
            for (int i = 0; i < TASKS; i++)
                assert_int_equal(1, runs[i]);
        }
        /* nobody asks again and again for what isn't there */
        assert_int_equal(possible < WANTED - 1 ? possible + 1 : WANTED - 1, created);
        assert_int_equal(WANTED, cnn_context_threads(context));
        cnn_context_destroy(context);
        atomic_store(&failing_from, -1);
    }
}

static void a_context_without_work_starts_no_threads(void **state)
{
    (void)state;
    atomic_store(&created, 0);
    cnn_context *context = create_context(8);
    cnn_tensor *tensor;
    assert_ok(cnn_tensor_create(context, CNN_FLOAT32, 1, (int64_t[]){ 1000 }, &tensor));
    cnn_tensor_destroy(tensor);
    cnn_context_destroy(context);
    assert_int_equal(0, created);
}

/* --- threads without work --- */

static int let_threads_wait(void **state)
{
    (void)state;
    atomic_store(&waits_are_short, false);
    return 0;
}

static void wait_milliseconds(long milliseconds)
{
    nanosleep(&(struct timespec){ .tv_nsec = milliseconds * 1000000 }, NULL);
}

static void idle_threads_end_and_start_again(void **state)
{
    (void)state;
    cnn_context *context = create_context(MEETING);
    atomic_store(&waits_are_short, true);
    atomic_store(&created, 0);
    for (int repeat = 1; repeat <= 3; repeat++) {
        meeting m = { .caller = pthread_self() };
        cnn_parallel(context, MEETING, look_at_signals, &m);
        wait_milliseconds(200);
    }
    cnn_context_destroy(context);
    assert_int_equal(3 * (MEETING - 1), created);
}

/* Jobs come when the threads are about to end, or in the middle of it. */
static void each_task_runs_once_while_threads_end(void **state)
{
    (void)state;
    enum { TASKS = 20, REPEATS = 100 };
    atomic_store(&waits_are_short, true);
    for (uint32_t threads = 2; threads <= 32; threads *= 4) {
        cnn_context *context = create_context(threads);
        atomic_int runs[TASKS] = { 0 };
        for (int repeat = 0; repeat < REPEATS; repeat++) {
            cnn_parallel(context, TASKS, count, runs);
            wait_milliseconds(8 + repeat % 6);
        }
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(REPEATS, runs[i]);
        cnn_context_destroy(context);
    }
}

/* --- contexts within contexts --- */

typedef struct nest {
    cnn_context *contexts[2];
    atomic_int runs;
} nest;

static void count_in_nest(void *argument, size_t task, uint32_t worker)
{
    (void)task;
    (void)worker;
    atomic_fetch_add(&((nest *)argument)->runs, 1);
}

static void use_other_context(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    nest *n = argument;
    cnn_parallel(n->contexts[1 - task % 2], 10, count_in_nest, n);
}

static void two_contexts_may_use_each_other(void **state)
{
    (void)state;
    nest n = { { create_context(3), create_context(3) }, 0 };
    for (int i = 0; i < 100; i++) {
        cnn_parallel(n.contexts[0], 8, use_other_context, &n);
        cnn_parallel(n.contexts[1], 8, use_other_context, &n);
    }
    assert_int_equal(100 * 2 * 8 * 10, n.runs);
    cnn_context_destroy(n.contexts[0]);
    cnn_context_destroy(n.contexts[1]);
}

static void a_crowd_of_threads_runs_each_task_once(void **state)
{
    (void)state;
    enum { TASKS = 300 };
    static const uint32_t threads[] = { 16, 64, 256 };
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        cnn_context *context = create_context(threads[t]);
        atomic_int runs[TASKS] = { 0 };
        for (int repeat = 0; repeat < 30; repeat++)
            cnn_parallel(context, TASKS, count, runs);
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(30, runs[i]);
        cnn_context_destroy(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_applications_signals_are_blocked_on_workers),
        cmocka_unit_test(handlers_run_on_threads_of_the_application),
        cmocka_unit_test(the_applications_signals_are_blocked_on_a_loaders_threads),
        cmocka_unit_test_teardown(work_is_done_by_the_threads_that_can_be_had, let_threads_start),
        cmocka_unit_test(a_context_without_work_starts_no_threads),
        cmocka_unit_test_teardown(idle_threads_end_and_start_again, let_threads_wait),
        cmocka_unit_test_teardown(each_task_runs_once_while_threads_end, let_threads_wait),
        cmocka_unit_test(two_contexts_may_use_each_other),
        cmocka_unit_test(a_crowd_of_threads_runs_each_task_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
