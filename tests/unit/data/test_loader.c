#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "data/loader.h"
#include "data/loader_internal.h"
#include "files.h"

enum { SIZE = 12, IMAGES = 37, BATCH = 8, BATCHES = 5, FLOATS = SIZE * SIZE * 3 };

/* 37 images of one colour each, of several sizes. */
static cnn_dataset *make_dataset(void)
{
    char name[64];
    for (int i = 0; i < IMAGES; i++) {
        snprintf(name, sizeof name, "%s/%02d.png", i % 3 ? "Cat" : "Dog", i);
        write_png(name, 16 + i % 5, 20 - i % 4, (uint8_t)(i * 5), (uint8_t)(i % 3 ? 200 : 10));
    }
    cnn_dataset *dataset = NULL;
    assert_ok(cnn_dataset_open(NULL, in_room(""), NULL, &dataset));
    assert_int_equal(IMAGES, cnn_dataset_count(dataset));
    return dataset;
}

static cnn_loader *make_loader(const cnn_dataset *dataset, uint32_t workers, uint64_t cache, const char *augmentation)
{
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = SIZE;
    cnn_augment augment;
    cnn_augment_init(&augment);
    assert_ok(cnn_augment_parse(augmentation ? augmentation : "none", &augment));
    cnn_loader_options options;
    cnn_loader_options_init(&options);
    options.batch_size = BATCH;
    options.shuffle = 1;
    options.workers = workers;
    options.prefetch_batches = 2;
    options.seed = 5;
    options.cache_bytes = cache;
    options.preprocess = &preprocess;
    options.augment = augmentation ? &augment : NULL;
    cnn_loader *loader = NULL;
    assert_ok(cnn_loader_create(NULL, dataset, &options, &loader));
    assert_int_equal(BATCHES, cnn_loader_batch_count(loader));
    return loader;
}

typedef struct epoch {
    float images[IMAGES][FLOATS];
    int32_t labels[IMAGES];
    uint64_t indices[IMAGES];
    uint32_t count;
} epoch;

static void take(epoch *e, const cnn_batch *batch)
{
    assert_int_equal(batch->count, cnn_tensor_dim(batch->images, 0));
    assert_int_equal(batch->count * FLOATS, cnn_tensor_count(batch->images));
    assert_true(e->count + batch->count <= IMAGES);
    memcpy(e->images[e->count], cnn_tensor_data(batch->images), cnn_tensor_bytes(batch->images));
    memcpy(e->labels + e->count, batch->labels, batch->count * sizeof *batch->labels);
    memcpy(e->indices + e->count, batch->indices, batch->count * sizeof *batch->indices);
    e->count += batch->count;
}

static epoch *run_epoch(cnn_loader *loader, uint32_t number)
{
    epoch *e = calloc(1, sizeof *e);
    assert_non_null(e);
    assert_ok(cnn_loader_start(loader, number));
    cnn_batch batch = { .struct_size = sizeof batch };
    for (int i = 0; i < BATCHES; i++) {
        assert_ok(cnn_loader_next(loader, &batch));
        assert_int_equal(i < BATCHES - 1 ? BATCH : IMAGES % BATCH, batch.count);
        take(e, &batch);
    }
    for (int i = 0; i < 2; i++) {
        assert_ok(cnn_loader_next(loader, &batch));
        assert_int_equal(0, batch.count);
    }
    return e;
}

static void an_epoch_shows_each_image_once_with_its_label_and_pixels(void **state)
{
    (void)state;
    cnn_dataset *dataset = make_dataset();
    cnn_loader *loader = make_loader(dataset, 2, 0, NULL);
    epoch *e = run_epoch(loader, 0);
    int seen[IMAGES] = { 0 };
    for (int i = 0; i < IMAGES; i++) {
        uint64_t index = e->indices[i];
        assert_true(index < IMAGES);
        assert_int_equal(0, seen[index]++);
        assert_int_equal(cnn_dataset_label(dataset, index), e->labels[i]);
        const char *path = cnn_dataset_path(dataset, index);
        int number = (int)strtol(path + strlen(path) - 6, NULL, 10);
        assert_float_equal(((float)(number * 5) - 127.5f) / 127.5f, e->images[i][0], 1e-5);
        assert_float_equal(e->images[i][0], e->images[i][FLOATS - 3], 1e-5);
    }
    free(e);
    cnn_loader_destroy(loader);
    cnn_dataset_destroy(dataset);
}

