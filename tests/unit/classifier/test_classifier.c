#include "photographs.h"

#include <math.h>
#include <unistd.h>

static void it_learns_to_tell_two_classes_apart(void **state)
{
    cnn_classifier *classifier = train_small(state);
    assert_string_equal("blue", cnn_classifier_class_name(classifier, 0));
    assert_string_equal("red", cnn_classifier_class_name(classifier, 1));
    assert_null(cnn_classifier_class_name(classifier, 2));
    cnn_dataset *test = open_data(state, "test");
    cnn_metrics *metrics;
    cnn_metrics_result result = { .struct_size = sizeof result };
    assert_ok(cnn_classifier_evaluate(classifier, test, &metrics));
    assert_ok(cnn_metrics_compute(metrics, &result));
    assert_int_equal(2 * IMAGES, result.images);
    assert_true(result.accuracy > 0.95);
    const cnn_prediction red = predict(classifier, scratch_path(*state, "test/red/03.png"));
    assert_string_equal("red", red.label);
    assert_int_equal(1, red.class_index);
    assert_true(red.probability > 0.5f && red.confidence == red.probability);
    const cnn_prediction blue = predict(classifier, scratch_path(*state, "test/blue/03.png"));
    assert_string_equal("blue", blue.label);
    assert_true(blue.probability < 0.5f && blue.confidence == 1 - blue.probability);
    cnn_metrics_destroy(metrics);
    cnn_dataset_destroy(test);
    cnn_classifier_destroy(classifier);
}

static void names_and_labels_last_through_another_training(void **state)
{
    cnn_classifier *classifier = create_small(NULL);
    cnn_dataset *dataset = open_data(state, "data");
    cnn_optimizer_options optimizer;
    const cnn_train_options options = train_options(&optimizer, 1);
    assert_ok(cnn_classifier_fit(classifier, dataset, NULL, &options));
    const char *name = cnn_classifier_class_name(classifier, 0);
    const cnn_prediction red = predict(classifier, scratch_path(*state, "data/red/03.png"));
    assert_ok(cnn_classifier_fit(classifier, dataset, NULL, &options));
    assert_ptr_equal(name, cnn_classifier_class_name(classifier, 0));
    assert_string_equal("blue", name);
    assert_ptr_equal(red.label, cnn_classifier_class_name(classifier, (uint32_t)red.class_index));
    cnn_dataset_destroy(dataset);
    cnn_classifier_destroy(classifier);
}

typedef struct log_lines {
    int count;
    char last[1024];
} log_lines;

static void keep_line(cnn_log_level level, const char *message, void *user)
{
    log_lines *lines = user;
    lines->count += level == CNN_LOG_WARNING;
    snprintf(lines->last, sizeof lines->last, "%s", message);
}

static void a_broken_file_is_named_once_in_the_log_and_left_out(void **state)
{
    log_lines lines = { 0 };
    cnn_context_options context_options;
    cnn_context *context;
    cnn_context_options_init(&context_options);
    context_options.threads = 2;
    context_options.log = keep_line;
    context_options.log_user = &lines;
    assert_ok(cnn_context_create(&context_options, &context));
    cnn_classifier *classifier = create_small(context);
    cnn_dataset *dataset;
    cnn_history *history;
    assert_ok(cnn_dataset_open(context, scratch_path(*state, "data"), NULL, &dataset));
    cnn_optimizer_options optimizer;
    const cnn_train_options options = train_options(&optimizer, 2);
    assert_ok(cnn_classifier_fit_with_history(classifier, dataset, NULL, &options, &history));
    assert_int_equal(2, cnn_history_count(history));
    assert_int_equal(1, lines.count);
    assert_non_null(strstr(lines.last, "data/red/broken.png: is left out: "));
    assert_int_equal(2 * IMAGES + 1, cnn_dataset_count(dataset));
    cnn_history_destroy(history);

    uint64_t bad;
    assert_ok(cnn_dataset_verify(dataset, NULL, &bad)); /* the caller has reported it: it isn't again */
    assert_int_equal(1, bad);
    assert_ok(cnn_classifier_fit(classifier, dataset, NULL, &options));
    assert_int_equal(1, lines.count);
    cnn_dataset_destroy(dataset);
    cnn_classifier_destroy(classifier);
    cnn_context_destroy(context);
}

