/* What a program hooks into a training: it sees and changes each batch, and gives a loss of its own. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "stripes.h"

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

static cnn_status fail_with_limit(const cnn_tensor *logits, const cnn_tensor *targets, double *value,
                                  cnn_tensor *gradient, void *user)
{
    (void)logits, (void)targets, (void)value, (void)gradient, (void)user;
    return CNN_ERROR_LIMIT;
}

static void a_loss_of_ones_own_is_minimised(void **state)
{
    (void)state;
    hooked h = { 0 };
    assert_true(accuracy_after(&h, squared_loss) > 0.9);
    stripes s = open_stripes(2, 0);
    cnn_train_options options = stripes_options(1, 0.005f);
    cnn_train_hooks hooks;
    cnn_train_hooks_init(&hooks);
    hooks.loss = fail_with_limit;
    options.hooks = &hooks;
    assert_status(CNN_ERROR_LIMIT, cnn_train(s.model, s.training, NULL, &options, NULL));
    hooks.struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, s.training, NULL, &options, NULL));
    close_stripes(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_see_each_batch_and_may_change_it),
        cmocka_unit_test(a_loss_of_ones_own_is_minimised),
    };
    return cmocka_run_group_tests(tests, make_stripes, remove_stripes);
}