static void batches_are_the_same_bits_with_any_workers_and_cache(void **state)
{
    (void)state;
    cnn_dataset *dataset = make_dataset();
    epoch *first[3] = { NULL };
    static const uint32_t workers[] = { 1, 2, 4 };
    static const uint64_t caches[] = { 0, 1 << 20, 10000 }; /* none, all fit, not all fit */
    for (int w = 0; w < 3; w++) {
        for (int c = 0; c < 3; c++) {
            cnn_loader *loader = make_loader(dataset, workers[w], caches[c], "flip,rotation=20,zoom=0.2,brightness");
            for (uint32_t n = 0; n < 3; n++) {
                epoch *e = run_epoch(loader, n);
                if (first[n]) {
                    assert_memory_equal(first[n], e, sizeof *e);
                    free(e);
                } else {
                    first[n] = e;
                }
            }
            cnn_loader_destroy(loader);
        }
    }
    for (int n = 0; n < 3; n++)
        free(first[n]);
    cnn_dataset_destroy(dataset);
}

static void each_epoch_has_its_own_order_and_shows_it_again(void **state)
{
    (void)state;
    cnn_dataset *dataset = make_dataset();
    cnn_loader *loader = make_loader(dataset, 2, 0, NULL);
    epoch *a = run_epoch(loader, 3), *b = run_epoch(loader, 4), *c = run_epoch(loader, 3);
    assert_memory_not_equal(a->indices, b->indices, sizeof a->indices);
    assert_memory_equal(a, c, sizeof *a);
    free(a);
    free(b);
    free(c);
    cnn_loader_destroy(loader);
    cnn_dataset_destroy(dataset);
}

static void without_shuffling_the_order_is_the_datasets(void **state)
{
    (void)state;
    cnn_dataset *dataset = make_dataset();
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = SIZE;
    cnn_loader_options options;
    cnn_loader_options_init(&options);
    options.preprocess = &preprocess;
    cnn_loader *loader;
    assert_ok(cnn_loader_create(NULL, dataset, &options, &loader));
    assert_ok(cnn_loader_start(loader, 9));
    cnn_batch batch = { .struct_size = sizeof batch };
    assert_ok(cnn_loader_next(loader, &batch));
    assert_int_equal(32, batch.count);
    for (uint64_t i = 0; i < 32; i++)
        assert_int_equal(i, batch.indices[i]);
    cnn_loader_destroy(loader);
    cnn_dataset_destroy(dataset);
}

static void an_epoch_may_be_left_at_any_batch(void **state)
{
    (void)state;
    cnn_dataset *dataset = make_dataset();
    cnn_loader *loader = make_loader(dataset, 4, 0, NULL);
    epoch *expected = run_epoch(loader, 1);
    for (int stop_after = 0; stop_after < BATCHES; stop_after++) {
        assert_ok(cnn_loader_start(loader, 0));
        cnn_batch batch = { .struct_size = sizeof batch };
        for (int i = 0; i < stop_after; i++)
            assert_ok(cnn_loader_next(loader, &batch));
        epoch *e = run_epoch(loader, 1);
        assert_memory_equal(expected, e, sizeof *e);
        free(e);
    }
    free(expected);
    assert_ok(cnn_loader_start(loader, 0)); /* and destroyed while it works */
    cnn_loader_destroy(loader);
    cnn_dataset_destroy(dataset);
}

