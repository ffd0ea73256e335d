/* What an option can't be is refused, before anything is done, in a sentence that names it: every field of every struct
 * of options that has such values, and the numbers among the parameters of functions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test.h"

/* What the fields are tried on. */
static cnn_graph *graph;
static cnn_node image;
static cnn_model *model;
static cnn_dataset *photographs;
static cnn_tensor *pixels;
static cnn_classifier *classifier;

static int make_things(void **state)
{
    (void)state;
    static const uint8_t bytes[4][8 * 8 * 3] = { { 1 }, { 2 }, { 3 }, { 4 } };
    const cnn_tensor *images[4];
    const char *const names[] = { "a", "b" };
    cnn_tensor *wrapped[4];
    assert_ok(cnn_graph_create(NULL, &graph));
    image = cnn_input(graph, 8, 8, 3);
    cnn_dense(graph, cnn_flatten(graph, image), 1, NULL);
    assert_ok(cnn_model_create(NULL, graph, 1, &model));
    for (int i = 0; i < 4; i++) {
        assert_ok(cnn_tensor_wrap(NULL, CNN_UINT8, 3, (int64_t[]){ 8, 8, 3 }, (void *)bytes[i], &wrapped[i]));
        images[i] = wrapped[i];
    }
    assert_ok(cnn_dataset_create_from_pixels(NULL, images, (const int32_t[]){ 0, 1, 0, 1 }, 4, names, 2, &photographs));
    for (int i = 1; i < 4; i++)
        cnn_tensor_destroy(wrapped[i]);
    pixels = wrapped[0];
    assert_ok(cnn_classifier_create_from_graph(NULL, graph, NULL, &classifier));
    return 0;
}

static int end_things(void **state)
{
    (void)state;
    cnn_classifier_destroy(classifier);
    cnn_tensor_destroy(pixels);
    cnn_dataset_destroy(photographs);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
    return 0;
}

/* Each uses a struct of options and gives what comes of it; nothing is kept. */
static cnn_status use_context(const void *options)
{
    cnn_context *made = NULL;
    cnn_status status = cnn_context_create(options, &made);
    cnn_context_destroy(made);
    return status;
}

static cnn_status use_preprocess(const void *options)
{
    static float output[64 * 64 * 3];
    return cnn_image_preprocess(NULL, pixels, options, output);
}

static cnn_status use_augment(const void *options)
{
    static float output[8 * 8 * 3];
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = 8;
    return cnn_augment_apply(NULL, pixels, options, &preprocess, 1, 1, 1, output);
}

static cnn_status use_dataset(const void *options)
{
    cnn_dataset *made = NULL;
    cnn_status status = cnn_dataset_open(NULL, ".", options, &made);
    cnn_dataset_destroy(made);
    return status;
}

static cnn_status use_loader(const void *options)
{
    cnn_loader *made = NULL;
    cnn_preprocess preprocess;
    cnn_loader_options with = *(const cnn_loader_options *)options;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = 8;
    with.preprocess = &preprocess;
    cnn_status status = cnn_loader_create(NULL, photographs, &with, &made);
    cnn_loader_destroy(made);
    return status;
}

static cnn_status use_optimizer(const void *options)
{
    cnn_optimizer *made = NULL;
    cnn_status status = cnn_optimizer_create(model, options, &made);
    cnn_optimizer_destroy(made);
    return status;
}

static cnn_status use_train(const void *options)
{
    cnn_train_options with = *(const cnn_train_options *)options;
    with.epochs = 1;
    cnn_status status = cnn_train(model, photographs, NULL, &with, NULL);
    cnn_status head = cnn_train_head(model, NULL, photographs, NULL, &with, NULL);
    assert_string_equal(cnn_status_name(status), cnn_status_name(head));
    return status;
}

static cnn_status use_schedule(const void *options)
{
    assert_true(isnan(cnn_schedule_factor(options, 0.5, 10)));
    cnn_train_options with;
    cnn_train_options_init(&with);
    with.schedule = options;
    return use_train(&with);
}

static cnn_status use_trains_augment(const void *options)
{
    cnn_train_options with;
    cnn_train_options_init(&with);
    with.augment = options;
    return use_train(&with);
}

static cnn_status use_trains_preprocess(const void *options)
{
    cnn_train_options with;
    cnn_train_options_init(&with);
    with.preprocess = options;
    return use_train(&with);
}

