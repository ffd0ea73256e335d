#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "stripes.h"

#include <math.h>
#include <pthread.h>

#include "runtime/model_internal.h"

static cnn_train_options make_options(uint32_t epochs)
{
    static cnn_optimizer_options optimizer;
    cnn_optimizer_options_init(&optimizer);
    optimizer.learning_rate = 0.005f;
    cnn_train_options options;
    cnn_train_options_init(&options);
    options.epochs = epochs;
    options.batch_size = 12; /* the last batch is smaller */
    options.seed = 11;
    options.optimizer = &optimizer;
    return options;
}

static void a_small_net_learns_stripes(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_train_options options = make_options(8);
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
    cnn_train_options options = make_options(8);
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
    cnn_train_options options = make_options(5);
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
    cnn_train_options options = make_options(2);
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
    cnn_train_options options = make_options(2);
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
    cnn_train_options options = make_options(1);
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
    cnn_train_options options = make_options(3);
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
        cnn_train_options options = make_options(3);
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

/* A rate so low that nothing changes, so that validation never gets better. */
static cnn_train_options make_stuck(cnn_optimizer_options *optimizer, uint32_t epochs)
{
    cnn_train_options options = make_options(epochs);
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
    cnn_train_options options = make_options(1);
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

static int stop_evaluation(uint64_t done, uint64_t total, void *user)
{
    uint64_t *last = user;
    assert_int_equal(2 * STRIPES_TEST, total);
    assert_true(done > *last && done <= total);
    *last = done;
    return done == total;
}

static void evaluation_reports_and_can_be_stopped(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    uint64_t last = 0;
    cnn_metrics *metrics;
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    options.batch_size = 10;
    options.progress = stop_evaluation;
    options.progress_user = &last;
    assert_status(CNN_ERROR_STOPPED, cnn_evaluate(s.model, s.test, &options, &metrics));
    assert_int_equal(2 * STRIPES_TEST, last);
    assert_null(metrics);
    close_stripes(&s);
}

typedef struct judging {
    uint64_t images, errors;
    double loss;
} judging;

static void no_epochs_train_nothing(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    size_t count, same;
    float *before = copy_weights(s.model, &count);
    cnn_train_options options = make_options(0);
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

static void a_threshold_of_0_makes_all_of_it_class_1(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_metrics *metrics;
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    options.threshold = 0;
    assert_ok(cnn_evaluate(s.model, s.test, &options, &metrics));
    assert_int_equal(0, cnn_metrics_confusion(metrics, 0, 0) + cnn_metrics_confusion(metrics, 1, 0));
    assert_int_equal(STRIPES_TEST, cnn_metrics_confusion(metrics, 0, 1));
    cnn_metrics_destroy(metrics);
    close_stripes(&s);
}

static int stop_early(const cnn_sample_result *result, void *user)
{
    (void)user;
    return result->image == 5;
}

static int judge(const cnn_sample_result *result, void *user)
{
    judging *j = user;
    assert_int_equal(j->images++, result->image);
    assert_true(result->predicted == (result->probabilities[1] >= 0.5f));
    j->errors += result->label != result->predicted;
    j->loss += result->loss;
    return 0;
}

static void evaluation_tells_what_it_makes_of_each_image(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    judging j = { 0 };
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    options.on_image = judge;
    options.on_image_user = &j;
    options.temperature = 2;
    cnn_metrics *metrics;
    cnn_metrics_result result = { .struct_size = sizeof result };
    assert_ok(cnn_evaluate(s.model, s.test, &options, &metrics));
    assert_ok(cnn_metrics_compute(metrics, &result));
    assert_int_equal(2 * STRIPES_TEST, j.images);
    assert_true(fabs(result.accuracy - 1 + (double)j.errors / (2 * STRIPES_TEST)) < 1e-9);
    assert_true(fabs(result.loss - j.loss / (2 * STRIPES_TEST)) < 1e-9);
    assert_true(measure(&s).loss != result.loss); /* by the temperature */
    cnn_metrics_destroy(metrics);
    options.on_image = stop_early;
    assert_status(CNN_ERROR_STOPPED, cnn_evaluate(s.model, s.test, &options, &metrics));
    options.temperature = -1;
    assert_status(CNN_ERROR_ARGUMENT, cnn_evaluate(s.model, s.test, &options, &metrics));
    close_stripes(&s);
}

static void the_threshold_moves_decisions(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    for (int high = 0; high < 2; high++) {
        cnn_metrics *metrics;
        options.threshold = high ? 1 : 1e-20f;
        assert_ok(cnn_evaluate(s.model, s.test, &options, &metrics));
        assert_int_equal(STRIPES_TEST, cnn_metrics_confusion(metrics, 0, !high));
        assert_int_equal(STRIPES_TEST, cnn_metrics_confusion(metrics, 1, !high));
        cnn_metrics_destroy(metrics);
    }
    close_stripes(&s);
}

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
        cnn_train_options options = make_options(5);
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
    cnn_train_options options = make_options(8);
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
    cnn_train_options options = make_options(1);
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
        cmocka_unit_test(training_stops_early_when_validation_gets_no_better),
        cmocka_unit_test(the_rate_falls_on_a_plateau),
        cmocka_unit_test(nets_that_are_no_classifiers_are_refused),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test(more_classes_than_the_net_tells_apart_are_refused),
        cmocka_unit_test(evaluation_reports_and_can_be_stopped),
        cmocka_unit_test(evaluation_tells_what_it_makes_of_each_image),
        cmocka_unit_test(no_epochs_train_nothing),
        cmocka_unit_test(a_threshold_of_0_makes_all_of_it_class_1),
        cmocka_unit_test(the_threshold_moves_decisions),
        cmocka_unit_test(a_cancelled_training_keeps_what_it_has_learned),
        cmocka_unit_test(a_cancelled_evaluation_gives_nothing),
        cmocka_unit_test(hooks_see_each_batch_and_may_change_it),
        cmocka_unit_test(a_loss_of_ones_own_is_minimised),
    };
    return cmocka_run_group_tests(tests, make_stripes, remove_stripes);
}
