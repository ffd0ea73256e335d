/* What one image may cost. Nothing large is allocated before it is refused. */
#include <stdio.h>

#include "../runtime/models.h"

#include "runtime/model_internal.h"

/* The largest piece of memory that was asked for. */
static size_t largest;

static void *allocate(size_t size, void *user)
{
    (void)user;
    largest = size > largest ? size : largest;
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void release(void *memory, void *user)
{
    (void)user;
    free(memory);
}

static cnn_context *limited(uint64_t memory, uint64_t operations)
{
    cnn_context_options options;
    cnn_context *context;
    cnn_context_options_init(&options);
    options.threads = 2;
    options.allocate = allocate;
    options.release = release;
    options.image_memory_limit = memory;
    options.image_operation_limit = operations;
    assert_ok(cnn_context_create(&options, &context));
    largest = 0;
    return context;
}

typedef cnn_node (*net)(cnn_graph *graph);

/* What the default limit refuses. Where addresses have 32 bits no value can be so large, and a lower limit is set. */
enum { NARROW = sizeof(size_t) == 4, LARGE_SIDE = NARROW ? 6000 : 26000, LOW_LIMIT = NARROW ? 128 << 20 : 0 };

static cnn_node large_input(cnn_graph *g)
{
    cnn_node photograph = cnn_graph_set_name(g, cnn_input(g, LARGE_SIDE, LARGE_SIDE, 3), "photograph");
    return cnn_dense(g, cnn_global_avg_pool(g, photograph), 1, NULL);
}

static cnn_node large_pads(cnn_graph *g)
{
    const int32_t pad = NARROW ? LARGE_SIDE / 2 : 23000;
    const cnn_conv2d_options options = { .struct_size = sizeof options,
                                         .kernel = { 1, 1 },
                                         .padding = CNN_PADDING_EXPLICIT,
                                         .pads = { pad, pad, pad, pad } };
    return cnn_global_avg_pool(g, cnn_graph_set_name(g, cnn_conv2d(g, cnn_input(g, 8, 8, 3), 1, &options), "wide"));
}

static cnn_node slow_pools(cnn_graph *g)
{
    const cnn_pool2d_options options = { .struct_size = sizeof options, .kernel = { 256, 256 }, .stride = { 1, 1 } };
    cnn_node x = cnn_avg_pool2d(g, cnn_input(g, 4000, 4000, 1), &options);
    return cnn_global_avg_pool(g, cnn_graph_set_name(g, cnn_max_pool2d(g, x, &options), "slow"));
}

static cnn_node small_net(cnn_graph *g)
{
    return cnn_dense(g, cnn_global_avg_pool(g, cnn_conv2d(g, cnn_input(g, 32, 32, 3), 8, NULL)), 1, NULL);
}

/* Thirty values of 64 KiB are held until the end. */
static cnn_node wide_net(cnn_graph *g)
{
    cnn_node x = cnn_input(g, 128, 128, 1), values[30];
    for (int i = 0; i < 30; i++)
        values[i] = x = cnn_tanh(g, x);
    for (int i = 28; i >= 0; i--)
        x = cnn_add(g, x, values[i]);
    return cnn_global_avg_pool(g, x);
}

static cnn_status create(cnn_context *context, net build, cnn_model **model)
{
    cnn_graph *graph;
    assert_ok(cnn_graph_create(context, &graph));
    build(graph);
    assert_ok(cnn_graph_status(graph));
    cnn_status status = cnn_model_create(context, graph, 1, model);
    cnn_graph_destroy(graph);
    return status;
}

static void a_model_that_asks_for_too_much_is_refused_before_it_gets_anything(void **state)
{
    (void)state;
    static const struct {
        net build;
        const char *layer;
    } cases[] = { { large_input, "photograph: " }, { large_pads, "wide: " }, { slow_pools, "slow: " } };
    cnn_context *context = limited(LOW_LIMIT, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cnn_model *model;
        assert_status(CNN_ERROR_LIMIT, create(context, cases[i].build, &model));
        assert_null(model);
        assert_memory_equal(cases[i].layer, cnn_last_error(), strlen(cases[i].layer));
        assert_non_null(strstr(cnn_last_error(), "cnn_context_options.image_"));
        assert_true(largest < 1 << 20);
    }
    cnn_context_destroy(context);
}

static void limits_are_options(void **state)
{
    (void)state;
    cnn_model *model;
    cnn_context *context = limited(20000, 0);
    assert_status(CNN_ERROR_LIMIT, create(context, small_net, &model));
    cnn_context_destroy(context);
    context = limited(0, 100000);
    assert_status(CNN_ERROR_LIMIT, create(context, small_net, &model));
    cnn_context_destroy(context);
    context = limited(100000, 1000000);
    assert_ok(create(context, small_net, &model));
    cnn_model_destroy(model);
    cnn_context_destroy(context);
}

static void the_environment_stands_in_for_them(void **state)
{
    (void)state;
    cnn_model *model;
    assert_int_equal(0, setenv("CNN_IMAGE_MEMORY", "0.02", 1));
    cnn_context *context = limited(0, 0), *given = limited(100000, 0);
    assert_status(CNN_ERROR_LIMIT, create(context, small_net, &model));
    assert_ok(create(given, small_net, &model));
    cnn_model_destroy(model);
    cnn_context_destroy(given);
    cnn_context_destroy(context);
    assert_int_equal(0, setenv("CNN_IMAGE_MEMORY", "much", 1));
    context = limited(0, 0);
    assert_ok(create(context, small_net, &model));
    cnn_model_destroy(model);
    cnn_context_destroy(context);
    unsetenv("CNN_IMAGE_MEMORY");
}

static void a_model_is_not_resized_beyond_them(void **state)
{
    (void)state;
    cnn_model *model;
    cnn_context *context = limited(0, 0);
    assert_ok(create(context, small_net, &model));
    assert_status(CNN_ERROR_LIMIT, cnn_model_resize(model, 20000, 20000));
    assert_int_equal(32, cnn_model_input_shape(model).dims[0]);
    assert_true(largest < 1 << 20);
    assert_ok(cnn_model_resize(model, 64, 64));
    cnn_model_destroy(model);
    cnn_context_destroy(context);
}

/* No layer is over the limit by itself. */
static void what_is_held_at_once_counts(void **state)
{
    (void)state;
    cnn_model *model;
    const cnn_tensor *output;
    cnn_context *context = limited(1 << 20, 0);
    assert_ok(create(context, wide_net, &model));
    cnn_tensor *images = batch_of(2, cnn_model_input_shape(model), 1),
               *outputs = batch_of(2, cnn_model_output_shape(model), 1);
    assert_status(CNN_ERROR_LIMIT, cnn_model_predict(model, images, outputs));
    assert_ok(cnn_model_forward(model, images, 0, 0, &output)); /* training has eight times as much */
    cnn_model_destroy(model);
    cnn_context_destroy(context);
    context = limited(200000, 0);
    assert_ok(create(context, wide_net, &model));
    assert_status(CNN_ERROR_LIMIT, cnn_model_forward(model, images, 0, 0, &output));
    assert_non_null(strstr(cnn_last_error(), "in training"));
    cnn_model_destroy(model);
    cnn_context_destroy(context);
    context = limited(4 << 20, 0);
    assert_ok(create(context, wide_net, &model));
    assert_ok(cnn_model_predict(model, images, outputs));
    cnn_model_destroy(model);
    cnn_context_destroy(context);
    cnn_tensor_destroy(images);
    cnn_tensor_destroy(outputs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_that_asks_for_too_much_is_refused_before_it_gets_anything),
        cmocka_unit_test(limits_are_options),
        cmocka_unit_test(the_environment_stands_in_for_them),
        cmocka_unit_test(a_model_is_not_resized_beyond_them),
        cmocka_unit_test(what_is_held_at_once_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