static void data_that_does_not_fit_is_refused(void **state)
{
    cnn_classifier *classifier = create_small(NULL);
    cnn_dataset *three = open_data(state, "three"), *others = open_data(state, "others"),
                *data = open_data(state, "data");
    cnn_optimizer_options optimizer;
    const cnn_train_options options = train_options(&optimizer, 1);
    assert_status(CNN_ERROR_DATA, cnn_classifier_fit(classifier, three, NULL, &options));
    assert_non_null(strstr(cnn_last_error(), "3 classes (blue, green, red); the classifier tells 2 apart"));
    assert_null(cnn_classifier_class_name(classifier, 0));
    assert_status(CNN_ERROR_DATA, cnn_classifier_fit(classifier, data, others, &options));
    assert_ok(cnn_classifier_fit(classifier, data, data, &options));
    assert_status(CNN_ERROR_DATA, cnn_classifier_fit(classifier, others, NULL, &options));
    cnn_metrics *metrics;
    assert_status(CNN_ERROR_DATA, cnn_classifier_evaluate(classifier, others, &metrics));
    assert_null(metrics);
    cnn_dataset_destroy(data);
    cnn_dataset_destroy(others);
    cnn_dataset_destroy(three);
    cnn_classifier_destroy(classifier);
}

static void a_training_that_does_not_begin_leaves_it_untrained(void **state)
{
    cnn_classifier *classifier = create_small(NULL);
    cnn_dataset *data = open_data(state, "data");
    cnn_optimizer_options optimizer;
    cnn_train_options options = train_options(&optimizer, 1);
    options.label_smoothing = -3;
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_fit(classifier, data, NULL, &options));
    assert_null(cnn_classifier_class_name(classifier, 0));
    assert_null(cnn_model_metadata(cnn_classifier_model(classifier), "cnn.classes"));
    options.label_smoothing = 0;
    options.preprocess = cnn_classifier_preprocess(classifier);
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_fit(classifier, data, NULL, &options));
    assert_non_null(strstr(cnn_last_error(), "preprocess"));
    cnn_dataset_destroy(data);
    cnn_classifier_destroy(classifier);
}

static void graphs_that_are_no_classifiers_are_refused(void **state)
{
    (void)state;
    cnn_classifier *classifier;
    const struct {
        int64_t channels, units;
        cnn_node (*activation)(cnn_graph *graph, cnn_node input);
        bool dropout;
        const char *words;
    } cases[] = { { 1, 1, NULL, false, "1 channels" },
                  { 3, 1001, NULL, false, "one logit" },
                  { 3, 1, cnn_sigmoid, false, "ends in sigmoid" },
                  { 3, 3, cnn_softmax, true, "ends in softmax" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cnn_graph *g;
        assert_ok(cnn_graph_create(NULL, &g));
        cnn_node x = cnn_global_avg_pool(g, cnn_input(g, 8, 8, cases[i].channels));
        x = cnn_dense(g, x, cases[i].units, NULL);
        if (cases[i].activation)
            x = cases[i].activation(g, x);
        if (cases[i].dropout)
            cnn_flatten(g, cnn_dropout(g, x, 0.5f));
        assert_status(CNN_ERROR_SHAPE, cnn_classifier_create_from_graph(NULL, g, NULL, &classifier));
        assert_null(classifier);
        assert_non_null(strstr(cnn_last_error(), cases[i].words));
        cnn_graph_destroy(g);
    }
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create(NULL, "no_such_net", NULL, &classifier));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create(NULL, NULL, NULL, &classifier));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create_from_graph(NULL, NULL, NULL, &classifier));
}

