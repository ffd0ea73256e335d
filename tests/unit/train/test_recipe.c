/* What a recipe for training from scratch adds: image sizes that grow, mixed images, averages, mirror images. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "stripes.h"

#include <math.h>

#include "runtime/model_internal.h"
#include "train/train_settings.h"

static void sizes_rise_in_steps_and_stay_at_the_last(void **state)
{
    (void)state;
    static const uint32_t expected[] = { 96, 96, 112, 112, 128, 128, 128, 128 };
    for (uint32_t epoch = 1; epoch <= 8; epoch++)
        assert_int_equal(expected[epoch - 1], cnn_progressive_size(96, 128, epoch, 8));
    assert_int_equal(128, cnn_progressive_size(96, 128, 1, 1));
    assert_int_equal(96, cnn_progressive_size(96, 100, 1, 2)); /* too near for a step between */
    assert_int_equal(100, cnn_progressive_size(96, 100, 2, 2));
    assert_int_equal(64, cnn_progressive_size(64, 64, 3, 9));
}

/* A net for any size. */
static cnn_model *make_pooled_net(cnn_context *context)
{
    cnn_graph *graph;
    cnn_model *model;
    assert_ok(cnn_graph_create(context, &graph));
    cnn_node x = cnn_conv2d(graph, cnn_input(graph, STRIPES_SIZE, STRIPES_SIZE, 3), 8, NULL);
    x = cnn_relu(graph, cnn_batch_norm(graph, x, NULL));
    cnn_dense(graph, cnn_global_avg_pool(graph, x), 1, NULL);
    assert_ok(cnn_model_create(context, graph, 3, &model));
    cnn_graph_destroy(graph);
    return model;
}

static stripes open_pooled(uint32_t threads)
{
    stripes s = open_stripes(threads, 0);
    cnn_model_destroy(s.model);
    s.model = make_pooled_net(s.context);
    return s;
}

enum { EPOCHS = 4 };

static cnn_train_options make_options(void)
{
    static cnn_optimizer_options optimizer;
    cnn_optimizer_options_init(&optimizer);
    optimizer.kind = CNN_SGDW;
    optimizer.learning_rate = 0.1f;
    optimizer.momentum = 0.9f;
    optimizer.nesterov = 1;
    optimizer.weight_decay = 5e-4f;
    cnn_train_options options;
    cnn_train_options_init(&options);
    options.optimizer = &optimizer;
    options.epochs = EPOCHS;
    options.batch_size = 12;
    options.first_size = 8;
    options.last_size = 24;
    options.mixup = 0.2f;
    options.cutmix = 1;
    options.ema_decay = 0.9f;
    return options;
}

typedef struct watcher {
    const cnn_model *model;
    int64_t sizes[EPOCHS];
    uint32_t stop_after;
} watcher;

static int note_size(const cnn_progress *progress, void *user)
{
    watcher *w = user;
    int64_t size = cnn_model_input_shape(w->model).dims[0];
    if (progress->validating)
        assert_int_equal(STRIPES_SIZE, size);
    else
        w->sizes[progress->epoch - 1] = size;
    return 0;
}

static int stop(const cnn_epoch *epoch, void *user)
{
    return epoch->epoch == ((const watcher *)user)->stop_after;
}

/* Trains, or goes on, until an epoch is done; the weights are freed with free. */
static float *train(uint32_t threads, const char *checkpoint, uint32_t stop_after, size_t *count)
{
    stripes s = open_pooled(threads);
    cnn_train_options options = make_options();
    watcher w = { .model = s.model, .stop_after = stop_after };
    options.on_step = note_size;
    options.on_epoch = stop;
    options.on_step_user = options.on_epoch_user = &w;
    options.checkpoint = checkpoint;
    options.resume = checkpoint != NULL;
    cnn_history *history;
    assert_ok(cnn_train(s.model, s.training, s.test, &options, &history));
    assert_int_equal(stop_after, cnn_history_count(history));
    assert_int_equal(STRIPES_SIZE, cnn_model_input_shape(s.model).dims[0]);
    for (uint32_t i = 0; i < stop_after; i++)
        assert_true(!w.sizes[i] || w.sizes[i] == (i < 2 ? 8 : 24));
    assert_int_not_equal(0, w.sizes[stop_after - 1]);
    cnn_history_destroy(history);
    float *weights = copy_weights(s.model, count);
    close_stripes(&s);
    return weights;
}

