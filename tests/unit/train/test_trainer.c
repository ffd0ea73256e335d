#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "stripes.h"

#include <math.h>

#include "runtime/model_internal.h"

static void a_small_net_learns_stripes(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_train_options options = stripes_options(8, 0.005f);
    cnn_history *history;
    assert_ok(cnn_train(s.model, s.training, s.test, &options, &history));
    assert_int_equal(8, cnn_history_count(history));
    cnn_epoch best = epoch_at(history, cnn_history_best(history));
    assert_true(best.validation_accuracy >= 0.95);
    assert_true(epoch_at(history, 7).loss < epoch_at(history, 0).loss);
    assert_int_equal(2 * STRIPES_TRAINING, epoch_at(history, 0).images);
    assert_int_equal(8, epoch_at(history, 7).epoch);
    cnn_history_destroy(history);
    close_stripes(&s);
}

static void it_learns_in_bfloat16_and_is_in_floats_afterwards(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 1);
    cnn_train_options options = stripes_options(8, 0.005f);
    options.precision = CNN_PRECISION_BFLOAT16;
    cnn_history *history;
    assert_ok(cnn_train(s.model, s.training, s.test, &options, &history));
    cnn_epoch best = epoch_at(history, cnn_history_best(history));
    assert_true(best.validation_accuracy >= 0.95);
    assert_int_equal(CNN_PRECISION_FLOAT32, s.model->precision);
    cnn_history_destroy(history);
    options.precision = (cnn_precision)7;
    assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, s.training, s.test, &options, NULL));
    close_stripes(&s);
}

/* The model must have the weights of that epoch: they give its figures again. */
static void assert_measures_as(const stripes *s, cnn_epoch epoch)
{
    cnn_metrics_result result = measure(s);
    assert_true(result.accuracy == epoch.validation_accuracy);
    assert_true(result.loss == epoch.validation_loss);
}

static void train_to_the_end(int keep_last, float ema_decay)
{
    stripes s = open_stripes(2, 1);
    cnn_train_options options = stripes_options(5, 0.005f);
    cnn_optimizer_options optimizer = *options.optimizer;
    optimizer.learning_rate = 0.05f; /* high enough for accuracy to go up and down */
    options.optimizer = &optimizer;
    options.keep_last = (uint32_t)keep_last;
    options.ema_decay = ema_decay;
    cnn_history *history;
    assert_ok(cnn_train(s.model, s.training, s.test, &options, &history));
    uint32_t best = cnn_history_best(history);
    if (keep_last)
        assert_int_equal(4, best);
    for (uint32_t i = 0; i < 5 && !keep_last; i++)
        assert_true(epoch_at(history, best).validation_accuracy >= epoch_at(history, i).validation_accuracy);
    assert_measures_as(&s, epoch_at(history, best));
    cnn_history_destroy(history);
    close_stripes(&s);
}

static void the_model_ends_with_the_best_weights(void **state)
{
    (void)state;
    train_to_the_end(0, 0);
    train_to_the_end(0, 0.9f);
}

static void the_model_ends_with_the_last_weights_if_asked(void **state)
{
    (void)state;
    train_to_the_end(1, 0);
    train_to_the_end(1, 0.9f);
}

static void without_validation_the_last_weights_are_kept_and_figures_are_nan(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_train_options options = stripes_options(2, 0.005f);
    cnn_history *history;
    assert_ok(cnn_train(s.model, s.training, NULL, &options, &history));
    assert_int_equal(1, cnn_history_best(history));
    assert_true(isnan(epoch_at(history, 1).validation_loss) && isnan(epoch_at(history, 1).validation_accuracy));
    cnn_history_destroy(history);
    close_stripes(&s);
}

static float *train_with_threads(uint32_t threads, size_t *count)
{
    stripes s = open_stripes(threads, 1);
    cnn_train_options options = stripes_options(2, 0.005f);
    cnn_augment augment;
    cnn_augment_init(&augment);
    assert_ok(cnn_augment_parse("flip,shift=0.1,brightness=0.2", &augment));
    options.augment = &augment;
    options.ema_decay = 0.9f;
    assert_ok(cnn_train(s.model, s.training, s.test, &options, NULL));
    float *weights = copy_weights(s.model, count);
    close_stripes(&s);
    return weights;
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    size_t count, others;
    float *one = train_with_threads(1, &count);
    for (uint32_t threads = 2; threads <= 4; threads += 2) {
        float *other = train_with_threads(threads, &others);
        assert_int_equal(count, others);
        assert_memory_equal(one, other, count * sizeof *one);
        free(other);
    }
    free(one);
}

