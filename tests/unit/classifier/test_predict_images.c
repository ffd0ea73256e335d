/* Predicting: one photograph or many, from files, bytes and pixels, by one thread or many. */
#include "photographs.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/memory.h"

static void a_file_its_bytes_and_its_pixels_give_the_same(void **state)
{
    cnn_classifier *classifier = train_small(state);
    const char *path = scratch_path(*state, "test/red/01.png");
    const cnn_prediction file = predict(classifier, path);
    cnn_prediction memory = { .struct_size = sizeof memory }, pixels = memory;
    char sentence[1024];
    void *bytes;
    size_t size;
    assert_ok(cnn_file_read(NULL, path, 1 << 20, &bytes, &size));
    assert_ok(cnn_classifier_predict_memory(classifier, bytes, size, &memory));
    assert_same_prediction(&file, &memory);
    cnn_tensor *image;
    assert_ok(cnn_image_load(NULL, path, NULL, &image));
    assert_ok(cnn_classifier_predict_pixels(classifier, image, &pixels));
    assert_same_prediction(&file, &pixels);
    memory.error = sentence;
    memory.error_capacity = sizeof sentence;
    assert_status(CNN_ERROR_FORMAT, cnn_classifier_predict_memory(classifier, bytes, 30, &memory));
    assert_int_equal(CNN_ERROR_FORMAT, memory.status);
    assert_string_equal(cnn_last_error(), sentence);
    assert_true(memory.class_index == -1 && !memory.label);
    assert_ok(cnn_classifier_predict_memory(classifier, bytes, size, &memory));
    assert_same_prediction(&file, &memory);
    assert_string_equal("", sentence);
    cnn_tensor_destroy(image);
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 3, (int64_t[]){ 9, 5, 3 }, &image));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_pixels(classifier, image, &pixels));
    assert_string_equal("the image: pixels must be height\xC3\x97width\xC3\x97"
                        "3 of CNN_UINT8, not 9\xC3\x97"
                        "5\xC3\x97"
                        "3 of "
                        "CNN_FLOAT32",
                        cnn_last_error());
    cnn_tensor_destroy(image);
    cnn_release(NULL, bytes);
    cnn_classifier_destroy(classifier);
}

static void many_files_are_predicted_and_the_broken_ones_named(void **state)
{
    enum { COUNT = 70, BROKEN = 33, ABSENT = 5 };
    cnn_classifier *classifier = train_small(state);
    static char names[COUNT][512];
    const char *paths[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "%s/test/%s/%02d.png", (const char *)*state, i % 2 ? "red" : "blue",
                 i / 2 % IMAGES);
        paths[i] = names[i];
    }
    snprintf(names[BROKEN], sizeof names[BROKEN], "%s/data/red/broken.png", (const char *)*state);
    snprintf(names[ABSENT], sizeof names[ABSENT], "%s/absent.png", (const char *)*state);
    static cnn_prediction predictions[COUNT];
    static char sentences[COUNT][1024];
    for (int i = 0; i < COUNT; i++) {
        cnn_prediction_init(&predictions[i]);
        predictions[i].error = sentences[i];
        predictions[i].error_capacity = sizeof sentences[i];
    }
    assert_ok(cnn_classifier_predict_files(classifier, paths, COUNT, predictions));
    for (int i = 0; i < COUNT; i++) {
        if (i == BROKEN || i == ABSENT) {
            assert_int_equal(i == BROKEN ? CNN_ERROR_FORMAT : CNN_ERROR_IO, predictions[i].status);
            assert_non_null(strstr(predictions[i].error, i == BROKEN ? "broken.png" : "absent.png"));
            continue;
        }
        const cnn_prediction alone = predict(classifier, paths[i]);
        assert_same_prediction(&alone, &predictions[i]);
    }
    assert_ok(cnn_classifier_predict_files(classifier, NULL, 0, NULL));
    predictions[0].struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_files(classifier, paths, COUNT, predictions));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_files(classifier, NULL, COUNT, predictions));
    cnn_classifier_destroy(classifier);
}

static void lists_and_text_are_cut_to_their_room(void **state)
{
    cnn_classifier *classifier = train_small(state);
    const char *path = scratch_path(*state, "test/red/01.png"),
               *absent = scratch_path(*state, "\u00e4\u00e4\u00e4.png");
    float probabilities[] = { -7, -7, -7 };
    char sentence[] = "1234567";
    cnn_prediction p;
    cnn_prediction_init(&p);
    p.probabilities = probabilities;
    p.probability_capacity = 1;
    assert_ok(cnn_classifier_predict_file(classifier, path, &p));
    assert_true(p.class_count == 2 && fabsf(probabilities[0] + p.probability - 1) < 1e-6f && probabilities[1] == -7);
    p.probability_capacity = 3;
    assert_ok(cnn_classifier_predict_file(classifier, path, &p));
    assert_true(probabilities[1] == p.probability && probabilities[2] == -7);
    const size_t start = strlen(absent) - strlen("\u00e4\u00e4\u00e4.png");
    char *longer = malloc(start + 8);
    assert_non_null(longer);
    p.error = sentence;
    for (uint32_t capacity = 0; capacity <= 4; capacity++) {
        memcpy(sentence, "1234567", 8);
        p.error_capacity = capacity;
        assert_status(CNN_ERROR_IO, cnn_classifier_predict_file(classifier, absent, &p));
        assert_memory_equal(&"1234567"[capacity], sentence + capacity, 8 - capacity);
        assert_true(!capacity || (strlen(sentence) < capacity && !strncmp(absent, sentence, strlen(sentence))));
    }
    p.error = longer; /* which ends amid the first ä */
    p.error_capacity = (uint32_t)start + 2;
    assert_status(CNN_ERROR_IO, cnn_classifier_predict_file(classifier, absent, &p));
    assert_int_equal(start, strlen(longer));
    free(longer);
    cnn_classifier_destroy(classifier);
}