static void a_file_that_went_bad_is_an_error_that_names_it(void **state)
{
    (void)state;
    cnn_dataset *dataset = make_dataset();
    cnn_loader *loader = make_loader(dataset, 2, 0, NULL);
    const char *path = cnn_dataset_path(dataset, 20);
    assert_int_equal(0, unlink(path));
    assert_ok(cnn_loader_start(loader, 0));
    cnn_batch batch = { .struct_size = sizeof batch };
    cnn_status status = CNN_OK;
    int batches = 0;
    while (!(status = cnn_loader_next(loader, &batch)) && batch.count)
        batches++;
    assert_int_equal(CNN_ERROR_IO, status);
    assert_true(batches < BATCHES);
    assert_non_null(strstr(cnn_last_error(), path));
    assert_int_equal(0, batch.count);
    assert_status(CNN_ERROR_IO, cnn_loader_next(loader, &batch));
    write_png(path + strlen(in_room("")) + 1, 8, 8, 1, 2);
    free(run_epoch(loader, 0));
    cnn_loader_destroy(loader);
    cnn_dataset_destroy(dataset);
}

static void its_threads_are_limited_as_those_of_other_calls(void **state)
{
    (void)state;
    cnn_dataset *dataset = make_dataset();
    for (uint32_t limit = 0; limit < 3; limit++) {
        uint32_t threads = cnn_context_threads(NULL);
        cnn_limit_threads(limit);
        cnn_loader *loader = make_loader(dataset, 0, 0, NULL), *given = make_loader(dataset, 3, 0, NULL);
        cnn_limit_threads(0);
        assert_int_equal(limit && limit < threads ? limit : threads, loader->options.workers);
        assert_int_equal(3, given->options.workers);
        cnn_loader_destroy(given);
        cnn_loader_destroy(loader);
    }
    cnn_dataset_destroy(dataset);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    cnn_dataset *dataset = make_dataset();
    cnn_loader *loader;
    cnn_loader_options options;
    cnn_loader_options_init(&options);
    assert_status(CNN_ERROR_ARGUMENT, cnn_loader_create(NULL, dataset, &options, &loader));
    assert_non_null(strstr(cnn_last_error(), "preprocess must be given"));
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = SIZE;
    options.preprocess = &preprocess;
    options.workers = 100000;
    assert_status(CNN_ERROR_LIMIT, cnn_loader_create(NULL, dataset, &options, &loader));
    options.workers = 1;
    preprocess.width = preprocess.height = UINT32_MAX;
    assert_status(CNN_ERROR_LIMIT, cnn_loader_create(NULL, dataset, &options, &loader));
    preprocess.width = preprocess.height = SIZE;
    assert_ok(cnn_loader_create(NULL, dataset, &options, &loader));
    cnn_batch batch = { .struct_size = sizeof batch };
    assert_status(CNN_ERROR_ARGUMENT, cnn_loader_next(loader, &batch)); /* not started */
    assert_ok(cnn_loader_start(loader, 0));
    batch.struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_loader_next(loader, &batch));
    assert_status(CNN_ERROR_ARGUMENT, cnn_loader_next(loader, NULL));
    cnn_loader_destroy(loader);
    cnn_loader_destroy(NULL);
    cnn_dataset_destroy(dataset);
}

static void a_resized_loader_gives_what_one_made_so_gives(void **state)
{
    (void)state;
    enum { LARGE = 20 };
    cnn_dataset *dataset = make_dataset();
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = LARGE;
    cnn_loader_options options;
    cnn_loader_options_init(&options);
    options.batch_size = BATCH;
    options.shuffle = 1;
    options.seed = 5;
    options.preprocess = &preprocess;
    cnn_loader *loader, *small = make_loader(dataset, 2, 0, NULL);
    assert_ok(cnn_loader_create(NULL, dataset, &options, &loader));
    epoch *expected = run_epoch(small, 2);
    assert_ok(cnn_loader_start(loader, 1)); /* what is left of this one is dropped */
    cnn_loader_resize(loader, SIZE, SIZE);
    cnn_batch batch = { .struct_size = sizeof batch };
    assert_status(CNN_ERROR_ARGUMENT, cnn_loader_next(loader, &batch));
    epoch *found = run_epoch(loader, 2);
    assert_memory_equal(expected, found, sizeof *found);
    cnn_loader_resize(loader, LARGE, LARGE);
    assert_ok(cnn_loader_start(loader, 2));
    assert_ok(cnn_loader_next(loader, &batch));
    assert_int_equal(BATCH * LARGE * LARGE * 3, cnn_tensor_count(batch.images));
    assert_int_equal(LARGE, cnn_tensor_dim(batch.images, 2));
    free(expected);
    free(found);
    cnn_loader_destroy(small);
    cnn_loader_destroy(loader);
    cnn_dataset_destroy(dataset);
}

