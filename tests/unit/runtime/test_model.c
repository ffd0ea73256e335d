#include <math.h>
#include <stdio.h>
#include <time.h>

#include "models.h"
#include "runtime/model_internal.h"

static cnn_model *small_model(cnn_context *context, uint64_t seed, cnn_initializer initializer)
{
    cnn_graph *g;
    cnn_model *model;
    assert_ok(cnn_graph_create(context, &g));
    cnn_conv2d_options conv = { .struct_size = sizeof conv, .weight_init = initializer };
    cnn_dense_options dense = { .struct_size = sizeof dense, .weight_init = initializer };
    cnn_node x = cnn_batch_norm(g, cnn_conv2d(g, cnn_input(g, 10, 10, 3), 4, &conv), NULL);
    cnn_dense(g, cnn_flatten(g, x), 100, &dense);
    assert_ok(cnn_model_create(context, g, seed, &model));
    cnn_graph_destroy(g);
    return model;
}

static cnn_parameter parameter_of(const cnn_model *model, int32_t index)
{
    cnn_parameter parameter = { .struct_size = sizeof parameter };
    assert_ok(cnn_model_parameter(model, index, &parameter));
    return parameter;
}

static void parameters_are_named_and_told_apart(void **state)
{
    (void)state;
    cnn_model *model = small_model(NULL, 1, CNN_INIT_DEFAULT);
    static const struct {
        const char *name;
        bool trainable, decay;
    } expected[] = {
        { "conv2d_1.weight", true, true },
        { "conv2d_1.bias", true, false },
        { "batch_norm_1.scale", true, false },
        { "batch_norm_1.offset", true, false },
        { "batch_norm_1.running_mean", false, false },
        { "batch_norm_1.running_variance", false, false },
        { "dense_1.weight", true, true },
        { "dense_1.bias", true, false },
    };
    assert_int_equal(8, cnn_model_parameter_count(model));
    for (int32_t i = 0; i < 8; i++) {
        cnn_parameter parameter = parameter_of(model, i);
        assert_string_equal(expected[i].name, parameter.name);
        assert_int_equal(expected[i].trainable, parameter.trainable);
        assert_int_equal(expected[i].decay, parameter.decay);
        assert_null(parameter.gradient);
    }
    cnn_tensor *weight = parameter_of(model, 0).value;
    assert_true(cnn_tensor_is(weight, CNN_FLOAT32, 4, (int64_t[]){ 3, 3, 3, 4 }));
    step_of_training(model, 2, 1);
    assert_true(cnn_tensor_is(parameter_of(model, 0).gradient, CNN_FLOAT32, 4, (int64_t[]){ 3, 3, 3, 4 }));
    assert_null(parameter_of(model, 4).gradient);
    cnn_parameter parameter = { .struct_size = sizeof parameter };
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_parameter(model, 8, &parameter));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_parameter(model, -1, &parameter));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_parameter(model, 0, NULL));
    parameter.struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_parameter(model, 0, &parameter));
    cnn_model_destroy(model);
}

static void assert_spread(const cnn_tensor *tensor, double deviation, double limit)
{
    const float *values = cnn_tensor_const_data(tensor);
    double sum = 0, squares = 0, largest = 0;
    for (int64_t i = 0; i < tensor->count; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
        largest = fmax(largest, fabs((double)values[i]));
    }
    double count = (double)tensor->count;
    assert_true(fabs(sum / count) < 5 * deviation / sqrt(count));
    assert_true(fabs(sqrt(squares / count) / deviation - 1) < 0.02);
    assert_true(largest <= limit * 1.000001);
    assert_true(largest > limit * 0.5 || limit > 1000 * deviation);
}

