#include "photographs.h"

#include <cnn/explain.h>

#include "core/memory.h"

static cnn_classifier *train_for_maps(void **state)
{
    cnn_graph *g;
    cnn_classifier *classifier;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_max_pool2d(g, cnn_relu(g, cnn_conv2d(g, cnn_input(g, INPUT, INPUT, 3), 8, NULL)), NULL);
    cnn_dense(g, cnn_flatten(g, x), 1, NULL);
    assert_ok(cnn_classifier_create_from_graph(NULL, g, NULL, &classifier));
    cnn_graph_destroy(g);
    cnn_dataset *dataset = open_data(state, "data");
    cnn_optimizer_options optimizer;
    const cnn_train_options options = train_options(&optimizer, 4);
    assert_ok(cnn_classifier_fit(classifier, dataset, NULL, &options));
    cnn_dataset_destroy(dataset);
    return classifier;
}

static void assert_same_maps(cnn_tensor *a, cnn_tensor *b, bool same)
{
    assert_int_equal(7, cnn_tensor_dim(a, 0));
    assert_int_equal(7, cnn_tensor_dim(b, 1));
    assert_true(same == !memcmp(cnn_tensor_data(a), cnn_tensor_data(b), 49 * sizeof(float)));
}

static void a_file_its_bytes_and_its_pixels_give_the_same_prediction_and_map(void **state)
{
    cnn_classifier *classifier = train_for_maps(state);
    const char *path = scratch_path(*state, "test/red/01.png");
    cnn_prediction expected = { .struct_size = sizeof expected }, given[3] = { expected, expected, expected };
    cnn_tensor *maps[3], *pixels, *other;
    void *bytes;
    size_t size;
    assert_ok(cnn_classifier_predict_file(classifier, path, &expected));
    assert_ok(cnn_classifier_explain_file(classifier, path, -1, &given[0], &maps[0]));
    assert_ok(cnn_file_read(NULL, path, 1 << 20, &bytes, &size));
    assert_ok(cnn_classifier_explain_memory(classifier, bytes, size, -1, &given[1], &maps[1]));
    assert_ok(cnn_image_load(NULL, path, NULL, &pixels));
    assert_ok(cnn_classifier_explain_pixels(classifier, pixels, expected.class_index, &given[2], &maps[2]));
    for (int i = 0; i < 3; i++) {
        assert_memory_equal(&expected, &given[i], sizeof expected);
        assert_same_maps(maps[0], maps[i], true);
    }
    assert_ok(cnn_classifier_explain_pixels(classifier, pixels, !expected.class_index, &given[2], &other));
    assert_memory_equal(&expected, &given[2], sizeof expected);
    assert_same_maps(maps[0], other, false);
    cnn_tensor_destroy(other);
    for (int i = 0; i < 3; i++)
        cnn_tensor_destroy(maps[i]);
    cnn_tensor_destroy(pixels);
    cnn_release(NULL, bytes);
    cnn_classifier_destroy(classifier);
}

static void a_prediction_of_a_broken_image_says_so(void **state)
{
    cnn_classifier *classifier = train_for_maps(state);
    char predicted_error[100], explained_error[100];
    cnn_prediction expected, given;
    cnn_prediction_init(&expected);
    expected.error = predicted_error;
    expected.error_capacity = sizeof predicted_error;
    cnn_tensor *map;
    const char *missing = scratch_path(*state, "missing.png");
    for (int of_file = 0; of_file < 2; of_file++) {
        cnn_prediction_init(&given);
        given.error = explained_error;
        given.error_capacity = sizeof explained_error;
        cnn_status status = of_file ? cnn_classifier_predict_file(classifier, missing, &expected)
                                    : cnn_classifier_predict_memory(classifier, "no image", 8, &expected);
        assert_int_equal(status, of_file ? cnn_classifier_explain_file(classifier, missing, -1, &given, &map)
                                         : cnn_classifier_explain_memory(classifier, "no image", 8, -1, &given, &map));
        assert_int_equal(status, given.status);
        assert_int_equal(-1, given.class_index);
        assert_string_equal(predicted_error, explained_error);
        assert_null(map);
    }
    cnn_classifier_destroy(classifier);
}

static void what_cannot_be_explained_is_refused(void **state)
{
    cnn_classifier *classifier = train_for_maps(state);
    const char *path = scratch_path(*state, "test/red/01.png");
    cnn_prediction prediction = { .struct_size = sizeof prediction };
    cnn_tensor *map;
    assert_int_equal(CNN_ERROR_FORMAT,
                     cnn_classifier_explain_memory(classifier, "this is no image", 16, -1, &prediction, &map));
    assert_null(map);
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_classifier_explain_file(classifier, path, 2, &prediction, &map));
    assert_null(map);
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_classifier_explain_file(NULL, path, -1, &prediction, &map));
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_classifier_explain_file(classifier, NULL, -1, &prediction, &map));
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_classifier_explain_file(classifier, path, -1, NULL, &map));
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_classifier_explain_file(classifier, path, -1, &prediction, NULL));
    cnn_classifier_destroy(classifier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_its_bytes_and_its_pixels_give_the_same_prediction_and_map),
        cmocka_unit_test(a_prediction_of_a_broken_image_says_so),
        cmocka_unit_test(what_cannot_be_explained_is_refused),
    };
    return cmocka_run_group_tests(tests, write_data, scratch_teardown);
}
