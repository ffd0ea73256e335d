/* Classifiers in files and in memory. */
#include "photographs.h"

#include "core/memory.h"

static void no_memory_is_an_error_without_a_leak(void **state)
{
    cnn_classifier *classifier = train_small(state), *loaded;
    const char *path = scratch_path(*state, "memory.safetensors"), *photo = scratch_path(*state, "test/red/04.png");
    assert_ok(cnn_classifier_save(classifier, path));
    cnn_classifier_destroy(classifier);
    scratch_memory memory = { 0 };
    cnn_context *context = scratch_context(&memory);
    cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
    for (memory.allowed = 0; status; memory.allowed++) {
        memory.taken = 0;
        cnn_prediction predictions[2] = { { .struct_size = sizeof predictions[0] } };
        status = cnn_classifier_load(context, path, &loaded);
        if (!status)
            status = cnn_classifier_predict_file(loaded, photo, &predictions[0]);
        if (!status)
            status = cnn_classifier_predict_files(loaded, (const char *const[]){ photo, photo }, 2, predictions);
        if (!status && (predictions[0].status || predictions[1].status))
            status = CNN_ERROR_OUT_OF_MEMORY;
        assert_true(!status || status == CNN_ERROR_OUT_OF_MEMORY);
        cnn_classifier_destroy(loaded);
        assert_int_equal(0, memory.held);
    }
    assert_true(memory.allowed > 20);
    cnn_context_destroy(context);
}

static void a_saved_classifier_comes_back_the_same(void **state)
{
    cnn_classifier *classifier = train_small(state), *loaded;
    const char *path = scratch_path(*state, "saved.safetensors"), *photo = scratch_path(*state, "test/red/05.png");
    assert_ok(cnn_classifier_set_threshold(classifier, 0.3f));
    assert_ok(cnn_classifier_save(classifier, path));
    assert_ok(cnn_classifier_load(NULL, path, &loaded));
    assert_true(cnn_classifier_threshold(loaded) == 0.3f);
    assert_string_equal("red", cnn_classifier_class_name(loaded, 1));
    const cnn_preprocess *before = cnn_classifier_preprocess(classifier), *after = cnn_classifier_preprocess(loaded);
    assert_memory_equal(before, after, sizeof *before);
    assert_int_equal(INPUT, after->width);
    const char *training = cnn_model_metadata(cnn_classifier_model(loaded), "cnn.training");
    assert_non_null(training);
    assert_non_null(strstr(training, "\"epochs\": 20"));
    assert_non_null(strstr(training, "\"optimizer\": \"adam\""));
    assert_non_null(strstr(training, "\"learning_rate\": 0.02,"));
    assert_non_null(strstr(training, "\"images\": 22,"));
    assert_non_null(strstr(training, "\"validation_images\": 2,"));
    assert_non_null(strstr(training, "\"validation_accuracy\": "));
    const cnn_prediction a = predict(classifier, photo), b = predict(loaded, photo);
    assert_same_prediction(&a, &b);
    cnn_classifier_destroy(loaded);
    cnn_classifier_destroy(classifier);
}

static void assert_not_loaded(const cnn_model *model, const char *path, const char *words)
{
    cnn_classifier *classifier;
    assert_ok(cnn_model_save(model, path));
    assert_status(CNN_ERROR_FORMAT, cnn_classifier_load(NULL, path, &classifier));
    assert_null(classifier);
    if (!strstr(cnn_last_error(), words) || !strstr(cnn_last_error(), path))
        fail_msg("\"%s\" is not in: %s", words, cnn_last_error());
}