static void initializers_give_their_deviations(void **state)
{
    (void)state;
    const double in = 256, out = 100;
    const struct {
        cnn_initializer initializer;
        double deviation;
        bool uniform;
    } expected[] = {
        { CNN_INIT_DEFAULT, sqrt(2 / in), false },
        { CNN_INIT_HE_NORMAL, sqrt(2 / in), false },
        { CNN_INIT_HE_UNIFORM, sqrt(2 / in), true },
        { CNN_INIT_GLOROT_NORMAL, sqrt(2 / (in + out)), false },
        { CNN_INIT_GLOROT_UNIFORM, sqrt(2 / (in + out)), true },
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        cnn_model *model = small_model(NULL, 1, expected[i].initializer);
        double deviation = expected[i].deviation;
        assert_spread(parameter_of(model, 6).value, deviation, expected[i].uniform ? sqrt(3) * deviation : 1e9);
        cnn_model_destroy(model);
    }
    cnn_model *model = small_model(NULL, 1, CNN_INIT_ZEROS);
    for (int32_t i = 0; i < 8; i++) {
        const cnn_tensor *value = parameter_of(model, i).value;
        float expected_value = strstr(parameter_of(model, i).name, "scale") || i == 5 ? 1.0f : 0.0f;
        for (int64_t k = 0; k < value->count; k++)
            assert_true(((const float *)value->data)[k] == expected_value);
    }
    cnn_model_destroy(model);
}

static void the_seed_decides_the_weights_and_threads_do_not(void **state)
{
    (void)state;
    cnn_context *one = context_of(1), *four = context_of(4);
    cnn_model *a = small_model(one, 1, 0), *b = small_model(four, 1, 0), *c = small_model(one, 2, 0);
    for (int32_t i = 0; i < 8; i += 6) {
        const cnn_tensor *value = parameter_of(a, i).value;
        size_t bytes = cnn_tensor_bytes(value);
        assert_memory_equal(value->data, parameter_of(b, i).value->data, bytes);
        assert_memory_not_equal(value->data, parameter_of(c, i).value->data, bytes);
    }
    assert_memory_not_equal(parameter_of(a, 0).value->data, parameter_of(a, 6).value->data, 64);
    cnn_model_destroy(a);
    cnn_model_destroy(b);
    cnn_model_destroy(c);
    cnn_context_destroy(one);
    cnn_context_destroy(four);
}

static void weights_and_operations_are_counted(void **state)
{
    (void)state;
    cnn_model *model = small_model(NULL, 1, 0);
    uint64_t trainable;
    uint64_t conv = 3 * 3 * 3 * 4 + 4, dense = 256 * 100 + 100;
    assert_int_equal(conv + 16 + dense, cnn_model_weight_count(model, &trainable));
    assert_int_equal(conv + 8 + dense, trainable);
    assert_int_equal(conv + 16 + dense, cnn_model_weight_count(model, NULL));
    uint64_t products = 8 * 8 * 4 * 27 + 256 * 100;
    assert_in_range(cnn_model_flops(model), 2 * products, 2 * products + products / 10);
    cnn_model_destroy(model);
}

static void notes_are_kept_changed_and_removed(void **state)
{
    (void)state;
    cnn_model *model = small_model(NULL, 1, 0);
    assert_null(cnn_model_metadata(model, "a"));
    assert_ok(cnn_model_set_metadata(model, "a", "1"));
    assert_ok(cnn_model_set_metadata(model, "b", "2"));
    assert_ok(cnn_model_set_metadata(model, "c", ""));
    assert_ok(cnn_model_set_metadata(model, "a", "3"));
    assert_string_equal("3", cnn_model_metadata(model, "a"));
    assert_ok(cnn_model_set_metadata(model, "a", NULL));
    assert_ok(cnn_model_set_metadata(model, "none", NULL));
    assert_null(cnn_model_metadata(model, "a"));
    assert_string_equal("2", cnn_model_metadata(model, "b"));
    assert_string_equal("", cnn_model_metadata(model, "c"));
    assert_null(cnn_model_metadata(model, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_set_metadata(model, NULL, "1"));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_set_metadata(model, "", "1"));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_set_metadata(NULL, "a", "1"));
    cnn_model_destroy(model);
}

