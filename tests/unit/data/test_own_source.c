/* Datasets whose files the program gives when they are asked for. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "../test.h"

enum { IMAGES = 6, BROKEN = 2, ABSENT = 4, SIDE = 8 };

static const char *const classes[] = { "Cat", "Dog" };
static const int32_t labels[IMAGES] = { 0, 1, 0, 1, 0, 1 };

typedef struct archive {
    void *files[IMAGES];
    size_t sizes[IMAGES];
    atomic_int held; /* files that were given and not yet released */
} archive;

static void fill(archive *a)
{
    uint8_t pixels[SIDE * SIDE * 3];
    png_image image = { .version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = PNG_FORMAT_RGB };
    *a = (archive){ 0 };
    for (int i = 0; i < IMAGES; i++) {
        png_alloc_size_t size = 4096;
        memset(pixels, 40 * i, sizeof pixels);
        a->files[i] = malloc(size);
        assert_non_null(a->files[i]);
        assert_true(png_image_write_to_memory(&image, a->files[i], &size, 0, pixels, 0, NULL));
        a->sizes[i] = size;
    }
    a->sizes[BROKEN] = 20;
}

static void release_files(archive *a)
{
    assert_int_equal(0, a->held);
    for (int i = 0; i < IMAGES; i++)
        free(a->files[i]);
}

static int read_file(uint64_t index, const void **bytes, size_t *size, void *user)
{
    archive *a = user;
    if (index == ABSENT)
        return -1;
    *bytes = a->files[index];
    *size = a->sizes[index];
    atomic_fetch_add(&a->held, 1);
    return 0;
}

static void give_back(const void *bytes, void *user)
{
    archive *a = user;
    assert_non_null(bytes);
    atomic_fetch_sub(&a->held, 1);
}

static cnn_dataset_source source_of(archive *a)
{
    cnn_dataset_source source;
    cnn_dataset_source_init(&source);
    source.count = IMAGES;
    source.class_count = 2;
    source.class_names = classes;
    source.labels = labels;
    source.read = read_file;
    source.release = give_back;
    source.read_user = a;
    return source;
}

static void count_bad(const char *path, const char *reason, void *user)
{
    assert_true(!strcmp(path, "image 2") || !strcmp(path, "image 4"));
    assert_true(strlen(reason) > 0);
    ++*(int *)user;
}

static void files_are_read_verified_and_loaded(void **state)
{
    (void)state;
    archive a;
    fill(&a);
    const cnn_dataset_source source = source_of(&a);
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_create_from_source(NULL, &source, &dataset));
    assert_int_equal(IMAGES, cnn_dataset_count(dataset));
    assert_string_equal("image 3", cnn_dataset_path(dataset, 3));
    assert_int_equal(1, cnn_dataset_label(dataset, 3));
    cnn_tensor *pixels;
    assert_ok(cnn_dataset_decode(dataset, 3, NULL, &pixels));
    assert_int_equal(120, *(const uint8_t *)cnn_tensor_const_data(pixels));
    cnn_tensor_destroy(pixels);
    assert_status(CNN_ERROR_IO, cnn_dataset_decode(dataset, ABSENT, NULL, &pixels));
    assert_non_null(strstr(cnn_last_error(), "image 4: can't be read: cnn_dataset_source.read returned -1"));

    int told = 0;
    uint64_t bad;
    cnn_verify_options verify;
    cnn_verify_options_init(&verify);
    verify.bad_file = count_bad;
    verify.bad_file_user = &told;
    assert_ok(cnn_dataset_verify(dataset, &verify, &bad));
    assert_int_equal(2, bad);
    assert_int_equal(2, told);

    cnn_preprocess preprocess;
    cnn_loader_options options;
    cnn_batch batch;
    cnn_loader *loader;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = SIDE;
    cnn_loader_options_init(&options);
    options.preprocess = &preprocess;
    options.workers = 2;
    cnn_batch_init(&batch);
    assert_ok(cnn_loader_create(NULL, dataset, &options, &loader));
    assert_ok(cnn_loader_start(loader, 1));
    assert_ok(cnn_loader_next(loader, &batch));
    assert_int_equal(IMAGES - 2, batch.count);
    cnn_loader_destroy(loader);
    cnn_dataset_destroy(dataset);
    release_files(&a);
}

static void names_are_copied(void **state)
{
    (void)state;
    archive a;
    fill(&a);
    char name[] = "one";
    const char *names[IMAGES] = { name, "two", "three", "four", "five", "six" };
    cnn_dataset_source source = source_of(&a);
    cnn_dataset *dataset;
    source.names = names;
    source.labels = NULL;
    assert_ok(cnn_dataset_create_from_source(NULL, &source, &dataset));
    memset(name, 'x', 3);
    assert_string_equal("one", cnn_dataset_path(dataset, 0));
    assert_int_equal(-1, cnn_dataset_label(dataset, 0));
    cnn_dataset_destroy(dataset);
    names[5] = NULL;
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_create_from_source(NULL, &source, &dataset));
    assert_null(dataset);
    release_files(&a);
}

static void what_is_no_dataset_is_refused(void **state)
{
    (void)state;
    archive a;
    fill(&a);
    cnn_dataset *dataset;
    cnn_dataset_source source = source_of(&a);
    source.read = NULL;
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_create_from_source(NULL, &source, &dataset));
    source = source_of(&a);
    source.count = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_create_from_source(NULL, &source, &dataset));
    source = source_of(&a);
    source.class_count = 1; /* a label is 1 */
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_create_from_source(NULL, &source, &dataset));
    source = source_of(&a);
    source.class_names = NULL;
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_create_from_source(NULL, &source, &dataset));
    source = source_of(&a);
    source.class_names = (const char *[]){ "Cat", "\xed\xa0\x80" }; /* a surrogate */
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_create_from_source(NULL, &source, &dataset));
    assert_non_null(strstr(cnn_last_error(), "class 1 is not UTF-8"));
    source = source_of(&a);
    source.struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_create_from_source(NULL, &source, &dataset));
    release_files(&a);
}

static int read_nothing(uint64_t index, const void **bytes, size_t *size, void *user)
{
    (void)index, (void)bytes, (void)size, (void)user;
    return 1;
}

static void many_images_cost_little_memory_or_are_refused_at_once(void **state)
{
    (void)state;
    enum { MANY = 100000, MOST_BYTES_EACH = 72 };
    cnn_context_options options;
    cnn_context *context;
    cnn_context_options_init(&options);
    options.memory_limit = (uint64_t)1 << 30;
    assert_ok(cnn_context_create(&options, &context));
    cnn_dataset_source source;
    cnn_dataset *dataset;
    cnn_dataset_source_init(&source);
    source.read = read_nothing;
    source.count = UINT32_MAX;
    assert_status(CNN_ERROR_OUT_OF_MEMORY, cnn_dataset_create_from_source(context, &source, &dataset));
    assert_in_range(cnn_context_memory_peak(context), 0, 1 << 20);
    source.count = MANY;
    assert_ok(cnn_dataset_create_from_source(context, &source, &dataset));
    assert_in_range(cnn_context_memory_peak(context), 0, MANY * MOST_BYTES_EACH);
    assert_string_equal("image 99999", cnn_dataset_path(dataset, MANY - 1));
    cnn_dataset_destroy(dataset);
    cnn_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_verified_and_loaded),
        cmocka_unit_test(names_are_copied),
        cmocka_unit_test(what_is_no_dataset_is_refused),
        cmocka_unit_test(many_images_cost_little_memory_or_are_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
