/* Holds the shipped model, at many sizes, for any number of images on any number of threads, against one image at a
 * time on one thread: the same bits. All of it with --whole, which takes half an hour; a little without. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cnn/cnn.h>

enum { MOST_IMAGES = 70, MOST_THREADS = 8, CHANNELS = 3 };

/* What is tried. Lists end in 0. */
typedef struct extent {
    int sides[8], images[MOST_IMAGES + 1], threads[MOST_THREADS + 1];
} extent;

static const extent little = { { 224, 512 }, { 1, 2, 3, 5, 7 }, { 1, 2, 3, 8 } };

typedef struct tester {
    const char *path;
    int side, most;
    float *images;
    float *expected; /* an output for each image */
    size_t image_values, output_values;
    long compared, different;
} tester;

static void check(cnn_status status)
{
    if (status) {
        fprintf(stderr, "shipped_sizes: %s\n", cnn_last_error());
        exit(2);
    }
}

static extent whole(void)
{
    extent all = { { 224, 256, 320, 384, 448, 512 } };
    for (int i = 0; i < MOST_IMAGES; i++)
        all.images[i] = i + 1;
    for (int i = 0; i < MOST_THREADS; i++)
        all.threads[i] = i + 1;
    return all;
}

/* The model at the tester's size, on so many threads. */
static cnn_model *open_model(const tester *t, int threads, cnn_context **context)
{
    cnn_context_options options;
    cnn_model *model;
    cnn_context_options_init(&options);
    options.threads = (uint32_t)threads;
    check(cnn_context_create(&options, context));
    check(cnn_model_load(*context, t->path, &model));
    check(cnn_model_resize(model, t->side, t->side));
    return model;
}

static void predict(const tester *t, const cnn_model *model, cnn_context *context, int first, int count, float *values)
{
    cnn_tensor *input, *output;
    const int64_t dims[] = { count, t->side, t->side, CHANNELS }, outputs[] = { count, (int64_t)t->output_values };
    check(cnn_tensor_wrap(context, CNN_FLOAT32, 4, dims, t->images + (size_t)first * t->image_values, &input));
    check(cnn_tensor_wrap(context, CNN_FLOAT32, 2, outputs, values, &output));
    check(cnn_model_predict(model, input, output));
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(output);
}

static float *allocate(size_t count)
{
    float *values = calloc(count, sizeof *values);
    if (!values) {
        fprintf(stderr, "shipped_sizes: out of memory\n");
        exit(2);
    }
    return values;
}

/* Draws the images, by a generator of no great quality, and predicts each by itself. */
static void prepare(tester *t)
{
    cnn_context *context;
    uint32_t state = 12345;
    t->image_values = (size_t)t->side * (size_t)t->side * CHANNELS;
    t->images = allocate((size_t)t->most * t->image_values);
    for (size_t i = 0; i < (size_t)t->most * t->image_values; i++) {
        state = state * 1664525 + 1013904223;
        t->images[i] = (float)(state >> 8) / (1 << 23) - 1;
    }
    cnn_model *model = open_model(t, 1, &context);
    int64_t outputs = 0;
    cnn_model_output_dims(model, &outputs, 1);
    t->output_values = (size_t)outputs;
    t->expected = allocate((size_t)t->most * t->output_values);
    for (int i = 0; i < t->most; i++)
        predict(t, model, context, i, 1, t->expected + (size_t)i * t->output_values);
    cnn_model_destroy(model);
    cnn_context_destroy(context);
}

static void compare(tester *t, int threads, const int *images)
{
    cnn_context *context;
    cnn_model *model = open_model(t, threads, &context);
    float *values = allocate((size_t)t->most * t->output_values);
    for (int i = 0; images[i]; i++) {
        memset(values, 0xff, (size_t)t->most * t->output_values * sizeof *values);
        predict(t, model, context, 0, images[i], values);
        t->compared++;
        if (!memcmp(values, t->expected, (size_t)images[i] * t->output_values * sizeof *values))
            continue;
        t->different++;
        printf("DIFFERENT: %d px, %d images on %d threads\n", t->side, images[i], threads);
    }
    free(values);
    cnn_model_destroy(model);
    cnn_context_destroy(context);
}

int main(int argc, char **argv)
{
    int all = argc == 3 && !strcmp(argv[1], "--whole");
    if (argc != 2 + all) {
        fprintf(stderr, "Usage: shipped_sizes [--whole] MODEL\n");
        return 2;
    }
    extent tried = all ? whole() : little;
    tester t = { .path = argv[1 + all] };
    for (int i = 0; tried.images[i]; i++)
        t.most = tried.images[i] > t.most ? tried.images[i] : t.most;
    time_t began = time(NULL);
    for (int s = 0; tried.sides[s]; s++) {
        t.side = tried.sides[s];
        prepare(&t);
        for (int k = 0; tried.threads[k]; k++) {
            compare(&t, tried.threads[k], tried.images);
            printf("%d px on %d threads: done after %ld s\n", t.side, tried.threads[k], (long)(time(NULL) - began));
            fflush(stdout);
        }
        free(t.images);
        free(t.expected);
    }
    printf("%ld batches compared, %ld different\n", t.compared, t.different);
    return t.different != 0;
}