static cnn_status use_evaluate(const void *options)
{
    cnn_metrics *made = NULL;
    cnn_status status = cnn_evaluate(model, photographs, options, &made);
    cnn_metrics_destroy(made);
    return status;
}

static cnn_status use_classifier(const void *options)
{
    cnn_classifier *made = NULL;
    cnn_status status = cnn_classifier_create(NULL, "two_conv", options, &made);
    cnn_classifier_destroy(made);
    return status;
}

static cnn_status use_classifiers_preprocess(const void *options)
{
    cnn_classifier_options with;
    cnn_classifier_options_init(&with);
    with.preprocess = options;
    return use_classifier(&with);
}

static cnn_status use_net(const void *options)
{
    cnn_graph *made = NULL;
    cnn_status status = cnn_graph_create_net(NULL, "two_conv", options, &made);
    cnn_graph_destroy(made);
    return status;
}

/* A graph with one more layer. */
static cnn_status use_layer(cnn_node (*add)(cnn_graph *graph, cnn_node x, const void *options), const void *options)
{
    cnn_graph *made;
    assert_ok(cnn_graph_create(NULL, &made));
    cnn_node x = add(made, cnn_input(made, 8, 8, 3), options);
    cnn_status status = cnn_graph_status(made);
    assert_int_equal(status != CNN_OK, x == CNN_NODE_ERROR);
    cnn_graph_destroy(made);
    return status;
}

static cnn_node add_conv2d(cnn_graph *to, cnn_node x, const void *options)
{
    return cnn_conv2d(to, x, 3, options);
}

static cnn_node add_max_pool2d(cnn_graph *to, cnn_node x, const void *options)
{
    return cnn_max_pool2d(to, x, options);
}

static cnn_node add_dense(cnn_graph *to, cnn_node x, const void *options)
{
    return cnn_dense(to, cnn_flatten(to, x), 3, options);
}

static cnn_node add_batch_norm(cnn_graph *to, cnn_node x, const void *options)
{
    return cnn_batch_norm(to, x, options);
}

static cnn_status use_conv2d(const void *options)
{
    return use_layer(add_conv2d, options);
}

static cnn_status use_max_pool2d(const void *options)
{
    return use_layer(add_max_pool2d, options);
}

static cnn_status use_dense(const void *options)
{
    return use_layer(add_dense, options);
}

static cnn_status use_batch_norm(const void *options)
{
    return use_layer(add_batch_norm, options);
}

#define INIT(type)                         \
    static void init_##type(void *options) \
    {                                      \
        type##_init(options);              \
    }
INIT(cnn_context_options)
INIT(cnn_preprocess)
INIT(cnn_augment)
INIT(cnn_dataset_options)
INIT(cnn_loader_options)
INIT(cnn_optimizer_options)
INIT(cnn_schedule)
INIT(cnn_train_options)
INIT(cnn_evaluate_options)
INIT(cnn_classifier_options)
INIT(cnn_net_options)
INIT(cnn_conv2d_options)
INIT(cnn_pool2d_options)
INIT(cnn_dense_options)
INIT(cnn_batch_norm_options)

typedef enum kind { WHOLE, REAL } kind;

typedef struct limit {
    const char *field; /* struct and field, for the sentence of a failed test */
    void (*init)(void *options);
    size_t offset;
    kind kind;
    double wrong[6];    /* ends with 0 */
    const char *saying; /* what the sentence names */
    cnn_status (*use)(const void *options);
} limit;

#define FIELD(type, field, kind, use, saying, ...)                                               \
    {                                                                                            \
#type "." #field, init_##type, offsetof(type, field), kind, { __VA_ARGS__ }, saying, use \
    }

#define ENUM -1, 99, 2147483647
#define BELOW_0 -1, -1e-30, NAN, INFINITY, -INFINITY
#define OTHER_THAN_MINUS_1 -0.9, -1e-30, NAN, INFINITY, -INFINITY