static void another_seed_gives_other_weights(void **state)
{
    (void)state;
    stripes a = open_stripes(2, 0), b = open_stripes(2, 0);
    cnn_train_options options = stripes_options(1, 0.005f);
    assert_ok(cnn_train(a.model, a.training, NULL, &options, NULL));
    options.seed++;
    assert_ok(cnn_train(b.model, b.training, NULL, &options, NULL));
    size_t count, others;
    float *one = copy_weights(a.model, &count), *other = copy_weights(b.model, &others);
    assert_memory_not_equal(one, other, count * sizeof *one);
    free(one);
    free(other);
    close_stripes(&a);
    close_stripes(&b);
}

/* Counts calls, checks what they are told, and stops at one of them. */
typedef struct watcher {
    uint64_t steps, validation_steps, stop_at_step, stop_at_validation;
    uint32_t epochs, stop_at_epoch;
} watcher;

static int watch_step(const cnn_progress *progress, void *user)
{
    watcher *w = user;
    assert_true(progress->step >= 1 && progress->step <= progress->steps);
    assert_true(progress->accuracy >= 0 && progress->accuracy <= 1 && progress->loss > 0);
    assert_int_equal(w->epochs + 1, progress->epoch);
    if (progress->validating) {
        assert_int_equal((2 * STRIPES_TEST + 11) / 12, progress->steps);
        return ++w->validation_steps == w->stop_at_validation;
    }
    uint64_t seen = progress->step * 12;
    assert_int_equal(seen < 2 * STRIPES_TRAINING ? seen : 2 * STRIPES_TRAINING, progress->images);
    assert_int_equal((2 * STRIPES_TRAINING + 11) / 12, progress->steps);
    return ++w->steps == w->stop_at_step;
}

static int watch_epoch(const cnn_epoch *epoch, void *user)
{
    watcher *w = user;
    assert_int_equal(++w->epochs, epoch->epoch);
    return w->epochs == w->stop_at_epoch;
}

static uint32_t train_watched(stripes *s, watcher *w, int validates)
{
    cnn_train_options options = stripes_options(3, 0.005f);
    options.on_step = watch_step;
    options.on_epoch = watch_epoch;
    options.on_step_user = options.on_epoch_user = w;
    cnn_history *history;
    assert_ok(cnn_train(s->model, s->training, validates ? s->test : NULL, &options, &history));
    uint32_t epochs = cnn_history_count(history);
    if (epochs && validates)
        assert_measures_as(s, epoch_at(history, cnn_history_best(history)));
    cnn_history_destroy(history);
    return epochs;
}

static void callbacks_see_each_step_and_epoch(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    watcher w = { 0 };
    assert_int_equal(3, train_watched(&s, &w, 1));
    assert_int_equal(3 * 10, w.steps);
    assert_int_equal(3 * 4, w.validation_steps);
    assert_int_equal(3, w.epochs);
    close_stripes(&s);
}