static void options_are_checked_and_used(void **state)
{
    (void)state;
    cnn_classifier *classifier;
    cnn_preprocess preprocess;
    cnn_net_options net;
    cnn_classifier_options options;
    cnn_classifier_options_init(&options);
    cnn_preprocess_init(&preprocess);
    cnn_net_options_init(&net);
    net.size = 40;
    net.outputs = 5; /* ignored */
    preprocess.width = 999;
    preprocess.fit = CNN_FIT_CROP;
    preprocess.mean[1] = 100;
    options.net = &net;
    options.preprocess = &preprocess;
    assert_ok(cnn_classifier_create(NULL, "two_conv", &options, &classifier));
    const cnn_preprocess *used = cnn_classifier_preprocess(classifier);
    assert_int_equal(40, used->width);
    assert_int_equal(40, used->height);
    assert_int_equal(CNN_FIT_CROP, used->fit);
    assert_true(used->mean[1] == 100 && used->mean[0] == 127.5f);
    cnn_classifier_destroy(classifier);
    preprocess.scale[2] = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create(NULL, "two_conv", &options, &classifier));
    options.struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create(NULL, "two_conv", &options, &classifier));
}

static void use_before_training_or_of_nothing_is_an_error(void **state)
{
    cnn_classifier *classifier = create_small(NULL);
    cnn_prediction prediction = { .struct_size = sizeof prediction };
    cnn_metrics *metrics;
    cnn_dataset *dataset = open_data(state, "data");
    const char *photo = scratch_path(*state, "test/red/01.png"), *path = scratch_path(*state, "untrained");
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_file(classifier, photo, &prediction));
    assert_non_null(strstr(cnn_last_error(), "has not been trained"));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_evaluate(classifier, dataset, &metrics));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_save(classifier, path));
    assert_int_equal(-1, access(path, F_OK));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_fit(NULL, dataset, NULL, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_fit(classifier, NULL, NULL, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_memory(NULL, "x", 1, &prediction));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_pixels(NULL, NULL, &prediction));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_save(NULL, path));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_set_threshold(NULL, 0.5f));
    assert_null(cnn_classifier_class_name(classifier, 0));
    assert_null(cnn_classifier_model(NULL));
    assert_null(cnn_classifier_preprocess(NULL));
    cnn_classifier_destroy(NULL);
    cnn_dataset_destroy(dataset);
    cnn_classifier_destroy(classifier);
}

static int stop_at_once(uint64_t done, uint64_t total, void *user)
{
    *(uint64_t *)user = total;
    return done > 0;
}

static void a_quantized_classifier_decides_as_the_first_does(void **state)
{
    cnn_classifier *first = train_small(state), *small, *none;
    cnn_dataset *photographs = open_data(state, "data"); /* one of them is broken */
    assert_ok(cnn_classifier_set_threshold(first, 0.4f));
    assert_ok(cnn_classifier_quantize(first, photographs, NULL, &small));
    assert_string_equal("red", cnn_classifier_class_name(small, 1));
    assert_true(cnn_classifier_threshold(small) == 0.4f);
    assert_memory_equal(cnn_classifier_preprocess(first), cnn_classifier_preprocess(small), sizeof(cnn_preprocess));
    for (int i = 0; i < IMAGES; i++) {
        char path[64];
        snprintf(path, sizeof path, "test/%s/%02d.png", i % 2 ? "red" : "blue", i);
        const char *file = scratch_path(*state, path);
        const cnn_prediction a = predict(first, file), b = predict(small, file);
        assert_int_equal(a.class_index, b.class_index);
        assert_true(fabsf(a.probability - b.probability) < 0.05f);
    }
    cnn_quantize_options options;
    cnn_quantize_options_init(&options);
    uint64_t total = 0;
    options.images = 10;
    options.progress = stop_at_once;
    options.progress_user = &total;
    assert_status(CNN_ERROR_STOPPED, cnn_classifier_quantize(first, photographs, &options, &none));
    assert_true(total >= 9 && total <= 10);
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_quantize(small, photographs, NULL, &none));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_quantize(first, NULL, NULL, &none));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_quantize(NULL, photographs, NULL, &none));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_quantize(first, photographs, NULL, NULL));
    cnn_optimizer_options optimizer;
    const cnn_train_options training = train_options(&optimizer, 1);
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_fit(small, photographs, NULL, &training));
    cnn_dataset_destroy(photographs);
    cnn_classifier_destroy(small);
    cnn_classifier_destroy(first);
}

