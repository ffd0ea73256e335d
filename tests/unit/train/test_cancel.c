/* Trainings and evaluations that another thread cancels. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "stripes.h"

#include <pthread.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancelled_training_keeps_what_it_has_learned),
        cmocka_unit_test(a_cancelled_evaluation_gives_nothing),
    };
    return cmocka_run_group_tests(tests, make_stripes, remove_stripes);
}