static void models_that_are_no_classifiers_are_not_loaded(void **state)
{
    static const struct {
        const char *key, *text, *words;
    } cases[] = {
        { "cnn.classes", NULL, "no trained classifier: cnn.classes is missing" },
        { "cnn.classes", "[\"a\"]", "no list of 2 class names" },
        { "cnn.classes", "[\"a\", 2]", "no list of 2 class names" },
        { "cnn.classes", "{", "cnn.classes: is not sound JSON" },
        { "cnn.preprocess", NULL, "cnn.preprocess is missing" },
        { "cnn.preprocess", "[]", "lacks a sound mean, scale or fit" },
        { "cnn.preprocess",
          "{\"width\": 16, \"height\": 17, \"fit\": \"crop\", \"mean\": [1, 1, 1], \"scale\": [1, 1, 1]}",
          "not those of the graph's input" },
        { "cnn.preprocess",
          "{\"width\": 16, \"height\": 16, \"fit\": \"crop\", \"mean\": [1, 1, 1], \"scale\": [1, 1, 0]}",
          "the scale is not 0" },
        { "cnn.threshold", "1.5", "no number between 0 and 1" },
        { "cnn.threshold", "\"0.5\"", "no number between 0 and 1" },
        { "cnn.temperature", "0", "no number above 0" },
        { "cnn.flip", "1", "neither true nor false" },
    };
    const char *path = scratch_path(*state, "notes.safetensors");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cnn_classifier *classifier = create_small(NULL);
        cnn_model *model = cnn_classifier_model(classifier);
        assert_ok(cnn_model_set_metadata(model, "cnn.classes", "[\"blue\", \"red\"]"));
        assert_ok(cnn_model_set_metadata(model, cases[i].key, cases[i].text));
        assert_not_loaded(model, path, cases[i].words);
        cnn_classifier_destroy(classifier);
    }
}

static void a_classifier_is_saved_to_memory_as_to_its_file(void **state)
{
    cnn_classifier *classifier = train_small(state), *loaded = NULL;
    const char *path = scratch_path(*state, "memory.safetensors"), *photo = scratch_path(*state, "test/red/03.png");
    void *bytes, *expected;
    size_t size, file_size;
    assert_ok(cnn_classifier_save(classifier, path));
    assert_ok(cnn_classifier_save_to_memory(classifier, &bytes, &size));
    assert_ok(cnn_file_read(NULL, path, 1 << 24, &expected, &file_size));
    assert_int_equal(file_size, size);
    assert_memory_equal(expected, bytes, size);
    assert_ok(cnn_classifier_load_from_memory(NULL, bytes, size, &loaded));
    memset(bytes, 0xa5, size); /* it is copied */
    const cnn_prediction a = predict(classifier, photo), b = predict(loaded, photo);
    assert_same_prediction(&a, &b);
    cnn_classifier_destroy(loaded);
    assert_status(CNN_ERROR_FORMAT, cnn_classifier_load_from_memory(NULL, bytes, size, &loaded));
    assert_null(loaded);
    for (size_t cut = 0; cut < file_size; cut = cut * 2 + 1)
        assert_status(CNN_ERROR_FORMAT, cnn_classifier_load_from_memory(NULL, expected, cut, &loaded));
    assert_non_null(strstr(cnn_last_error(), "the model in memory: "));
    cnn_model *half;
    cnn_bytes_free(bytes);
    assert_ok(cnn_model_save_to_memory(cnn_classifier_model(classifier), CNN_BFLOAT16, &bytes, &size));
    assert_true(size < file_size);
    assert_ok(cnn_model_load_from_memory(NULL, bytes, size, &half));
    cnn_model_destroy(half);
    cnn_bytes_free(bytes);
    assert_status(CNN_ERROR_ARGUMENT,
                  cnn_model_save_to_memory(cnn_classifier_model(classifier), CNN_INT8, &bytes, &size));
    assert_null(bytes);
    cnn_release(NULL, expected);
    cnn_classifier_destroy(classifier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_is_an_error_without_a_leak),
        cmocka_unit_test(a_saved_classifier_comes_back_the_same),
        cmocka_unit_test(models_that_are_no_classifiers_are_not_loaded),
        cmocka_unit_test(a_classifier_is_saved_to_memory_as_to_its_file),
    };
    return cmocka_run_group_tests(tests, write_data, scratch_teardown);
}