static const limit limits[] = {
    FIELD(cnn_context_options, threads, WHOLE, use_context, "threads", 257, 4294967295, 2147483648),
    FIELD(cnn_context_options, instruction_set, WHOLE, use_context, "instruction set", ENUM),
    FIELD(cnn_preprocess, width, WHOLE, use_preprocess, "", 2147483648, 4294967295),
    FIELD(cnn_preprocess, fit, WHOLE, use_preprocess, "fit", ENUM),
    FIELD(cnn_preprocess, mean[1], REAL, use_preprocess, "mean", NAN, INFINITY, -INFINITY),
    FIELD(cnn_preprocess, scale[2], REAL, use_preprocess, "scale", NAN, INFINITY, -INFINITY),
    FIELD(cnn_preprocess, fit, WHOLE, use_trains_preprocess, "fit", ENUM),
    FIELD(cnn_preprocess, mean[1], REAL, use_trains_preprocess, "mean", NAN, INFINITY),
    FIELD(cnn_preprocess, fit, WHOLE, use_classifiers_preprocess, "fit", ENUM),
    FIELD(cnn_preprocess, scale[2], REAL, use_classifiers_preprocess, "scale", NAN, INFINITY),
    FIELD(cnn_augment, rotation, REAL, use_augment, "rotation", BELOW_0),
    FIELD(cnn_augment, zoom, REAL, use_augment, "zoom", BELOW_0),
    FIELD(cnn_augment, shift, REAL, use_augment, "shift", BELOW_0),
    FIELD(cnn_augment, shear, REAL, use_augment, "shear", BELOW_0),
    FIELD(cnn_augment, brightness, REAL, use_augment, "brightness", BELOW_0),
    FIELD(cnn_augment, contrast, REAL, use_augment, "contrast", BELOW_0),
    FIELD(cnn_augment, saturation, REAL, use_augment, "saturation", BELOW_0),
    FIELD(cnn_augment, crop_min_area, REAL, use_augment, "crop", BELOW_0),
    FIELD(cnn_augment, crop_max_aspect, REAL, use_augment, "aspect", BELOW_0),
    FIELD(cnn_augment, erase, REAL, use_augment, "erase", BELOW_0),
    FIELD(cnn_augment, zoom, REAL, use_trains_augment, "zoom", BELOW_0),
    FIELD(cnn_dataset_options, part, WHOLE, use_dataset, "part", ENUM),
    FIELD(cnn_loader_options, batch_size, WHOLE, use_loader, "images a batch", 1048577, 4294967295),
    FIELD(cnn_loader_options, workers, WHOLE, use_loader, "workers", 257, 4294967295),
    FIELD(cnn_loader_options, prefetch_batches, WHOLE, use_loader, "batches ahead", 4097, 4294967295),
    FIELD(cnn_optimizer_options, kind, WHOLE, use_optimizer, "kind", ENUM),
    FIELD(cnn_optimizer_options, learning_rate, REAL, use_optimizer, "learning_rate", OTHER_THAN_MINUS_1),
    FIELD(cnn_optimizer_options, momentum, REAL, use_optimizer, "momentum", -1, 1, NAN, INFINITY),
    FIELD(cnn_optimizer_options, beta1, REAL, use_optimizer, "beta1", -1, 1, NAN, INFINITY),
    FIELD(cnn_optimizer_options, beta2, REAL, use_optimizer, "beta2", -1, 1, NAN, INFINITY),
    FIELD(cnn_optimizer_options, alpha, REAL, use_optimizer, "alpha", -1, 1, NAN, INFINITY),
    FIELD(cnn_optimizer_options, epsilon, REAL, use_optimizer, "epsilon", BELOW_0),
    FIELD(cnn_optimizer_options, weight_decay, REAL, use_optimizer, "weight_decay", BELOW_0),
    FIELD(cnn_optimizer_options, clip_norm, REAL, use_optimizer, "clip_norm", BELOW_0),
    FIELD(cnn_schedule, kind, WHOLE, use_schedule, "kind", ENUM),
    FIELD(cnn_schedule, warmup, REAL, use_schedule, "warmup", -0.9, 1, NAN, INFINITY),
    FIELD(cnn_schedule, gamma, REAL, use_schedule, "gamma", OTHER_THAN_MINUS_1),
    FIELD(cnn_schedule, final_factor, REAL, use_schedule, "final_factor", BELOW_0),
    FIELD(cnn_train_options, batch_size, WHOLE, use_train, "batch", 1048577, 2147483648, 4294967295),
    FIELD(cnn_train_options, loss, WHOLE, use_train, "loss", ENUM),
    FIELD(cnn_train_options, label_smoothing, REAL, use_train, "label_smoothing", -1, 1, NAN, INFINITY),
    FIELD(cnn_train_options, ema_decay, REAL, use_train, "ema_decay", -1, 1, NAN, INFINITY),
    FIELD(cnn_train_options, mixup, REAL, use_train, "mixup", -1, 1.5, NAN, INFINITY),
    FIELD(cnn_train_options, cutmix, REAL, use_train, "cutmix", -1, 1.5, NAN, INFINITY),
    FIELD(cnn_train_options, precision, WHOLE, use_train, "precision", ENUM),
    FIELD(cnn_train_options, workers, WHOLE, use_train, "workers", 257, 4294967295),
    FIELD(cnn_evaluate_options, batch_size, WHOLE, use_evaluate, "batch", 1048577, 4294967295),
    FIELD(cnn_evaluate_options, workers, WHOLE, use_evaluate, "workers", 257, 4294967295),
    FIELD(cnn_evaluate_options, threshold, REAL, use_evaluate, "threshold", -1, 1.5, NAN, INFINITY),
    FIELD(cnn_evaluate_options, temperature, REAL, use_evaluate, "temperature", BELOW_0),
    FIELD(cnn_classifier_options, classes, WHOLE, use_classifier, "class", 1, 1001, 4294967295),
    FIELD(cnn_net_options, size, WHOLE, use_net, "", 1, 4294967295),
    FIELD(cnn_net_options, outputs, WHOLE, use_net, "", 4294967295),
    FIELD(cnn_net_options, dropout, REAL, use_net, "dropout", 1, NAN, INFINITY, -INFINITY),
    FIELD(cnn_net_options, width, REAL, use_net, "width", -1, 17, NAN, INFINITY, -INFINITY),
    FIELD(cnn_conv2d_options, kernel[0], WHOLE, use_conv2d, "kernel", -1, 32768, 2147483647),
    FIELD(cnn_conv2d_options, stride[1], WHOLE, use_conv2d, "stride", -1, 32768, 2147483647),
    FIELD(cnn_conv2d_options, dilation[0], WHOLE, use_conv2d, "dilation", -1, 32768, 2147483647),
    FIELD(cnn_conv2d_options, groups, WHOLE, use_conv2d, "groups", -1, 2, 2147483647),
    FIELD(cnn_conv2d_options, padding, WHOLE, use_conv2d, "padding", ENUM),
    FIELD(cnn_conv2d_options, pads[3], WHOLE, use_conv2d, "pad", -1, 1, 2147483647),
    FIELD(cnn_conv2d_options, weight_init, WHOLE, use_conv2d, "initialise", ENUM),
    FIELD(cnn_pool2d_options, kernel[1], WHOLE, use_max_pool2d, "kernel", -1, 32768, 2147483647),
    FIELD(cnn_pool2d_options, stride[0], WHOLE, use_max_pool2d, "stride", -1, 32768, 2147483647),
    FIELD(cnn_pool2d_options, padding, WHOLE, use_max_pool2d, "padding", ENUM),
    FIELD(cnn_pool2d_options, pads[0], WHOLE, use_max_pool2d, "pad", -1, 1, 2147483647),
    FIELD(cnn_dense_options, weight_init, WHOLE, use_dense, "initialise", ENUM),
    FIELD(cnn_batch_norm_options, momentum, REAL, use_batch_norm, "momentum", -1, 1.5, NAN, INFINITY),
    FIELD(cnn_batch_norm_options, epsilon, REAL, use_batch_norm, "epsilon", BELOW_0),
};
enum { LIMITS = sizeof limits / sizeof *limits };