/* Memory that was asked for in one piece, at most. */
static size_t largest_piece;

static void *allocate_and_note(size_t size, void *user)
{
    (void)user;
    if (size > largest_piece)
        largest_piece = size;
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void release(void *memory, void *user)
{
    (void)user;
    free(memory);
}

static void expect_epoch_of(cnn_context *context, const cnn_dataset *dataset, uint32_t batch_size, uint64_t count)
{
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = SIZE;
    cnn_loader_options options;
    cnn_loader_options_init(&options);
    options.batch_size = batch_size;
    options.workers = 3;
    options.prefetch_batches = 4096;
    options.preprocess = &preprocess;
    cnn_loader *loader;
    assert_ok(cnn_loader_create(context, dataset, &options, &loader));
    for (uint32_t number = 0; number < 2; number++) {
        cnn_batch batch = { .struct_size = sizeof batch };
        uint64_t seen = 0, batches = 0;
        assert_ok(cnn_loader_start(loader, number));
        for (; !cnn_loader_next(loader, &batch) && batch.count; batches++)
            for (uint32_t i = 0; i < batch.count; i++)
                assert_int_equal(seen++, batch.indices[i]);
        assert_int_equal(count, seen);
        assert_int_equal(cnn_loader_batch_count(loader), batches);
    }
    cnn_loader_destroy(loader);
}

static void any_number_of_images_and_any_batch_go_together(void **state)
{
    (void)state;
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.allocate = allocate_and_note;
    options.release = release;
    options.threads = 1;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    uint8_t pixels[3] = { 1, 2, 3 };
    cnn_tensor *image, *images[130];
    assert_ok(cnn_tensor_wrap(NULL, CNN_UINT8, 3, (int64_t[]){ 1, 1, 3 }, pixels, &image));
    for (int i = 0; i < 130; i++)
        images[i] = image;
    static const uint64_t counts[] = { 1, 2, 3, 7, 33, 130 };
    static const uint32_t batches[] = { 1, 3, 32, 1 << 20 };
    for (int c = 0; c < 6; c++) {
        cnn_dataset *dataset;
        assert_ok(cnn_dataset_create_from_pixels(context, (const cnn_tensor *const *)images, NULL, counts[c], NULL, 0,
                                                 &dataset));
        for (int b = 0; b < 4; b++) {
            largest_piece = 0;
            expect_epoch_of(context, dataset, batches[b], counts[c]);
            assert_true(largest_piece <= counts[c] * FLOATS * sizeof(float) + 4096);
        }
        cnn_dataset_destroy(dataset);
    }
    cnn_tensor_destroy(image);
    cnn_context_destroy(context);
}

#define in_a_room(test) cmocka_unit_test_setup_teardown(test, make_room, remove_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_room(an_epoch_shows_each_image_once_with_its_label_and_pixels),
        in_a_room(batches_are_the_same_bits_with_any_workers_and_cache),
        in_a_room(each_epoch_has_its_own_order_and_shows_it_again),
        in_a_room(without_shuffling_the_order_is_the_datasets),
        in_a_room(an_epoch_may_be_left_at_any_batch),
        in_a_room(a_file_that_went_bad_is_an_error_that_names_it),
        in_a_room(a_resized_loader_gives_what_one_made_so_gives),
        cmocka_unit_test(any_number_of_images_and_any_batch_go_together),
        in_a_room(its_threads_are_limited_as_those_of_other_calls),
        in_a_room(wrong_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
