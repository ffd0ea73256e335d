/* What a classifier keeps beside its weights: more classes than two, temperature, flip, size. */
#include "photographs.h"

#include "runtime/model_internal.h"
#include <math.h>

static cnn_classifier *create(uint32_t outputs)
{
    cnn_graph *g;
    cnn_classifier *classifier;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_relu(g, cnn_conv2d(g, cnn_input(g, INPUT, INPUT, 3), 8, NULL));
    cnn_dense(g, cnn_global_avg_pool(g, x), outputs, NULL);
    assert_ok(cnn_classifier_create_from_graph(NULL, g, NULL, &classifier));
    cnn_graph_destroy(g);
    return classifier;
}

static cnn_classifier *train(void **state, const char *data, uint32_t outputs)
{
    cnn_classifier *classifier = create(outputs);
    cnn_dataset *dataset = open_data(state, data);
    cnn_optimizer_options optimizer;
    const cnn_train_options options = train_options(&optimizer, 20);
    assert_ok(cnn_classifier_fit(classifier, dataset, dataset, &options));
    cnn_dataset_destroy(dataset);
    return classifier;
}

static cnn_metrics_result evaluate(void **state, const cnn_classifier *classifier, const char *data)
{
    cnn_dataset *dataset = open_data(state, data);
    cnn_metrics *metrics;
    cnn_metrics_result result = { .struct_size = sizeof result };
    assert_ok(cnn_classifier_evaluate(classifier, dataset, &metrics));
    assert_ok(cnn_metrics_compute(metrics, &result));
    cnn_metrics_destroy(metrics);
    cnn_dataset_destroy(dataset);
    return result;
}

static cnn_classifier *save_and_load(void **state, const cnn_classifier *classifier)
{
    const char *path = scratch_path(*state, "saved.safetensors");
    cnn_classifier *loaded;
    assert_ok(cnn_classifier_save(classifier, path));
    assert_ok(cnn_classifier_load(NULL, path, &loaded));
    return loaded;
}

static void assert_knows_three(void **state, const cnn_classifier *classifier)
{
    const char *names[] = { "blue", "green", "red", NULL };
    for (uint32_t i = 0; i < 4; i++)
        if (names[i])
            assert_string_equal(names[i], cnn_classifier_class_name(classifier, i));
        else
            assert_null(cnn_classifier_class_name(classifier, i));
    float probabilities[3] = { 0 }, sum = 0;
    uint32_t top[3];
    cnn_prediction green;
    cnn_prediction_init(&green);
    green.probabilities = probabilities;
    green.probability_capacity = 3;
    assert_ok(cnn_classifier_predict_file(classifier, scratch_path(*state, "three/green/03.png"), &green));
    assert_string_equal("green", green.label);
    assert_int_equal(1, green.class_index);
    assert_int_equal(3, green.class_count);
    assert_int_equal(3, cnn_classifier_class_count(classifier));
    assert_int_equal(3, cnn_top_classes(probabilities, 3, top, 3));
    assert_int_equal(1, top[0]);
    assert_true(green.confidence == probabilities[1] && green.confidence > 0.5f);
    for (int i = 0; i < 3; i++) {
        assert_true(i == 0 || probabilities[top[i]] <= probabilities[top[i - 1]]);
        sum += probabilities[i];
    }
    assert_float_equal(1, sum, 1e-5);
}

static void three_classes_are_learned_saved_and_told_apart(void **state)
{
    cnn_classifier *classifier = train(state, "three", 3);
    assert_knows_three(state, classifier);
    cnn_classifier *loaded = save_and_load(state, classifier);
    assert_knows_three(state, loaded);
    assert_true(evaluate(state, loaded, "three").accuracy > 0.9);
    cnn_classifier_destroy(loaded);
    cnn_classifier_destroy(classifier);
}

static void many_files_of_three_classes_are_predicted_as_each_is(void **state)
{
    cnn_classifier *classifier = train(state, "three", 3);
    char names[3][512];
    const char *paths[3];
    float alone[3], together[3][3];
    cnn_prediction predictions[3], one;
    for (int i = 0; i < 3; i++) {
        snprintf(names[i], sizeof names[i], "%s/three/%s/05.png", (const char *)*state,
                 cnn_classifier_class_name(classifier, (uint32_t)i));
        paths[i] = names[i];
        cnn_prediction_init(&predictions[i]);
        predictions[i].probabilities = together[i];
        predictions[i].probability_capacity = 3;
    }
    assert_ok(cnn_classifier_predict_files(classifier, paths, 3, predictions));
    cnn_prediction_init(&one);
    one.probabilities = alone;
    one.probability_capacity = 3;
    for (int i = 0; i < 3; i++) {
        assert_ok(cnn_classifier_predict_file(classifier, paths[i], &one));
        assert_int_equal(i, predictions[i].class_index);
        assert_memory_equal(alone, together[i], sizeof alone);
    }
    cnn_classifier_destroy(classifier);
}

