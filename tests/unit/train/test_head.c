#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "stripes.h"

#include <cnn/transfer.h>

static void a_head_learns_on_features_as_on_frozen_layers(void **state)
{
    (void)state;
    stripes frozen = open_stripes(2, 1), once = open_stripes(1, 1);
    cnn_train_options options = stripes_options(4, 0.01f);
    assert_ok(cnn_model_set_learning_rate_multiplier(frozen.model, "dropout_1", 0));
    assert_ok(cnn_train(frozen.model, frozen.training, frozen.test, &options, NULL));
    assert_ok(cnn_train_head(once.model, NULL, once.training, once.test, &options, NULL));
    size_t count;
    float *expected = copy_weights(frozen.model, &count);
    assert_same_weights(expected, count, once.model);
    free(expected);
    close_stripes(&frozen);
    close_stripes(&once);
}

static void only_what_follows_the_layer_changes(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_train_options options = stripes_options(3, 0.01f);
    size_t count;
    float *before = copy_weights(s.model, &count);
    cnn_history *history;
    assert_ok(cnn_train_head(s.model, "relu_1", s.training, s.test, &options, &history));
    float *after = copy_weights(s.model, &count);
    size_t body = 3 * 3 * 3 * 6 + 6;
    assert_memory_equal(before, after, body * sizeof *before);
    assert_memory_not_equal(before + body, after + body, (count - body) * sizeof *before);
    cnn_epoch best = epoch_at(history, cnn_history_best(history));
    assert_true(measure(&s).accuracy == best.validation_accuracy);
    free(before);
    free(after);
    cnn_history_destroy(history);
    close_stripes(&s);
}

static void what_can_not_be_cut_is_refused(void **state)
{
    (void)state;
    stripes s = open_stripes(1, 0);
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_train_head(s.model, "nowhere", s.training, NULL, NULL, NULL));
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_train_head(s.model, "dense_1", s.training, NULL, NULL, NULL));
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_train_head(NULL, NULL, s.training, NULL, NULL, NULL));
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_train_head(s.model, NULL, NULL, NULL, NULL, NULL));
    close_stripes(&s);
}

static void a_training_goes_on_from_an_earlier_one(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0), alone = open_stripes(2, 0);
    cnn_train_options options = stripes_options(3, 0.01f);
    cnn_history *earlier, *history, *own;
    assert_ok(cnn_train_head(s.model, NULL, s.training, s.test, &options, &earlier));
    assert_ok(cnn_model_copy_weights(alone.model, s.model, NULL));
    options.epochs = 2;
    assert_ok(cnn_train(alone.model, alone.training, alone.test, &options, &own));
    options.earlier = earlier;
    assert_ok(cnn_train(s.model, s.training, s.test, &options, &history));
    assert_int_equal(5, cnn_history_count(history));
    for (uint32_t i = 0; i < 5; i++) {
        cnn_epoch epoch = epoch_at(history, i), same = i < 3 ? epoch_at(earlier, i) : epoch_at(own, i - 3);
        assert_int_equal(i + 1, epoch.epoch);
        assert_true(epoch.loss == same.loss && epoch.validation_loss == same.validation_loss);
    }
    assert_true(measure(&s).accuracy == epoch_at(history, cnn_history_best(history)).validation_accuracy);
    cnn_history_destroy(earlier);
    cnn_history_destroy(history);
    cnn_history_destroy(own);
    close_stripes(&alone);
    close_stripes(&s);
}

static void one_that_is_no_better_than_the_earlier_leaves_the_weights(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_train_options options = stripes_options(4, 0.01f);
    cnn_optimizer_options hopeless;
    cnn_history *earlier, *history;
    assert_ok(cnn_train(s.model, s.training, s.test, &options, &earlier));
    size_t count;
    float *before = copy_weights(s.model, &count);
    cnn_optimizer_options_init(&hopeless);
    hopeless.learning_rate = 5;
    options.optimizer = &hopeless;
    options.epochs = 1;
    options.earlier = earlier;
    assert_ok(cnn_train(s.model, s.training, s.test, &options, &history));
    assert_int_equal(5, cnn_history_count(history));
    assert_int_equal(cnn_history_best(earlier), cnn_history_best(history));
    assert_same_weights(before, count, s.model);
    free(before);
    cnn_history_destroy(earlier);
    cnn_history_destroy(history);
    close_stripes(&s);
}

static void after_a_refused_checkpoint_the_earlier_epochs_are_there(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_train_options options = stripes_options(3, 0.01f);
    cnn_history *earlier, *history;
    options.checkpoint = beside("checkpoint");
    assert_ok(cnn_train(s.model, s.training, s.test, &options, &earlier));
    options.earlier = earlier;
    options.resume = 1;
    options.seed = 99;
    assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, s.training, s.test, &options, &history));
    assert_int_equal(3, cnn_history_count(history));
    assert_int_equal(cnn_history_best(earlier), cnn_history_best(history));
    remove(beside("checkpoint"));
    cnn_history_destroy(earlier);
    cnn_history_destroy(history);
    close_stripes(&s);
}

typedef struct steps_seen {
    uint64_t computed, all;
    uint32_t stop_in_epoch;
} steps_seen;

static int watch(const cnn_progress *progress, void *user)
{
    steps_seen *seen = user;
    if (progress->epoch == 0) {
        seen->computed = progress->step;
        seen->all = progress->steps;
    }
    return progress->epoch == seen->stop_in_epoch;
}

static void the_computing_of_features_is_reported_and_can_be_stopped(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_train_options options = stripes_options(1, 0.01f);
    steps_seen seen = { .stop_in_epoch = 1 };
    options.on_step = watch;
    options.on_step_user = &seen;
    assert_ok(cnn_train_head(s.model, NULL, s.training, s.test, &options, NULL));
    assert_int_equal(2 * STRIPES_TRAINING + 2 * STRIPES_TEST, seen.all);
    assert_int_equal(seen.all, seen.computed);
    seen.stop_in_epoch = 0;
    size_t count;
    float *before = copy_weights(s.model, &count);
    assert_int_equal(CNN_ERROR_STOPPED, cnn_train_head(s.model, NULL, s.training, s.test, &options, NULL));
    assert_same_weights(before, count, s.model);
    free(before);
    close_stripes(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_learns_on_features_as_on_frozen_layers),
        cmocka_unit_test(only_what_follows_the_layer_changes),
        cmocka_unit_test(what_can_not_be_cut_is_refused),
        cmocka_unit_test(a_training_goes_on_from_an_earlier_one),
        cmocka_unit_test(one_that_is_no_better_than_the_earlier_leaves_the_weights),
        cmocka_unit_test(after_a_refused_checkpoint_the_earlier_epochs_are_there),
        cmocka_unit_test(the_computing_of_features_is_reported_and_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, make_stripes, remove_stripes);
}
