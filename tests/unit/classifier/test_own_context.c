/* A program that gives a context everywhere gets no other: no default one comes into being, whatever is done. */
#include "../test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/context_internal.h"

enum { SIZE = 32, IMAGES = 12, CLASSES = 3 };

#define assert_alone(call)                                    \
    do {                                                      \
        assert_ok(call);                                      \
        if (cnn_context_or_made_default(NULL))                \
            fail_msg("%s has made a default context", #call); \
    } while (0)

static cnn_context *create_context(void)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 2;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    return context;
}

static cnn_dataset *create_dataset(cnn_context *context)
{
    static uint8_t bytes[IMAGES][SIZE * SIZE * 3];
    cnn_tensor *images[IMAGES];
    int32_t labels[IMAGES];
    for (int i = 0; i < IMAGES; i++) {
        memset(bytes[i], i * 20, sizeof bytes[i]);
        labels[i] = i % CLASSES;
        assert_alone(cnn_tensor_wrap(context, CNN_UINT8, 3, (int64_t[]){ SIZE, SIZE, 3 }, bytes[i], &images[i]));
    }
    cnn_dataset *dataset;
    assert_alone(cnn_dataset_create_from_pixels(context, (const cnn_tensor *const *)images, labels, IMAGES,
                                                (const char *const[]){ "a", "b", "c" }, CLASSES, &dataset));
    for (int i = 0; i < IMAGES; i++)
        cnn_tensor_destroy(images[i]);
    return dataset;
}

static cnn_classifier *train(cnn_context *context, const cnn_dataset *dataset)
{
    cnn_net_options net;
    cnn_net_options_init(&net);
    net.size = SIZE;
    cnn_classifier_options options;
    cnn_classifier_options_init(&options);
    options.net = &net;
    options.classes = CLASSES;
    cnn_augment augment;
    assert_alone(cnn_augment_parse("flip,rotation,crop", (cnn_augment_init(&augment), &augment)));
    cnn_train_options training;
    cnn_train_options_init(&training);
    training.epochs = 2;
    training.batch_size = 4;
    training.ema_decay = 0.9f;
    training.augment = &augment;
    cnn_classifier *classifier;
    assert_alone(cnn_classifier_create(context, "two_conv", &options, &classifier));
    assert_alone(cnn_classifier_fit(classifier, dataset, dataset, &training));
    assert_alone(cnn_classifier_calibrate(classifier, dataset));
    return classifier;
}

static void describe(const cnn_model *model)
{
    char *text;
    assert_alone(cnn_model_summary(model, &text));
    cnn_text_free(text);
    assert_alone(cnn_graph_to_json(cnn_model_graph(model), &text));
    cnn_text_free(text);
}

static void predict(cnn_context *context, const cnn_classifier *classifier)
{
    static uint8_t bytes[SIZE * SIZE * 3];
    cnn_tensor *pixels, *map;
    cnn_prediction prediction = { .struct_size = sizeof prediction };
    assert_alone(cnn_tensor_wrap(context, CNN_UINT8, 3, (int64_t[]){ SIZE, SIZE, 3 }, bytes, &pixels));
    assert_alone(cnn_classifier_predict_pixels(classifier, pixels, &prediction));
    assert_alone(cnn_classifier_explain_pixels(classifier, pixels, -1, &prediction, &map));
    cnn_tensor_destroy(map);
    cnn_tensor_destroy(pixels);
}

static void keep(cnn_context *context, const cnn_classifier *classifier, const cnn_dataset *dataset)
{
    char path[] = "/tmp/cnn-own-context-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    cnn_classifier *again, *quantized;
    cnn_graph *cut;
    assert_alone(cnn_classifier_save(classifier, path));
    assert_alone(cnn_classifier_load(context, path, &again));
    assert_alone(cnn_classifier_quantize(again, dataset, NULL, &quantized));
    assert_alone(cnn_classifier_save(quantized, path));
    assert_alone(cnn_graph_truncate(context, cnn_model_graph(cnn_classifier_model(again)), NULL, &cut));
    cnn_graph_destroy(cut);
    cnn_classifier_destroy(quantized);
    cnn_classifier_destroy(again);
    unlink(path);
}

static void a_program_with_its_own_context_gets_no_other(void **state)
{
    (void)state;
    cnn_context *context = create_context();
    cnn_dataset *dataset = create_dataset(context);
    cnn_classifier *classifier = train(context, dataset);
    describe(cnn_classifier_model(classifier));
    predict(context, classifier);
    keep(context, classifier, dataset);
    cnn_classifier_destroy(classifier);
    cnn_dataset_destroy(dataset);
    assert_int_equal(0, cnn_context_memory_in_use(context));
    cnn_context_destroy(context);
    assert_null(cnn_context_or_made_default(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_program_with_its_own_context_gets_no_other) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