static void any_number_of_threads_and_any_interruption_give_the_same_bits(void **state)
{
    (void)state;
    size_t count, others;
    float *whole = train(1, NULL, EPOCHS, &count);
    float *threaded = train(3, NULL, EPOCHS, &others);
    assert_int_equal(count, others);
    assert_memory_equal(whole, threaded, count * sizeof *whole);
    free(train(2, beside("state"), 1, &others));
    free(train(2, beside("state"), 3, &others));
    float *resumed = train(1, beside("state"), EPOCHS, &others);
    assert_memory_equal(whole, resumed, count * sizeof *whole);
    remove(beside("state"));
    free(whole);
    free(threaded);
    free(resumed);
}

static void a_checkpoint_of_another_recipe_is_refused(void **state)
{
    (void)state;
    size_t count;
    free(train(2, beside("state"), 1, &count));
    for (int i = 0; i < 3; i++) {
        stripes s = open_pooled(1);
        cnn_train_options options = make_options();
        options.checkpoint = beside("state");
        options.resume = 1;
        options.last_size -= i == 0 ? 8 : 0;
        options.mixup += i == 1 ? 0.1f : 0;
        options.cutmix -= i == 2 ? 0.1f : 0;
        assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, s.training, s.test, &options, NULL));
        assert_non_null(strstr(cnn_last_error(), i == 0 ? "last_size" : i == 1 ? "mixup" : "cutmix"));
        close_stripes(&s);
    }
    remove(beside("state"));
}

static void a_net_for_one_size_is_refused_before_the_first_epoch(void **state)
{
    (void)state;
    stripes s = open_stripes(1, 0);
    cnn_train_options options = make_options();
    assert_status(CNN_ERROR_SHAPE, cnn_train(s.model, s.training, s.test, &options, NULL));
    assert_non_null(strstr(cnn_last_error(), "dense_1: its weights are for one size"));
    assert_int_equal(STRIPES_SIZE, cnn_model_input_shape(s.model).dims[0]);
    close_stripes(&s);
    s = open_pooled(1);
    options.first_size = 32; /* above the last */
    assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, s.training, s.test, &options, NULL));
    options.first_size = 1;
    assert_status(CNN_ERROR_SHAPE, cnn_train(s.model, s.training, s.test, &options, NULL));
    assert_int_equal(STRIPES_SIZE, cnn_model_input_shape(s.model).dims[0]);
    close_stripes(&s);
}

/* A net for whose sum an odd multiple of 16 pixels doesn't do: pooling rounds its halves down, padding rounds them up.
 */
static cnn_model *make_uneven_net(cnn_context *context)
{
    cnn_graph *graph;
    cnn_model *model;
    cnn_pool2d_options down, up;
    cnn_pool2d_options_init(&down);
    down.kernel[0] = down.kernel[1] = 32;
    up = down;
    up.padding = CNN_PADDING_SAME;
    assert_ok(cnn_graph_create(context, &graph));
    cnn_node x = cnn_input(graph, 32, 32, 3);
    x = cnn_add(graph, cnn_max_pool2d(graph, x, &down), cnn_max_pool2d(graph, x, &up));
    cnn_dense(graph, cnn_global_avg_pool(graph, x), 1, NULL);
    assert_ok(cnn_model_create(context, graph, 3, &model));
    cnn_graph_destroy(graph);
    return model;
}