static void set_field(const limit *l, double value, void *options)
{
    const uint32_t whole = value < 0 ? (uint32_t)(int32_t)value : (uint32_t)value;
    const float real = (float)value;
    l->init(options);
    if (l->use == use_preprocess)
        ((cnn_preprocess *)options)->width = ((cnn_preprocess *)options)->height = 8;
    if (l->kind == WHOLE)
        memcpy((char *)options + l->offset, &whole, sizeof whole);
    else
        memcpy((char *)options + l->offset, &real, sizeof real);
}

static void a_value_out_of_range_is_refused_and_named(void **state)
{
    (void)state;
    _Alignas(16) unsigned char options[512];
    int failed = 0;
    for (int i = 0; i < LIMITS; i++) {
        const limit *l = &limits[i];
        for (int k = 0; k < 6 && l->wrong[k] != 0; k++) {
            set_field(l, l->wrong[k], options);
            cnn_status status = l->use(options);
            if (status && status != CNN_ERROR_OUT_OF_MEMORY && strstr(cnn_last_error(), l->saying))
                continue;
            print_error("%s = %g gives %s: %s\n", l->field, l->wrong[k], cnn_status_name(status),
                        status ? cnn_last_error() : "");
            failed++;
        }
    }
    assert_int_equal(0, failed);
}