static void callbacks_stop_the_training_and_what_was_learned_is_kept(void **state)
{
    (void)state;
    const struct {
        watcher w;
        uint32_t epochs;
    } cases[] = {
        { { .stop_at_step = 3 }, 0 },       { { .stop_at_step = 15 }, 1 }, { { .stop_at_validation = 2 }, 0 },
        { { .stop_at_validation = 6 }, 1 }, { { .stop_at_epoch = 2 }, 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int validates = cases[i].w.stop_at_validation != 0; validates < 2; validates++) {
            stripes s = open_stripes(2, 0);
            size_t count, after;
            float *start = copy_weights(s.model, &count);
            watcher w = cases[i].w;
            assert_int_equal(cases[i].epochs, train_watched(&s, &w, validates));
            float *end = copy_weights(s.model, &after);
            assert_memory_not_equal(start, end, count * sizeof *start);
            free(start);
            free(end);
            close_stripes(&s);
        }
}

static void a_rate_far_too_high_is_an_error_and_costs_no_weights(void **state)
{
    (void)state;
    for (int validates = 0; validates < 2; validates++) {
        stripes s = open_stripes(2, 0);
        size_t count;
        float *start = copy_weights(s.model, &count);
        cnn_train_options options = stripes_options(3, 0.005f);
        cnn_optimizer_options optimizer =
            optimizer_options((cnn_optimizer_options){ .kind = CNN_SGD, .learning_rate = 1e30f });
        options.optimizer = &optimizer;
        cnn_history *history;
        assert_status(CNN_ERROR_NOT_FINITE,
                      cnn_train(s.model, s.training, validates ? s.test : NULL, &options, &history));
        assert_non_null(strstr(cnn_last_error(), "try a learning rate below"));
        assert_int_equal(0, cnn_history_count(history));
        assert_same_weights(start, count, s.model);
        cnn_history_destroy(history);
        free(start);
        close_stripes(&s);
    }
}

static void a_rate_of_zero_changes_no_weights(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    size_t count;
    float *start = copy_weights(s.model, &count);
    cnn_train_options options = stripes_options(1, 0.005f);
    cnn_optimizer_options optimizer;
    cnn_optimizer_options_init(&optimizer);
    optimizer.learning_rate = 0;
    options.optimizer = &optimizer;
    cnn_history *history;
    assert_ok(cnn_train(s.model, s.training, NULL, &options, &history));
    assert_true(epoch_at(history, 0).learning_rate == 0);
    assert_same_weights(start, count, s.model);
    cnn_history_destroy(history);
    free(start);
    close_stripes(&s);
}

/* A rate so low that nothing changes, so that validation never gets better. */
static cnn_train_options make_stuck(cnn_optimizer_options *optimizer, uint32_t epochs)
{
    cnn_train_options options = stripes_options(epochs, 0.005f);
    *optimizer = optimizer_options((cnn_optimizer_options){ .kind = CNN_SGD, .learning_rate = 1e-30f });
    options.optimizer = optimizer;
    return options;
}

static void training_stops_early_when_validation_gets_no_better(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_optimizer_options optimizer;
    cnn_train_options options = make_stuck(&optimizer, 10);
    options.early_stopping = 2;
    cnn_history *history;
    assert_ok(cnn_train(s.model, s.training, s.test, &options, &history));
    assert_int_equal(3, cnn_history_count(history));
    assert_int_equal(0, cnn_history_best(history));
    cnn_history_destroy(history);
    assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, s.training, NULL, &options, NULL));
    close_stripes(&s);
}

static void the_rate_falls_on_a_plateau(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_optimizer_options optimizer;
    cnn_train_options options = make_stuck(&optimizer, 6);
    cnn_schedule schedule;
    cnn_schedule_init(&schedule);
    schedule.kind = CNN_SCHEDULE_PLATEAU;
    schedule.patience = 2;
    options.schedule = &schedule;
    cnn_history *history;
    assert_ok(cnn_train(s.model, s.training, s.test, &options, &history));
    const double factors[] = { 1, 1, 1, 0.5, 0.5, 0.25 };
    for (uint32_t i = 0; i < 6; i++)
        assert_true(epoch_at(history, i).learning_rate == (double)1e-30f * factors[i]);
    cnn_history_destroy(history);
    assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, s.training, NULL, &options, NULL));
    close_stripes(&s);
}

static void nets_that_are_no_classifiers_are_refused(void **state)
{
    (void)state;
    stripes s = open_stripes(1, 0);
    cnn_train_options options = stripes_options(1, 0.005f);
    for (int i = 0; i < 4; i++) {
        cnn_graph *graph;
        cnn_model *model;
        assert_ok(cnn_graph_create(s.context, &graph));
        cnn_node x = cnn_input(graph, STRIPES_SIZE, STRIPES_SIZE, i == 0 ? 1 : 3);
        if (i == 1)
            cnn_relu(graph, x); /* the output is an image */
        else
            x = cnn_dense(graph, cnn_flatten(graph, x), i == 2 ? 2 : 1, NULL);
        if (i == 2)
            cnn_softmax(graph, x);
        if (i == 3)
            cnn_sigmoid(graph, x);
        assert_ok(cnn_model_create(s.context, graph, 1, &model));
        assert_status(CNN_ERROR_SHAPE, cnn_train(model, s.training, NULL, &options, NULL));
        cnn_metrics *metrics;
        assert_status(CNN_ERROR_SHAPE, cnn_evaluate(model, s.test, NULL, &metrics));
        assert_null(metrics);
        cnn_model_destroy(model);
        cnn_graph_destroy(graph);
    }
    close_stripes(&s);
}