static void the_likeliest_classes_come_first(void **state)
{
    (void)state;
    const float probabilities[] = { 0.1f, 0.3f, 0.1f, 0.5f, 0 };
    uint32_t classes[6];
    assert_int_equal(3, cnn_top_classes(probabilities, 5, classes, 3));
    assert_true(classes[0] == 3 && classes[1] == 1 && classes[2] == 0);
    assert_int_equal(5, cnn_top_classes(probabilities, 5, classes, 6));
    assert_true(classes[2] == 0 && classes[3] == 2 && classes[4] == 4);
    assert_int_equal(0, cnn_top_classes(probabilities, 5, classes, 0));
}

static void many_images_in_memory_are_predicted_as_from_their_files(void **state)
{
    enum { COUNT = 40, BROKEN = 33, ABSENT = 5 };
    cnn_classifier *classifier = train_small(state);
    void *bytes[COUNT];
    size_t sizes[COUNT];
    cnn_prediction expected[2] = { 0 }, predictions[COUNT] = { { .struct_size = sizeof predictions[0] } };
    for (int i = 0; i < COUNT; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/test/%s/00.png", (const char *)*state, i % 2 ? "red" : "blue");
        assert_ok(cnn_file_read(NULL, path, 1 << 20, &bytes[i], &sizes[i]));
        if (i < 2)
            expected[i] = predict(classifier, path);
    }
    sizes[BROKEN] /= 2;
    cnn_release(NULL, bytes[ABSENT]);
    bytes[ABSENT] = NULL;
    const void *const *images = (const void *const *)bytes;
    assert_ok(cnn_classifier_predict_memories(classifier, images, sizes, COUNT, predictions));
    for (int i = 0; i < COUNT; i++) {
        if (i != BROKEN && i != ABSENT) {
            assert_same_prediction(&expected[i % 2], &predictions[i]);
            continue;
        }
        assert_int_equal(i == BROKEN ? CNN_ERROR_FORMAT : CNN_ERROR_ARGUMENT, predictions[i].status);
        assert_int_equal(-1, predictions[i].class_index);
    }
    assert_ok(cnn_classifier_predict_memories(classifier, NULL, NULL, 0, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_memories(classifier, images, NULL, COUNT, predictions));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_memories(classifier, NULL, sizes, COUNT, predictions));
    for (int i = 0; i < COUNT; i++)
        cnn_release(NULL, bytes[i]);
    cnn_classifier_destroy(classifier);
}

typedef struct reader {
    const cnn_classifier *classifier;
    const char *path;
    cnn_prediction predictions[8];
    cnn_status status;
} reader;

static void *predict_again_and_again(void *argument)
{
    reader *r = argument;
    for (int i = 0; i < 8 && !r->status; i++) {
        r->predictions[i].struct_size = sizeof r->predictions[i];
        r->status = cnn_classifier_predict_file(r->classifier, r->path, &r->predictions[i]);
    }
    return NULL;
}

static void many_threads_may_predict_at_once(void **state)
{
    enum { THREADS = 4 };
    cnn_classifier *classifier = train_small(state);
    const char *path = scratch_path(*state, "test/red/04.png");
    static reader readers[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        readers[i] = (reader){ .classifier = classifier, .path = path };
        assert_int_equal(0, pthread_create(&threads[i], NULL, predict_again_and_again, &readers[i]));
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const cnn_prediction alone = predict(classifier, path);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(CNN_OK, readers[i].status);
        for (int j = 0; j < 8; j++)
            assert_same_prediction(&alone, &readers[i].predictions[j]);
    }
    cnn_classifier_destroy(classifier);
}

static void a_threshold_moves_the_decision_and_not_the_probability(void **state)
{
    cnn_classifier *classifier = train_small(state);
    const char *path = scratch_path(*state, "test/blue/02.png");
    const cnn_prediction before = predict(classifier, path);
    assert_int_equal(0, before.class_index);
    assert_ok(cnn_classifier_set_threshold(classifier, before.probability));
    const cnn_prediction at = predict(classifier, path);
    assert_int_equal(1, at.class_index);
    assert_string_equal("red", at.label);
    assert_true(at.probability == before.probability && at.confidence == before.probability);
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_set_threshold(classifier, 1.5f));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_set_threshold(classifier, 0.0f / 0.0f));
    assert_true(cnn_classifier_threshold(classifier) == before.probability);
    cnn_classifier_destroy(classifier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_its_bytes_and_its_pixels_give_the_same),
        cmocka_unit_test(many_files_are_predicted_and_the_broken_ones_named),
        cmocka_unit_test(lists_and_text_are_cut_to_their_room),
        cmocka_unit_test(the_likeliest_classes_come_first),
        cmocka_unit_test(many_images_in_memory_are_predicted_as_from_their_files),
        cmocka_unit_test(many_threads_may_predict_at_once),
        cmocka_unit_test(a_threshold_moves_the_decision_and_not_the_probability),
    };
    return cmocka_run_group_tests(tests, write_data, scratch_teardown);
}