static void a_size_in_between_that_does_not_fit_is_refused_before_the_first_epoch(void **state)
{
    (void)state;
    stripes s = open_stripes(1, 0);
    cnn_model_destroy(s.model);
    s.model = make_uneven_net(s.context);
    cnn_train_options options = make_options();
    cnn_history *history;
    options.first_size = 32;
    options.last_size = 64;
    options.epochs = 8;
    assert_status(CNN_ERROR_SHAPE, cnn_train(s.model, s.training, s.test, &options, &history));
    assert_null(history);
    close_stripes(&s);
}

/* The logit of an image, by the net as it is. */
static float logit_of(const stripes *s, float *pixels)
{
    cnn_tensor *input, *output;
    float logit;
    assert_ok(
        cnn_tensor_wrap(s->context, CNN_FLOAT32, 4, (int64_t[]){ 1, STRIPES_SIZE, STRIPES_SIZE, 3 }, pixels, &input));
    assert_ok(cnn_tensor_wrap(s->context, CNN_FLOAT32, 2, (int64_t[]){ 1, 1 }, &logit, &output));
    assert_ok(cnn_model_predict(s->model, input, output));
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(output);
    return logit;
}

static void mirror(const float *pixels, float *mirrored)
{
    for (int y = 0; y < STRIPES_SIZE; y++)
        for (int x = 0; x < STRIPES_SIZE; x++)
            memcpy(mirrored + (y * STRIPES_SIZE + STRIPES_SIZE - 1 - x) * 3, pixels + (y * STRIPES_SIZE + x) * 3,
                   3 * sizeof *pixels);
}

static void with_flip_the_logit_is_the_mean_over_an_image_and_its_mirror_image(void **state)
{
    (void)state;
    stripes s = open_pooled(2);
    double loss = 0;
    for (uint64_t i = 0; i < 2 * STRIPES_TEST; i++) {
        float pixels[STRIPES_SIZE * STRIPES_SIZE * 3], mirrored[STRIPES_SIZE * STRIPES_SIZE * 3];
        cnn_preprocess preprocess;
        cnn_preprocess_init(&preprocess);
        preprocess.width = preprocess.height = STRIPES_SIZE;
        cnn_tensor *decoded;
        assert_ok(cnn_dataset_decode(s.test, i, NULL, &decoded));
        assert_ok(cnn_image_preprocess(s.context, decoded, &preprocess, pixels));
        cnn_tensor_destroy(decoded);
        mirror(pixels, mirrored);
        double logit = 0.5 * ((double)logit_of(&s, pixels) + (double)logit_of(&s, mirrored));
        loss += log1p(exp(cnn_dataset_label(s.test, i) ? -logit : logit)) / (2 * STRIPES_TEST);
    }
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    options.flip = 1;
    cnn_metrics *metrics;
    cnn_metrics_result result = { .struct_size = sizeof result };
    assert_ok(cnn_evaluate(s.model, s.test, &options, &metrics));
    assert_ok(cnn_metrics_compute(metrics, &result));
    assert_true(fabs(loss - result.loss) < 1e-6);
    assert_true(fabs(measure(&s).loss - result.loss) > 1e-6);
    cnn_metrics_destroy(metrics);
    close_stripes(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_rise_in_steps_and_stay_at_the_last),
        cmocka_unit_test(any_number_of_threads_and_any_interruption_give_the_same_bits),
        cmocka_unit_test(a_checkpoint_of_another_recipe_is_refused),
        cmocka_unit_test(a_net_for_one_size_is_refused_before_the_first_epoch),
        cmocka_unit_test(a_size_in_between_that_does_not_fit_is_refused_before_the_first_epoch),
        cmocka_unit_test(with_flip_the_logit_is_the_mean_over_an_image_and_its_mirror_image),
    };
    return cmocka_run_group_tests(tests, make_stripes, remove_stripes);
}