static void a_pretrained_net_gets_a_new_head(void **state)
{
    cnn_classifier *first = train_small(state), *second;
    cnn_classifier_options options;
    cnn_classifier_options_init(&options);
    options.seed = 77;
    assert_ok(cnn_classifier_create_from_model(NULL, cnn_classifier_model(first), &options, &second));
    assert_null(cnn_classifier_class_name(second, 0));
    assert_memory_equal(cnn_classifier_preprocess(first), cnn_classifier_preprocess(second), sizeof(cnn_preprocess));
    cnn_model *from = cnn_classifier_model(first), *to = cnn_classifier_model(second);
    int32_t count = cnn_model_parameter_count(from);
    assert_int_equal(count, cnn_model_parameter_count(to));
    for (int32_t i = 0; i < count; i++) {
        cnn_parameter a = { .struct_size = sizeof a }, b = { .struct_size = sizeof b };
        assert_ok(cnn_model_parameter(from, i, &a));
        assert_ok(cnn_model_parameter(to, i, &b));
        bool same = !memcmp(cnn_tensor_data(a.value), cnn_tensor_data(b.value), cnn_tensor_bytes(a.value));
        assert_int_equal(i < count - 2, same);
    }
    cnn_classifier_destroy(first);
    cnn_classifier_destroy(second);
}

static void a_head_alone_learns_to_tell_two_classes_apart(void **state)
{
    cnn_classifier *first = create_small(NULL), *second;
    assert_ok(cnn_classifier_create_from_model(NULL, cnn_classifier_model(first), NULL, &second));
    cnn_dataset *data = open_data(state, "data"), *test = open_data(state, "test");
    cnn_optimizer_options optimizer;
    cnn_train_options options = train_options(&optimizer, 20);
    cnn_history *history;
    cnn_metrics *metrics;
    cnn_metrics_result result = { .struct_size = sizeof result };
    assert_ok(cnn_classifier_fit_head(second, NULL, data, test, &options, &history));
    assert_int_equal(20, cnn_history_count(history));
    assert_ok(cnn_classifier_evaluate(second, test, &metrics));
    assert_ok(cnn_metrics_compute(metrics, &result));
    assert_true(result.accuracy >= 0.9);
    assert_string_equal("blue", cnn_classifier_class_name(second, 0));
    float from_features = cnn_classifier_temperature(second);
    assert_ok(cnn_classifier_calibrate(second, test));
    assert_true(from_features != 1);
    assert_float_equal(from_features, cnn_classifier_temperature(second), 1e-4);
    cnn_metrics_destroy(metrics);
    cnn_history_destroy(history);
    cnn_dataset_destroy(data);
    cnn_dataset_destroy(test);
    cnn_classifier_destroy(first);
    cnn_classifier_destroy(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns_to_tell_two_classes_apart),
        cmocka_unit_test(names_and_labels_last_through_another_training),
        cmocka_unit_test(a_broken_file_is_named_once_in_the_log_and_left_out),
        cmocka_unit_test(data_that_does_not_fit_is_refused),
        cmocka_unit_test(a_training_that_does_not_begin_leaves_it_untrained),
        cmocka_unit_test(graphs_that_are_no_classifiers_are_refused),
        cmocka_unit_test(options_are_checked_and_used),
        cmocka_unit_test(use_before_training_or_of_nothing_is_an_error),
        cmocka_unit_test(a_quantized_classifier_decides_as_the_first_does),
        cmocka_unit_test(a_pretrained_net_gets_a_new_head),
        cmocka_unit_test(a_head_alone_learns_to_tell_two_classes_apart),
    };
    return cmocka_run_group_tests(tests, write_data, scratch_teardown);
}
