/* What a process that was forked after the library's first use can do. */
#include "../../child.h"
#include "../test.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <sched.h>

#include "core/parallel.h"
#include "short_wait.h"

enum { THREADS = 3, SIZE = 16, IMAGES = 24, CLASSES = 3, PATIENCE = 20 };

/* A context and what was made with it, in use. */
typedef struct user {
    cnn_context *context;
    cnn_model *model;
    cnn_tensor *input, *output;
    float expected[IMAGES * CLASSES];
} user;

static cnn_context *create_context(void)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = THREADS;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    return context;
}

static cnn_model *create_model(cnn_context *context)
{
    cnn_graph *graph;
    cnn_model *model;
    assert_ok(cnn_graph_create(context, &graph));
    cnn_node x = cnn_relu(graph, cnn_conv2d(graph, cnn_input(graph, SIZE, SIZE, 3), 8, NULL));
    cnn_dense(graph, cnn_flatten(graph, cnn_max_pool2d(graph, x, NULL)), CLASSES, NULL);
    assert_ok(cnn_model_create(context, graph, 1, &model));
    cnn_graph_destroy(graph);
    return model;
}

static user create_user(cnn_context *context)
{
    user u = { .context = context, .model = create_model(context) };
    assert_ok(cnn_tensor_create(context, CNN_FLOAT32, 4, (int64_t[]){ IMAGES, SIZE, SIZE, 3 }, &u.input));
    assert_ok(cnn_tensor_create(context, CNN_FLOAT32, 2, (int64_t[]){ IMAGES, CLASSES }, &u.output));
    float *values = cnn_tensor_data(u.input);
    for (int64_t i = 0; i < cnn_tensor_count(u.input); i++)
        values[i] = (float)(i % 17) / 17;
    assert_ok(cnn_model_predict(u.model, u.input, u.output));
    memcpy(u.expected, cnn_tensor_data(u.output), sizeof u.expected);
    return u;
}

static bool predicts_the_same(user *u)
{
    memset(cnn_tensor_data(u->output), 0, sizeof u->expected);
    return !cnn_model_predict(u->model, u->input, u->output) &&
           !memcmp(u->expected, cnn_tensor_data(u->output), sizeof u->expected);
}

static void destroy_user(user *u)
{
    cnn_tensor_destroy(u->input);
    cnn_tensor_destroy(u->output);
    cnn_model_destroy(u->model);
    cnn_context_destroy(u->context);
}

static bool child_does(bool (*act)(void *), void *argument)
{
    return !child_status(act, argument, PATIENCE);
}

static bool use_all_and_destroy_it(void *argument)
{
    user *u = argument;
    bool same = predicts_the_same(u) && predicts_the_same(u);
    destroy_user(u);
    return same;
}

static void a_child_uses_and_destroys_what_the_parent_made(void **state)
{
    (void)state;
    user u = create_user(create_context());
    for (int i = 0; i < 3; i++) {
        assert_true(child_does(use_all_and_destroy_it, &u));
        assert_true(predicts_the_same(&u));
    }
    destroy_user(&u);
}

static void the_default_context_works_in_a_child(void **state)
{
    (void)state;
    user u = create_user(NULL);
    assert_true(child_does(use_all_and_destroy_it, &u));
    assert_true(predicts_the_same(&u));
    destroy_user(&u);
}

static void meet(void *argument, size_t task, uint32_t worker)
{
    (void)task;
    (void)worker;
    atomic_int *arrived = argument;
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < THREADS)
        sched_yield();
}

/* Returns only if there are as many threads as tasks. */
static bool all_threads_meet(void *context)
{
    atomic_int arrived = 0;
    cnn_parallel(context, THREADS, meet, &arrived);
    return true;
}

static void a_child_has_threads_of_its_own(void **state)
{
    (void)state;
    cnn_context *context = create_context();
    assert_true(all_threads_meet(context));
    assert_true(child_does(all_threads_meet, context));
    assert_true(all_threads_meet(context));
    cnn_context_destroy(context);
}

