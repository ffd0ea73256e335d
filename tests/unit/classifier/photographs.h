/* Photographs of a few kinds in folders, for the tests of classifiers. */
#ifndef CNN_TESTS_CLASSIFIER_PHOTOGRAPHS_H
#define CNN_TESTS_CLASSIFIER_PHOTOGRAPHS_H

#include "../test.h"

#include <png.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "core/file.h"

/* Red, blue and green (kinds 0, 1, 2), with some noise; a few pixels suffice to tell them apart. */
enum { SIDE = 20, IMAGES = 12, INPUT = 16 };

static inline void fill_pixels(unsigned char *pixels, int kind, unsigned seed)
{
    for (int i = 0; i < SIDE * SIDE * 3; i++) {
        seed = seed * 1664525u + 1013904223u;
        int base = i % 3 == (3 - kind) % 3 ? 170 : 60;
        pixels[i] = (unsigned char)(base + (int)(seed >> 24) % 80);
    }
}

static inline void write_png(const char *path, int kind, unsigned seed)
{
    unsigned char pixels[SIDE * SIDE * 3];
    fill_pixels(pixels, kind, seed);
    png_image image = { .version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = PNG_FORMAT_RGB };
    assert_true(png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
}

static inline void write_class(const char *folder, const char *name, int kind, unsigned seed)
{
    char path[512];
    mkdir(folder, 0755);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(0, mkdir(path, 0755));
    for (unsigned i = 0; i < IMAGES; i++) {
        snprintf(path, sizeof path, "%s/%s/%02u.png", folder, name, i);
        write_png(path, kind, seed + i);
    }
}

static inline void write_text(const char *path, const char *text)
{
    assert_ok(cnn_file_write(path, &(cnn_chunk){ text, strlen(text) }, 1));
}

/* data: sound, and one broken file; test: classes in which the order of names is the other way round. */
static inline int write_data(void **state)
{
    if (scratch_setup(state))
        return -1;
    const char *data = scratch_path(*state, "data"), *test = scratch_path(*state, "test");
    write_class(data, "blue", 1, 100);
    write_class(data, "red", 0, 200);
    write_text(scratch_path(*state, "data/red/broken.png"), "this is no image");
    write_class(test, "blue", 1, 300);
    write_class(test, "red", 0, 400);
    write_class(scratch_path(*state, "three"), "blue", 1, 500);
    write_class(scratch_path(*state, "three"), "green", 2, 600);
    write_class(scratch_path(*state, "three"), "red", 0, 700);
    write_class(scratch_path(*state, "others"), "cats", 1, 800);
    write_class(scratch_path(*state, "others"), "dogs", 1, 900);
    return 0;
}

static inline cnn_dataset *open_data(void **state, const char *name)
{
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, scratch_path(*state, name), NULL, &dataset));
    return dataset;
}

static inline cnn_train_options train_options(cnn_optimizer_options *optimizer, uint32_t epochs)
{
    cnn_train_options options;
    cnn_train_options_init(&options);
    cnn_optimizer_options_init(optimizer);
    optimizer->learning_rate = 0.02f;
    options.optimizer = optimizer;
    options.epochs = epochs;
    options.batch_size = 8;
    return options;
}

static inline cnn_prediction predict(const cnn_classifier *classifier, const char *path)
{
    cnn_prediction prediction = { .struct_size = sizeof prediction };
    assert_ok(cnn_classifier_predict_file(classifier, path, &prediction));
    return prediction;
}

static inline cnn_classifier *create_small(cnn_context *context)
{
    cnn_graph *g;
    cnn_classifier *classifier;
    assert_ok(cnn_graph_create(context, &g));
    cnn_node x = cnn_input(g, INPUT, INPUT, 3);
    x = cnn_max_pool2d(g, cnn_relu(g, cnn_conv2d(g, x, 8, NULL)), NULL);
    cnn_dense(g, cnn_global_avg_pool(g, x), 1, NULL);
    assert_ok(cnn_classifier_create_from_graph(context, g, NULL, &classifier));
    cnn_graph_destroy(g);
    return classifier;
}

static inline cnn_classifier *train_small(void **state)
{
    cnn_classifier *classifier = create_small(NULL);
    cnn_dataset *dataset = open_data(state, "data");
    cnn_optimizer_options optimizer;
    const cnn_train_options options = train_options(&optimizer, 20);
    assert_ok(cnn_classifier_fit(classifier, dataset, NULL, &options));
    cnn_dataset_destroy(dataset);
    return classifier;
}

static inline void assert_same_prediction(const cnn_prediction *a, const cnn_prediction *b)
{
    assert_int_equal(0, a->status);
    assert_int_equal(0, b->status);
    assert_int_equal(a->class_index, b->class_index);
    assert_string_equal(a->label, b->label);
    assert_memory_equal(&a->probability, &b->probability, sizeof a->probability);
    assert_memory_equal(&a->confidence, &b->confidence, sizeof a->confidence);
}

#endif