static void options_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    stripes s = open_stripes(1, 0);
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = 99;
    const cnn_train_options wrong[] = {
        { .ema_decay = 1 },      { .label_smoothing = -1 }, { .resume = 1 }, { .preprocess = &preprocess },
        { .loss = (cnn_loss)7 }, { .ema_decay = NAN },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cnn_train_options options = wrong[i];
        options.struct_size = sizeof options;
        assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, s.training, NULL, &options, NULL));
    }
    assert_status(CNN_ERROR_ARGUMENT, cnn_train(NULL, s.training, NULL, NULL, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, NULL, NULL, NULL, NULL));
    cnn_metrics *metrics;
    cnn_evaluate_options evaluation;
    cnn_evaluate_options_init(&evaluation);
    evaluation.threshold = 2;
    assert_status(CNN_ERROR_ARGUMENT, cnn_evaluate(s.model, s.test, &evaluation, &metrics));
    assert_status(CNN_ERROR_ARGUMENT, cnn_evaluate(NULL, s.test, NULL, &metrics));
    close_stripes(&s);
}

static void more_classes_than_the_net_tells_apart_are_refused(void **state)
{
    (void)state;
    stripes s = open_stripes(1, 0);
    assert_int_equal(0, mkdir(beside("train/plain"), 0777));
    write_stripes(beside("train/plain/1.png"), 0, 1);
    cnn_dataset *three;
    cnn_dataset_options options = { .struct_size = sizeof options, .part = CNN_PART_TRAIN };
    assert_ok(cnn_dataset_open(s.context, stripes_folder, &options, &three));
    remove(beside("train/plain/1.png"));
    remove(beside("train/plain"));
    assert_status(CNN_ERROR_DATA, cnn_train(s.model, three, NULL, NULL, NULL));
    cnn_dataset_destroy(three);
    close_stripes(&s);
}

static void no_epochs_train_nothing(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    size_t count, same;
    float *before = copy_weights(s.model, &count);
    cnn_train_options options = stripes_options(0, 0.005f);
    cnn_history *history;
    assert_ok(cnn_train(s.model, s.training, s.test, &options, &history));
    assert_int_equal(0, cnn_history_count(history));
    float *after = copy_weights(s.model, &same);
    assert_memory_equal(before, after, count * sizeof *before);
    cnn_history_destroy(history);
    free(before);
    free(after);
    close_stripes(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_net_learns_stripes),
        cmocka_unit_test(it_learns_in_bfloat16_and_is_in_floats_afterwards),
        cmocka_unit_test(the_model_ends_with_the_best_weights),
        cmocka_unit_test(the_model_ends_with_the_last_weights_if_asked),
        cmocka_unit_test(without_validation_the_last_weights_are_kept_and_figures_are_nan),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(another_seed_gives_other_weights),
        cmocka_unit_test(callbacks_see_each_step_and_epoch),
        cmocka_unit_test(callbacks_stop_the_training_and_what_was_learned_is_kept),
        cmocka_unit_test(a_rate_far_too_high_is_an_error_and_costs_no_weights),
        cmocka_unit_test(a_rate_of_zero_changes_no_weights),
        cmocka_unit_test(training_stops_early_when_validation_gets_no_better),
        cmocka_unit_test(the_rate_falls_on_a_plateau),
        cmocka_unit_test(nets_that_are_no_classifiers_are_refused),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test(more_classes_than_the_net_tells_apart_are_refused),
        cmocka_unit_test(no_epochs_train_nothing),
    };
    return cmocka_run_group_tests(tests, make_stripes, remove_stripes);
}