static void *end(void *argument)
{
    return argument;
}

/* Before a sanitizer looks for leaks: what the thread of main() held is none. */
static void end_at_once(void)
{
    _exit(0);
}

static bool end_all_threads(void *context)
{
    pthread_t last;
    if (atexit(end_at_once))
        return false;
    atomic_store(&waits_are_short, true);
    all_threads_meet(context);
    if (pthread_create(&last, NULL, end, NULL))
        return false;
    pthread_exit(NULL);
}

/* The library's threads, which block the signals that would end it, don't keep it alive. */
static void a_process_ends_when_its_own_threads_have_ended(void **state)
{
    (void)state;
#ifndef __GLIBC__
    skip(); /* in a child, musl 1.2.3 holds every thread up that ends after main's */
#endif
    cnn_context *context = create_context();
    assert_true(child_does(end_all_threads, context));
    cnn_context_destroy(context);
}

static bool fork_again(void *argument)
{
    user *u = argument;
    return predicts_the_same(u) && child_does(use_all_and_destroy_it, u) && use_all_and_destroy_it(u);
}

static void a_childs_child_works(void **state)
{
    (void)state;
    user u = create_user(create_context());
    assert_true(child_does(fork_again, &u));
    destroy_user(&u);
}

/* Threads that keep the locks busy, and now and then change the weights, so that they are packed again. */
typedef struct crowd {
    user *u;
    atomic_bool stop;
    atomic_int failures;
} crowd;

static void *predict_until_stopped(void *argument)
{
    crowd *c = argument;
    cnn_tensor *output;
    if (cnn_tensor_create(c->u->context, CNN_FLOAT32, 2, (int64_t[]){ IMAGES, CLASSES }, &output))
        return NULL;
    while (!atomic_load(&c->stop))
        if (cnn_model_predict(c->u->model, c->u->input, output) ||
            memcmp(c->u->expected, cnn_tensor_data(output), sizeof c->u->expected))
            atomic_fetch_add(&c->failures, 1);
    cnn_tensor_destroy(output);
    return NULL;
}

static void *create_and_destroy_until_stopped(void *argument)
{
    crowd *c = argument;
    while (!atomic_load(&c->stop)) {
        cnn_context *context = NULL;
        if (cnn_context_create(NULL, &context))
            atomic_fetch_add(&c->failures, 1);
        else
            all_threads_meet(c->u->context);
        cnn_context_destroy(context);
    }
    return NULL;
}

static void a_fork_may_come_at_any_moment_of_other_threads(void **state)
{
    (void)state;
    enum { FORKS = 40, CALLERS = 2 };
    user u = create_user(create_context());
    crowd c = { .u = &u };
    pthread_t callers[CALLERS + 1];
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(0, pthread_create(&callers[i], NULL, predict_until_stopped, &c));
    crowd creating = { .u = &(user){ .context = create_context() } };
    assert_int_equal(0, pthread_create(&callers[CALLERS], NULL, create_and_destroy_until_stopped, &creating));
    int worked = 0;
    for (int i = 0; i < FORKS; i++)
        worked += child_does(use_all_and_destroy_it, &u);
    atomic_store(&c.stop, true);
    atomic_store(&creating.stop, true);
    for (int i = 0; i <= CALLERS; i++)
        pthread_join(callers[i], NULL);
    assert_int_equal(FORKS, worked);
    assert_int_equal(0, c.failures + creating.failures);
    cnn_context_destroy(creating.u->context);
    destroy_user(&u);
}

/* --- training --- */