static void a_net_by_name_gets_the_logits_that_the_classes_need(void **state)
{
    (void)state;
    const uint32_t classes[] = { 2, 3, 1000 }, outputs[] = { 1, 3, 1000 };
    cnn_classifier_options options;
    cnn_classifier_options_init(&options);
    cnn_classifier *classifier;
    for (int i = 0; i < 3; i++) {
        options.classes = classes[i];
        assert_ok(cnn_classifier_create(NULL, "two_conv", &options, &classifier));
        assert_int_equal(outputs[i], cnn_model_output_shape(cnn_classifier_model(classifier)).dims[0]);
        cnn_classifier_destroy(classifier);
    }
    options.classes = 1;
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create(NULL, "two_conv", &options, &classifier));
    options.classes = 1001;
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create(NULL, "two_conv", &options, &classifier));
}

static void fitting_calibrates_and_the_temperature_is_saved(void **state)
{
    cnn_classifier *classifier = train(state, "data", 1);
    float temperature = cnn_classifier_temperature(classifier);
    assert_true(temperature > 0 && temperature != 1);
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    cnn_classifier_evaluate_options(classifier, &options);
    assert_true(options.temperature == temperature);
    cnn_classifier *loaded = save_and_load(state, classifier);
    assert_true(cnn_classifier_temperature(loaded) == temperature);
    const cnn_prediction sure = predict(loaded, scratch_path(*state, "test/red/01.png"));
    double calibrated = evaluate(state, loaded, "test").loss;

    /* what is all wrong for it makes it less sure, and changes nothing else */
    cnn_dataset *swapped = open_data(state, "swapped");
    assert_ok(cnn_classifier_calibrate(loaded, swapped));
    assert_true(cnn_classifier_temperature(loaded) > 1);
    const cnn_prediction unsure = predict(loaded, scratch_path(*state, "test/red/01.png"));
    assert_string_equal(sure.label, unsure.label);
    assert_true(unsure.confidence < sure.confidence);
    assert_true(evaluate(state, loaded, "test").loss > calibrated);
    cnn_dataset_destroy(swapped);
    cnn_classifier_destroy(loaded);
    cnn_classifier_destroy(classifier);
}

static void flip_counts_in_predictions_and_evaluation_and_is_saved(void **state)
{
    cnn_classifier *classifier = train(state, "data", 1);
    const char *path = scratch_path(*state, "test/red/01.png");
    const cnn_prediction plain = predict(classifier, path);
    double loss = evaluate(state, classifier, "test").loss;
    assert_int_equal(0, cnn_classifier_flip(classifier));
    assert_ok(cnn_classifier_set_flip(classifier, 7));
    cnn_classifier *loaded = save_and_load(state, classifier);
    assert_int_equal(1, cnn_classifier_flip(loaded));
    assert_true(predict(loaded, path).probability != plain.probability);
    assert_true(evaluate(state, loaded, "test").loss != loss);
    assert_ok(cnn_classifier_set_flip(loaded, 0));
    assert_true(predict(loaded, path).probability == plain.probability);
    assert_null(cnn_model_metadata(cnn_classifier_model(loaded), "cnn.flip"));
    cnn_classifier_destroy(loaded);
    cnn_classifier_destroy(classifier);
}

static void another_size_is_saved(void **state)
{
    cnn_classifier *classifier = train(state, "data", 1);
    assert_ok(cnn_classifier_resize(classifier, 20, 24));
    cnn_classifier *loaded = save_and_load(state, classifier);
    assert_int_equal(20, cnn_classifier_preprocess(loaded)->height);
    assert_int_equal(24, cnn_model_input_shape(cnn_classifier_model(loaded)).dims[1]);
    assert_true(evaluate(state, loaded, "test").accuracy > 0.9);
    assert_status(CNN_ERROR_SHAPE, cnn_classifier_resize(loaded, 2, 2));
    assert_int_equal(20, cnn_classifier_preprocess(loaded)->height);
    cnn_classifier_destroy(loaded);
    cnn_classifier_destroy(classifier);
}

static void nothing_is_an_error(void **state)
{
    cnn_dataset *data = open_data(state, "data");
    cnn_classifier *untrained = create(1);
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_calibrate(untrained, data));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_calibrate(NULL, data));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_set_flip(NULL, 1));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_resize(NULL, 8, 8));
    assert_true(cnn_classifier_temperature(NULL) == 1 && cnn_classifier_flip(NULL) == 0);
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    cnn_classifier_evaluate_options(NULL, &options);
    assert_null(options.preprocess);
    cnn_classifier_destroy(untrained);
    cnn_dataset_destroy(data);
}

static int write_all(void **state)
{
    if (write_data(state))
        return -1;
    write_class(scratch_path(*state, "swapped"), "blue", 0, 1000);
    write_class(scratch_path(*state, "swapped"), "red", 1, 1100);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_classes_are_learned_saved_and_told_apart),
        cmocka_unit_test(many_files_of_three_classes_are_predicted_as_each_is),
        cmocka_unit_test(a_net_by_name_gets_the_logits_that_the_classes_need),
        cmocka_unit_test(fitting_calibrates_and_the_temperature_is_saved),
        cmocka_unit_test(flip_counts_in_predictions_and_evaluation_and_is_saved),
        cmocka_unit_test(another_size_is_saved),
        cmocka_unit_test(nothing_is_an_error),
    };
    return cmocka_run_group_tests(tests, write_all, scratch_teardown);
}
