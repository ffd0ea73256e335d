/* Long work that is cancelled: trainings, evaluations, and the search for duplicates. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "stripes.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct canceller {
    cnn_context *context;
    uint64_t steps, cancel_at;
    pthread_t thread;
} canceller;

static void *cancel(void *argument)
{
    cnn_context_cancel(argument);
    return NULL;
}

static int cancel_in_step(const cnn_progress *progress, void *user)
{
    canceller *c = user;
    (void)progress;
    if (++c->steps != c->cancel_at)
        return 0;
    assert_int_equal(0, pthread_create(&c->thread, NULL, cancel, c->context));
    pthread_join(c->thread, NULL);
    return 0;
}

/* In a training step of the second epoch, and in a step of its validation. */
static void a_cancelled_training_keeps_what_it_has_learned(void **state)
{
    (void)state;
    for (uint64_t at = 17; at <= 26; at += 9) {
        stripes s = open_stripes(2, 0);
        canceller c = { .context = s.context, .cancel_at = at };
        cnn_train_options options = stripes_options(5, 0.005f);
        options.on_step = cancel_in_step;
        options.on_step_user = &c;
        cnn_history *history;
        assert_status(CNN_ERROR_STOPPED, cnn_train(s.model, s.training, s.test, &options, &history));
        assert_non_null(strstr(cnn_last_error(), "cancelled"));
        assert_int_equal(at, c.steps);
        assert_int_equal(1, cnn_history_count(history));
        cnn_history_destroy(history);
        options.on_step = NULL; /* what begins later isn't affected */
        options.epochs = 1;
        assert_ok(cnn_train(s.model, s.training, s.test, &options, NULL));
        close_stripes(&s);
    }
}

static int cancel_after_image(const cnn_sample_result *result, void *user)
{
    canceller *c = user;
    (void)result;
    c->steps++;
    cnn_context_cancel(c->context);
    return 0;
}

static void a_cancelled_evaluation_gives_nothing(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    canceller c = { .context = s.context };
    cnn_metrics *metrics;
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    options.batch_size = 10;
    options.on_image = cancel_after_image;
    options.on_image_user = &c;
    assert_status(CNN_ERROR_STOPPED, cnn_evaluate(s.model, s.test, &options, &metrics));
    assert_null(metrics);
    assert_int_equal(10, c.steps);
    close_stripes(&s);
}

typedef struct own_files {
    cnn_context *context;
    atomic_int reads;
} own_files;

static int read_and_cancel(uint64_t index, const void **bytes, size_t *size, void *user)
{
    own_files *files = user;
    *bytes = "no photograph";
    *size = 1 + index % 13;
    if (atomic_fetch_add(&files->reads, 1) == 2)
        cnn_context_cancel(files->context);
    return 0;
}

static int count_pair(uint64_t index, uint64_t equal, void *user)
{
    (void)index, (void)equal;
    ++*(int *)user;
    return 0;
}

static void a_cancelled_search_for_duplicates_reads_no_further(void **state)
{
    (void)state;
    const uint64_t count = 1000;
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 2;
    own_files files = { 0 };
    assert_ok(cnn_context_create(&options, &files.context));
    cnn_dataset_source source;
    cnn_dataset_source_init(&source);
    source.count = count;
    source.read = read_and_cancel;
    source.read_user = &files;
    cnn_dataset *dataset;
    int pairs = 0;
    assert_ok(cnn_dataset_create_from_source(files.context, &source, &dataset));
    assert_status(CNN_ERROR_STOPPED, cnn_dataset_find_duplicates(dataset, dataset, count_pair, &pairs));
    assert_int_equal(0, pairs);
    assert_true(files.reads < (int)count / 2);
    assert_ok(cnn_dataset_find_duplicates(dataset, dataset, count_pair, &pairs)); /* what begins later isn't affected */
    assert_int_equal((int)count - 13, pairs);
    cnn_dataset_destroy(dataset);
    cnn_context_destroy(files.context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancelled_training_keeps_what_it_has_learned),
        cmocka_unit_test(a_cancelled_evaluation_gives_nothing),
        cmocka_unit_test(a_cancelled_search_for_duplicates_reads_no_further),
    };
    return cmocka_run_group_tests(tests, make_stripes, remove_stripes);
}