static cnn_dataset *create_dataset(cnn_context *context)
{
    static uint8_t bytes[IMAGES][SIZE * SIZE * 3];
    cnn_tensor *images[IMAGES];
    int32_t labels[IMAGES];
    for (int i = 0; i < IMAGES; i++) {
        memset(bytes[i], i * 10, sizeof bytes[i]);
        labels[i] = i % CLASSES;
        assert_ok(cnn_tensor_wrap(context, CNN_UINT8, 3, (int64_t[]){ SIZE, SIZE, 3 }, bytes[i], &images[i]));
    }
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_create_from_pixels(context, (const cnn_tensor *const *)images, labels, IMAGES,
                                             (const char *const[]){ "a", "b", "c" }, CLASSES, &dataset));
    for (int i = 0; i < IMAGES; i++)
        cnn_tensor_destroy(images[i]);
    return dataset;
}

typedef struct student {
    user u;
    cnn_dataset *dataset;
    cnn_loader *loader;
} student;

static cnn_loader *create_loader(cnn_context *context, const cnn_dataset *dataset)
{
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = SIZE;
    cnn_loader_options options;
    cnn_loader_options_init(&options);
    options.batch_size = 8;
    options.preprocess = &preprocess;
    cnn_loader *loader;
    assert_ok(cnn_loader_create(context, dataset, &options, &loader));
    return loader;
}

static student create_student(void)
{
    student s = { .u = create_user(create_context()) };
    s.dataset = create_dataset(s.u.context);
    s.loader = create_loader(s.u.context, s.dataset);
    return s;
}

static bool run_epoch(cnn_loader *loader)
{
    cnn_batch batch = { .struct_size = sizeof batch };
    uint64_t images = 0;
    if (cnn_loader_start(loader, 1))
        return false;
    do {
        if (cnn_loader_next(loader, &batch))
            return false;
        images += batch.count;
    } while (batch.count);
    return images == IMAGES;
}

static bool train(student *s)
{
    cnn_train_options options;
    cnn_train_options_init(&options);
    options.epochs = 2;
    options.batch_size = 8;
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = SIZE;
    options.preprocess = &preprocess;
    return !cnn_train(s->u.model, s->dataset, s->dataset, &options, NULL);
}

static void destroy_student(student *s)
{
    cnn_loader_destroy(s->loader);
    cnn_dataset_destroy(s->dataset);
    destroy_user(&s->u);
}

static bool train_and_destroy_all(void *argument)
{
    student *s = argument;
    bool worked = train(s) && run_epoch(s->loader);
    destroy_student(s);
    return worked;
}

static bool end_epoch_under_way(void *argument)
{
    student *s = argument;
    cnn_batch batch = { .struct_size = sizeof batch };
    bool refused = cnn_loader_next(s->loader, &batch) == CNN_ERROR_ARGUMENT;
    return train_and_destroy_all(s) && refused;
}

static bool destroy_all(void *argument)
{
    destroy_student(argument);
    return true;
}

static void a_child_trains_after_its_parent_did(void **state)
{
    (void)state;
    student s = create_student();
    assert_true(train(&s) && run_epoch(s.loader));
    assert_true(child_does(train_and_destroy_all, &s));
    assert_true(train(&s) && run_epoch(s.loader));
    destroy_student(&s);
}

static void a_child_begins_an_epoch_that_was_under_way_again(void **state)
{
    (void)state;
    student s = create_student();
    cnn_batch batch = { .struct_size = sizeof batch };
    assert_ok(cnn_loader_start(s.loader, 0));
    assert_ok(cnn_loader_next(s.loader, &batch));
    assert_true(child_does(end_epoch_under_way, &s));
    assert_true(child_does(destroy_all, &s));
    assert_ok(cnn_loader_next(s.loader, &batch));
    assert_true(run_epoch(s.loader));
    destroy_student(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_uses_and_destroys_what_the_parent_made),
        cmocka_unit_test(the_default_context_works_in_a_child),
        cmocka_unit_test(a_child_has_threads_of_its_own),
        cmocka_unit_test(a_process_ends_when_its_own_threads_have_ended),
        cmocka_unit_test(a_childs_child_works),
        cmocka_unit_test(a_fork_may_come_at_any_moment_of_other_threads),
        cmocka_unit_test(a_child_trains_after_its_parent_did),
        cmocka_unit_test(a_child_begins_an_epoch_that_was_under_way_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
