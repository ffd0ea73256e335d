/* What a program hooks into a training: it sees and changes each batch, and gives a loss of its own. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "stripes.h"

#include <math.h>

typedef struct hooked {
    uint64_t batches, images, stop_at;
    uint32_t flips_labels;
} hooked;

static int see_batch(const cnn_training_batch *batch, void *user)
{
    hooked *h = user;
    assert_int_equal(h->batches++, batch->step);
    assert_int_equal(cnn_tensor_dim(batch->images, 0), batch->count);
    assert_int_equal(1, batch->outputs);
    h->images += batch->count;
    float *targets = cnn_tensor_data(batch->targets);
    for (uint32_t i = 0; i < batch->count; i++) {
        assert_true(targets[i] == (float)batch->labels[i]);
        targets[i] = h->flips_labels ? 1 - targets[i] : targets[i];
    }
    return h->batches == h->stop_at;
}

static double accuracy_after(hooked *h, cnn_status (*loss)(const cnn_tensor *logits, const cnn_tensor *targets,
                                                           double *value, cnn_tensor *gradient, void *user))
{
    stripes s = open_stripes(2, 0);
    cnn_train_options options = stripes_options(8, 0.005f);
    cnn_train_hooks hooks;
    cnn_train_hooks_init(&hooks);
    hooks.on_batch = see_batch;
    hooks.on_batch_user = h;
    hooks.loss = loss;
    hooks.loss_user = h;
    options.hooks = &hooks;
    cnn_metrics *metrics;
    cnn_metrics_result result;
    cnn_metrics_result_init(&result);
    assert_ok(cnn_train(s.model, s.training, NULL, &options, NULL));
    assert_ok(cnn_evaluate(s.model, s.test, NULL, &metrics));
    assert_ok(cnn_metrics_compute(metrics, &result));
    cnn_metrics_destroy(metrics);
    close_stripes(&s);
    return result.accuracy;
}

static void hooks_see_each_batch_and_may_change_it(void **state)
{
    (void)state;
    hooked plain = { 0 }, flipped = { .flips_labels = 1 }, stopped = { .stop_at = 3 };
    assert_true(accuracy_after(&plain, NULL) > 0.9);
    assert_int_equal(8 * 2 * STRIPES_TRAINING, plain.images);
    assert_true(accuracy_after(&flipped, NULL) < 0.1);
    accuracy_after(&stopped, NULL);
    assert_int_equal(3, stopped.batches);
}

/* The mean of squared differences from targets of −1 and 1. */
static cnn_status squared_loss(const cnn_tensor *logits, const cnn_tensor *targets, double *value, cnn_tensor *gradient,
                               void *user)
{
    const float *z = cnn_tensor_const_data(logits), *t = cnn_tensor_const_data(targets);
    float *g = cnn_tensor_data(gradient);
    int64_t count = cnn_tensor_count(logits);
    assert_non_null(user);
    *value = 0;
    for (int64_t i = 0; i < count; i++) {
        float difference = z[i] - (2 * t[i] - 1);
        *value += (double)(difference * difference) / (double)count;
        g[i] = 2 * difference / (float)count;
    }
    return CNN_OK;
}

static void a_loss_of_ones_own_is_minimised(void **state)
{
    (void)state;
    hooked h = { 0 };
    assert_true(accuracy_after(&h, squared_loss) > 0.9);
}

typedef struct failing_loss {
    int status;
    int asks_library; /* it fails by a function of the library */
} failing_loss;

static cnn_status fail_loss(const cnn_tensor *logits, const cnn_tensor *targets, double *value, cnn_tensor *gradient,
                            void *user)
{
    (void)logits, (void)targets, (void)value, (void)gradient;
    const failing_loss *f = user;
    cnn_tensor *tensor;
    if (f->asks_library)
        return cnn_image_load(NULL, "absent.jpg", NULL, &tensor);
    return (cnn_status)f->status;
}

