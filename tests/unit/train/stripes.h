/* A tiny dataset that a small net learns in a second: upright stripes and level ones, noisy, as PNG files. */
#ifndef CNN_TESTS_TRAIN_STRIPES_H
#define CNN_TESTS_TRAIN_STRIPES_H

#include "../test.h"

#include <ftw.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/random.h"

enum { STRIPES_SIZE = 16, STRIPES_TRAINING = 56, STRIPES_TEST = 24 };

static char stripes_folder[256];

static void write_stripes(const char *path, int upright, uint64_t number)
{
    unsigned char pixels[STRIPES_SIZE * STRIPES_SIZE * 3];
    cnn_random random;
    cnn_random_init(&random, 5, CNN_RANDOM_AUGMENT, (uint32_t)upright, number);
    uint32_t phase = cnn_random_below(&random, 4), period = 3 + cnn_random_below(&random, 3);
    for (uint32_t y = 0; y < STRIPES_SIZE; y++)
        for (uint32_t x = 0; x < STRIPES_SIZE; x++)
            for (uint32_t c = 0; c < 3; c++) {
                uint32_t light = ((upright ? x : y) + phase) / (period / 2 + 1) % 2;
                pixels[(y * STRIPES_SIZE + x) * 3 + c] =
                    (unsigned char)(40 + 90 * light + cnn_random_below(&random, 120));
            }
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = STRIPES_SIZE, .height = STRIPES_SIZE, .format = PNG_FORMAT_RGB
    };
    assert_int_not_equal(0, png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
}

static void write_class(const char *part, const char *class_name, int upright, int count)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s/%s", stripes_folder, part, class_name);
    assert_int_equal(0, mkdir(path, 0777));
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s/%s/%d.png", stripes_folder, part, class_name, i);
        write_stripes(path, upright, (uint64_t)i + (strcmp(part, "test") ? 0 : 1000));
    }
}

/* A cmocka group setup. */
static int make_stripes(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR"), *parts[] = { "train", "test" };
    snprintf(stripes_folder, sizeof stripes_folder, "%s/cnn-stripes-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(stripes_folder));
    for (int p = 0; p < 2; p++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", stripes_folder, parts[p]);
        assert_int_equal(0, mkdir(path, 0777));
        for (int upright = 0; upright < 2; upright++)
            write_class(parts[p], upright ? "upright" : "level", upright, p ? STRIPES_TEST : STRIPES_TRAINING);
    }
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static int remove_stripes(void **state)
{
    (void)state;
    return nftw(stripes_folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of a file beside the images; of one test at a time. */
static inline const char *beside(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", stripes_folder, name);
    return path;
}

typedef struct stripes {
    cnn_context *context;
    cnn_dataset *training, *test;
    cnn_model *model;
} stripes;

/* `rich`: with batch normalisation and dropout, which have state and random numbers of their own. */
static inline cnn_model *make_net(cnn_context *context, int rich)
{
    cnn_graph *graph;
    cnn_model *model;
    assert_ok(cnn_graph_create(context, &graph));
    cnn_node x = cnn_conv2d(graph, cnn_input(graph, STRIPES_SIZE, STRIPES_SIZE, 3), 6, NULL);
    if (rich)
        x = cnn_batch_norm(graph, x, NULL);
    x = cnn_flatten(graph, cnn_max_pool2d(graph, cnn_relu(graph, x), NULL));
    if (rich)
        x = cnn_dropout(graph, x, 0.2f);
    cnn_dense(graph, x, 1, NULL);
    assert_ok(cnn_model_create(context, graph, 3, &model));
    cnn_graph_destroy(graph);
    return model;
}

static inline stripes open_stripes(uint32_t threads, int rich)
{
    stripes s;
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = threads;
    assert_ok(cnn_context_create(&options, &s.context));
    cnn_dataset_options dataset_options;
    cnn_dataset_options_init(&dataset_options);
    dataset_options.part = CNN_PART_TRAIN;
    assert_ok(cnn_dataset_open(s.context, stripes_folder, &dataset_options, &s.training));
    dataset_options.part = CNN_PART_TEST;
    assert_ok(cnn_dataset_open(s.context, stripes_folder, &dataset_options, &s.test));
    s.model = make_net(s.context, rich);
    return s;
}

static inline void close_stripes(stripes *s)
{
    cnn_model_destroy(s->model);
    cnn_dataset_destroy(s->training);
    cnn_dataset_destroy(s->test);
    cnn_context_destroy(s->context);
}

/* All weights in a row, running statistics among them; freed with free. */
static inline float *copy_weights(const cnn_model *model, size_t *count)
{
    float *copy = NULL;
    *count = 0;
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        assert_ok(cnn_model_parameter(model, i, &parameter));
        size_t more = (size_t)cnn_tensor_count(parameter.value);
        copy = realloc(copy, (*count + more) * sizeof *copy);
        assert_non_null(copy);
        memcpy(copy + *count, cnn_tensor_const_data(parameter.value), more * sizeof *copy);
        *count += more;
    }
    return copy;
}

static inline void assert_same_weights(const float *expected, size_t count, const cnn_model *model)
{
    size_t found;
    float *weights = copy_weights(model, &found);
    assert_int_equal(count, found);
    assert_memory_equal(expected, weights, count * sizeof *weights);
    free(weights);
}

static inline cnn_metrics_result measure(const stripes *s)
{
    cnn_metrics *metrics;
    cnn_metrics_result result = { .struct_size = sizeof result };
    assert_ok(cnn_evaluate(s->model, s->test, NULL, &metrics));
    assert_ok(cnn_metrics_compute(metrics, &result));
    cnn_metrics_destroy(metrics);
    return result;
}

static inline cnn_epoch epoch_at(const cnn_history *history, uint32_t index)
{
    cnn_epoch epoch = { .struct_size = sizeof epoch };
    assert_ok(cnn_history_get(history, index, &epoch));
    return epoch;
}

static inline cnn_train_options stripes_options(uint32_t epochs, float learning_rate)
{
    static cnn_optimizer_options optimizer;
    cnn_optimizer_options_init(&optimizer);
    optimizer.learning_rate = learning_rate;
    cnn_train_options options;
    cnn_train_options_init(&options);
    options.epochs = epochs;
    options.batch_size = 12; /* the last batch is smaller */
    options.seed = 11;
    options.optimizer = &optimizer;
    return options;
}

#endif
