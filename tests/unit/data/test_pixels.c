/* Datasets of images that are in memory. */
#include <string.h>

#include "../test.h"

enum { IMAGES = 6 };
static uint8_t memory[IMAGES][5 * 4 * 3];
static const int32_t labels[IMAGES] = { 0, 1, 0, 1, 1, 0 };
static const char *const names[] = { "Cat", "Dog" };

/* Images of two sizes, each of one colour. */
static cnn_status create(const int32_t *given_labels, const char *const *given_names, uint32_t classes,
                         cnn_dataset **dataset)
{
    cnn_tensor *images[IMAGES];
    for (int i = 0; i < IMAGES; i++) {
        memset(memory[i], i * 40, sizeof memory[i]);
        assert_ok(cnn_tensor_wrap(NULL, CNN_UINT8, 3, (int64_t[]){ i % 2 ? 5 : 4, 4, 3 }, memory[i], &images[i]));
    }
    cnn_status status = cnn_dataset_create_from_pixels(NULL, (const cnn_tensor *const *)images, given_labels, IMAGES,
                                                       given_names, classes, dataset);
    for (int i = 0; i < IMAGES; i++)
        cnn_tensor_destroy(images[i]);
    return status;
}

static void images_in_memory_are_a_dataset_without_a_copy(void **state)
{
    (void)state;
    cnn_dataset *dataset;
    assert_ok(create(labels, names, 2, &dataset));
    assert_int_equal(IMAGES, cnn_dataset_count(dataset));
    assert_string_equal("Dog", cnn_dataset_class_name(dataset, 1));
    assert_int_equal(1, cnn_dataset_label(dataset, 3));
    assert_string_equal("image 3", cnn_dataset_path(dataset, 3));
    cnn_tensor *pixels;
    assert_ok(cnn_dataset_decode(dataset, 3, NULL, &pixels));
    assert_ptr_equal(memory[3], cnn_tensor_const_data(pixels));
    assert_int_equal(5, cnn_tensor_dim(pixels, 0));
    cnn_tensor_destroy(pixels);
    cnn_dataset_destroy(dataset);
}

static void they_split_verify_and_load_as_files_do(void **state)
{
    (void)state;
    cnn_dataset *dataset, *rest, *part;
    uint64_t bad = 9;
    assert_ok(create(labels, names, 2, &dataset));
    assert_ok(cnn_dataset_verify(dataset, NULL, &bad));
    assert_int_equal(0, bad);
    assert_ok(cnn_dataset_split(dataset, 0.4, 1, &rest, &part));
    cnn_dataset_destroy(dataset);
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = 8;
    cnn_loader_options options;
    cnn_loader_options_init(&options);
    options.preprocess = &preprocess;
    options.cache_bytes = 1 << 20;
    options.workers = 2;
    cnn_loader *loader;
    cnn_batch batch = { .struct_size = sizeof batch };
    assert_ok(cnn_loader_create(NULL, rest, &options, &loader));
    for (uint32_t epoch = 0; epoch < 2; epoch++) {
        assert_ok(cnn_loader_start(loader, epoch));
        assert_ok(cnn_loader_next(loader, &batch));
        assert_int_equal(cnn_dataset_count(rest), batch.count);
        cnn_tensor *pixels;
        assert_ok(cnn_dataset_decode(rest, 1, NULL, &pixels));
        uint8_t value = *(const uint8_t *)cnn_tensor_const_data(pixels);
        cnn_tensor_destroy(pixels);
        const float *second = (const float *)cnn_tensor_const_data(batch.images) + 8 * 8 * 3;
        assert_float_equal(((float)value - 127.5f) / 127.5f, second[0], 1e-5f);
    }
    cnn_loader_destroy(loader);
    cnn_dataset_destroy(rest);
    cnn_dataset_destroy(part);
}

static void they_have_no_files(void **state)
{
    (void)state;
    cnn_dataset *dataset;
    void *bytes;
    size_t size;
    assert_ok(create(NULL, NULL, 0, &dataset));
    assert_int_equal(-1, cnn_dataset_label(dataset, 0));
    assert_status(CNN_ERROR_UNSUPPORTED, cnn_dataset_read(dataset, 2, &bytes, &size));
    assert_non_null(strstr(cnn_last_error(), "image 2"));
    cnn_dataset_destroy(dataset);
}

static void labels_and_names_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    cnn_dataset *dataset;
    assert_status(CNN_ERROR_ARGUMENT, create((int32_t[]){ 0, 1, 2, 0, 0, 0 }, names, 2, &dataset));
    assert_null(dataset);
    assert_status(CNN_ERROR_ARGUMENT, create((int32_t[]){ 0, 1, -2, 0, 0, 0 }, names, 2, &dataset));
    assert_status(CNN_ERROR_ARGUMENT, create(labels, (const char *[]){ "Cat", "Cat" }, 2, &dataset));
    assert_status(CNN_ERROR_ARGUMENT, create(labels, (const char *[]){ "Cat", NULL }, 2, &dataset));
    assert_status(CNN_ERROR_ARGUMENT, create(labels, (const char *[]){ "Cat", "caf\xe9" }, 2, &dataset));
    assert_non_null(strstr(cnn_last_error(), "class 1 is not UTF-8"));
    assert_status(CNN_ERROR_ARGUMENT, create(labels, NULL, 2, &dataset));
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_create_from_pixels(NULL, NULL, labels, 1, names, 2, &dataset));
}

static void tensors_that_are_no_images_are_refused(void **state)
{
    (void)state;
    float data[12] = { 0 };
    cnn_tensor *floats, *grey, *empty;
    cnn_dataset *dataset;
    assert_ok(cnn_tensor_wrap(NULL, CNN_FLOAT32, 3, (int64_t[]){ 2, 2, 3 }, data, &floats));
    assert_ok(cnn_tensor_wrap(NULL, CNN_UINT8, 2, (int64_t[]){ 2, 3 }, data, &grey));
    assert_ok(cnn_tensor_wrap(NULL, CNN_UINT8, 3, (int64_t[]){ 0, 2, 3 }, data, &empty));
    const cnn_tensor *wrong[] = { floats, grey, empty, NULL };
    for (int i = 0; i < 4; i++) {
        assert_status(CNN_ERROR_SHAPE, cnn_dataset_create_from_pixels(NULL, &wrong[i], NULL, 1, NULL, 0, &dataset));
        assert_null(dataset);
    }
    cnn_tensor_destroy(floats);
    cnn_tensor_destroy(grey);
    cnn_tensor_destroy(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_in_memory_are_a_dataset_without_a_copy),
        cmocka_unit_test(they_split_verify_and_load_as_files_do),
        cmocka_unit_test(they_have_no_files),
        cmocka_unit_test(labels_and_names_that_make_no_sense_are_refused),
        cmocka_unit_test(tensors_that_are_no_images_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