static void a_loss_that_fails_is_named(void **state)
{
    (void)state;
    static const struct {
        failing_loss loss;
        cnn_status expected;
        const char *sentence;
    } cases[] = {
        { { CNN_ERROR_LIMIT, 0 }, CNN_ERROR_LIMIT, "cnn_train_hooks: loss returned CNN_ERROR_LIMIT" },
        { { 5, 0 }, CNN_ERROR_ARGUMENT, "cnn_train_hooks: loss returned 5, which is no cnn_status" },
        { { -99, 0 }, CNN_ERROR_ARGUMENT, "cnn_train_hooks: loss returned -99, which is no cnn_status" },
        { { 0, 1 }, CNN_ERROR_IO, "cnn_train_hooks: loss returned CNN_ERROR_IO: absent.jpg: " },
    };
    stripes s = open_stripes(2, 0);
    cnn_train_options options = stripes_options(1, 0.005f);
    cnn_train_hooks hooks;
    cnn_train_hooks_init(&hooks);
    hooks.loss = fail_loss;
    options.hooks = &hooks;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        failing_loss loss = cases[i].loss;
        hooks.loss_user = &loss;
        assert_status(CNN_ERROR_ARGUMENT, cnn_train(NULL, NULL, NULL, NULL, NULL)); /* a sentence of before */
        assert_status(cases[i].expected, cnn_train(s.model, s.training, NULL, &options, NULL));
        assert_memory_equal(cases[i].sentence, cnn_last_error(), strlen(cases[i].sentence));
        assert_null(strstr(cnn_last_error(), "no model"));
    }
    hooks.struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, s.training, NULL, &options, NULL));
    close_stripes(&s);
}

/* --- weights that aren't finite --- */

/* Spoils the last batch of the second epoch: the running statistics overflow, and no loss shows it. */
static int spoil_batch(const cnn_training_batch *batch, void *user)
{
    const uint64_t *at = user;
    if (batch->step == *at)
        *(float *)cnn_tensor_data(batch->images) = 3e38f;
    return 0;
}

static int stop_at_second_step(const cnn_progress *progress, void *user)
{
    (void)user;
    return progress->step == 2;
}

static void assert_finite(const cnn_model *model)
{
    size_t count;
    float *weights = copy_weights(model, &count);
    for (size_t i = 0; i < count; i++)
        assert_true(isfinite(weights[i]));
    free(weights);
}

static void weights_that_are_not_finite_are_noticed_and_not_kept(void **state)
{
    (void)state;
    enum { BATCHES = (2 * STRIPES_TRAINING + 11) / 12 };
    for (int validates = 0; validates < 2; validates++)
        for (int averages = 0; averages < 2; averages++) {
            stripes s = open_stripes(2, 1);
            uint64_t at = 2 * BATCHES - 1;
            cnn_train_options options = stripes_options(3, 0.005f);
            cnn_train_hooks hooks;
            cnn_history *history;
            cnn_train_hooks_init(&hooks);
            hooks.on_batch = spoil_batch;
            hooks.on_batch_user = &at;
            options.hooks = &hooks;
            options.ema_decay = averages ? 0.9f : 0;
            cnn_status status = cnn_train(s.model, s.training, validates ? s.test : NULL, &options, &history);
            assert_status(CNN_ERROR_NOT_FINITE, status);
            assert_non_null(strstr(cnn_last_error(), "epoch 2: batch_norm_1.running_variance holds a value"));
            assert_int_equal(1, cnn_history_count(history));
            assert_finite(s.model);
            cnn_history_destroy(history);
            close_stripes(&s);
        }
}

static void a_stopped_training_keeps_no_weights_that_are_not_finite(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 1);
    uint64_t at = 1;
    cnn_train_options options = stripes_options(3, 0.005f);
    cnn_train_hooks hooks;
    cnn_train_hooks_init(&hooks);
    hooks.on_batch = spoil_batch;
    hooks.on_batch_user = &at;
    options.hooks = &hooks;
    options.on_step = stop_at_second_step;
    size_t count;
    float *before = copy_weights(s.model, &count);
    assert_status(CNN_ERROR_NOT_FINITE, cnn_train(s.model, s.training, NULL, &options, NULL));
    assert_same_weights(before, count, s.model);
    free(before);
    close_stripes(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_see_each_batch_and_may_change_it),
        cmocka_unit_test(a_loss_of_ones_own_is_minimised),
        cmocka_unit_test(a_loss_that_fails_is_named),
        cmocka_unit_test(weights_that_are_not_finite_are_noticed_and_not_kept),
        cmocka_unit_test(a_stopped_training_keeps_no_weights_that_are_not_finite),
    };
    return cmocka_run_group_tests(tests, make_stripes, remove_stripes);
}