static void numbers_that_functions_take_are_checked_too(void **state)
{
    (void)state;
    static const float floats[] = { NAN, INFINITY, -INFINITY, -1 };
    cnn_dataset *rest, *part;
    cnn_tensor *resized;
    for (int i = 0; i < 4; i++) {
        float x = floats[i];
        assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_set_threshold(classifier, x));
        assert_status(CNN_ERROR_ARGUMENT, cnn_model_set_learning_rate_multiplier(model, NULL, x));
        assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_split(photographs, (double)x, 1, &rest, &part));
        cnn_graph *made;
        assert_ok(cnn_graph_create(NULL, &made));
        assert_int_equal(CNN_NODE_ERROR, cnn_dropout(made, cnn_input(made, 8, 8, 3), x));
        cnn_graph_destroy(made);
        if (x == -1)
            continue; /* a factor like any other */
        for (int k = 0; k < 7; k++) {
            assert_ok(cnn_graph_create(NULL, &made));
            cnn_node in = cnn_input(made, 8, 8, 3);
            cnn_node node = k == 0   ? cnn_leaky_relu(made, in, x)
                            : k == 1 ? cnn_rescale(made, in, x, 0)
                            : k == 2 ? cnn_rescale(made, in, 1, x)
                            : k == 3 ? cnn_hard_sigmoid(made, in, x, 0)
                            : k == 4 ? cnn_elu(made, in, x)
                            : k == 5 ? cnn_clip(made, in, x, -INFINITY)
                                     : cnn_normalize(made, in, (float[]){ x, 0, 0 }, (float[]){ 1, 1, 1 });
            if (node != CNN_NODE_ERROR)
                fail_msg("layer %d takes %g", k, (double)x);
            cnn_graph_destroy(made);
        }
    }
    const int64_t sizes[] = { 0, -1, INT64_C(1) << 31, INT64_MAX, INT64_MIN };
    for (int i = 0; i < 5; i++) {
        cnn_graph *made;
        assert_int_not_equal(CNN_OK, cnn_model_resize(model, sizes[i], 8));
        assert_ok(cnn_graph_create(NULL, &made));
        assert_int_equal(CNN_NODE_ERROR, cnn_input(made, 8, sizes[i], 3));
        cnn_graph_destroy(made);
    }
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_resize(NULL, pixels, 8, 8, (cnn_fit)7, &resized));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_resize(NULL, pixels, 0, 8, CNN_FIT_CROP, &resized));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_set_precision(model, (cnn_precision)9));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_save_as(model, "/nowhere/m", (cnn_dtype)9));
}

static void *allocate_little(size_t size, void *user)
{
    (void)user;
    return size > 1 << 20 ? NULL : aligned_alloc(64, (size + 63) / 64 * 64);
}

static void release(void *memory, void *user)
{
    (void)user;
    free(memory);
}

static void a_batch_larger_than_the_data_takes_no_more_memory(void **state)
{
    (void)state;
    cnn_context *context;
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.allocate = allocate_little;
    options.release = release;
    assert_ok(cnn_context_create(&options, &context));
    cnn_model *own;
    cnn_train_options training;
    cnn_train_options_init(&training);
    training.batch_size = 1 << 20;
    training.epochs = 1;
    assert_ok(cnn_model_create(context, graph, 1, &own));
    assert_ok(cnn_train(own, photographs, photographs, &training, NULL));
    assert_ok(cnn_train_head(own, NULL, photographs, photographs, &training, NULL));
    cnn_model_destroy(own);
    cnn_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_out_of_range_is_refused_and_named),
        cmocka_unit_test(a_batch_larger_than_the_data_takes_no_more_memory),
        cmocka_unit_test(numbers_that_functions_take_are_checked_too),
    };
    return cmocka_run_group_tests(tests, make_things, end_things);
}