static void notes_that_no_file_could_hold_are_refused(void **state)
{
    (void)state;
    cnn_model *model = small_model(NULL, 1, 0);
    static const char *const bad[] = { "\xFF", "caf\xE9", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_status(CNN_ERROR_ARGUMENT, cnn_model_set_metadata(model, "key", bad[i]));
        assert_status(CNN_ERROR_ARGUMENT, cnn_model_set_metadata(model, bad[i], "text"));
    }
    assert_null(cnn_model_metadata(model, "key"));
    assert_ok(cnn_model_set_metadata(model, "caf\xC3\xA9", "\xE2\x82\xAC \xF0\x9F\x90\xB1"));
    cnn_model_destroy(model);
}

static double seconds_used(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* By searches among all that are there this would take half a minute. */
static void many_notes_take_little_time(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    cnn_model *model = small_model(NULL, 1, 0);
    char key[32];
    double start = seconds_used();
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key %d", i);
        assert_ok(cnn_model_set_metadata(model, key, key));
    }
    assert_string_equal("key 77777", cnn_model_metadata(model, "key 77777"));
    assert_within_seconds(5, seconds_used() - start);
    cnn_model_destroy(model);
}

static void there_are_at_most_so_many_notes(void **state)
{
    (void)state;
    enum { LIMIT = 262144 };
    cnn_model *model = small_model(NULL, 1, 0);
    char key[32];
    for (int i = 0; i < LIMIT; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_ok(cnn_model_set_metadata(model, key, ""));
    }
    assert_status(CNN_ERROR_LIMIT, cnn_model_set_metadata(model, "one more", ""));
    assert_ok(cnn_model_set_metadata(model, "7", "changed"));
    assert_ok(cnn_model_set_metadata(model, "one more", NULL));
    assert_ok(cnn_model_set_metadata(model, "7", NULL));
    assert_ok(cnn_model_set_metadata(model, "one more", ""));
    cnn_model_destroy(model);
}

static void a_model_keeps_its_own_copy_of_the_graph(void **state)
{
    (void)state;
    cnn_model *model = small_model(NULL, 1, 0); /* whose graph is gone */
    assert_int_equal(5, cnn_graph_node_count(cnn_model_graph(model)));
    assert_int_equal(10, cnn_model_input_shape(model).dims[0]);
    assert_int_equal(100, cnn_model_output_shape(model).dims[0]);
    cnn_model_destroy(model);
}

static void graphs_without_a_layer_are_refused(void **state)
{
    (void)state;
    cnn_graph *g;
    cnn_model *model;
    assert_ok(cnn_graph_create(NULL, &g));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_create(NULL, g, 1, &model));
    cnn_node x = cnn_input(g, 4, 4, 1);
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_create(NULL, g, 1, &model));
    cnn_relu(g, x);
    cnn_graph_set_output(g, x);
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_create(NULL, g, 1, &model));
    assert_null(model);
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_create(NULL, NULL, 1, &model));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_create(NULL, g, 1, NULL));
    cnn_graph_destroy(g);
    cnn_model_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_named_and_told_apart),
        cmocka_unit_test(initializers_give_their_deviations),
        cmocka_unit_test(the_seed_decides_the_weights_and_threads_do_not),
        cmocka_unit_test(weights_and_operations_are_counted),
        cmocka_unit_test(notes_are_kept_changed_and_removed),
        cmocka_unit_test(notes_that_no_file_could_hold_are_refused),
        cmocka_unit_test(many_notes_take_little_time),
        cmocka_unit_test(there_are_at_most_so_many_notes),
        cmocka_unit_test(a_model_keeps_its_own_copy_of_the_graph),
        cmocka_unit_test(graphs_without_a_layer_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
