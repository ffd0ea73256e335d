/* The values of layers by name, and the memory that a prediction takes. */
#include <math.h>

#include <cnn/quantize.h>

#include "models.h"

static cnn_model *make_model(cnn_context *context, cnn_node *conv, cnn_node *pooled)
{
    cnn_graph *g;
    cnn_model *model;
    assert_ok(cnn_graph_create(context, &g));
    *conv = cnn_conv2d(g, cnn_input(g, 12, 10, 3), 8, NULL);
    cnn_node x = cnn_relu(g, cnn_batch_norm(g, *conv, NULL));
    *pooled = cnn_max_pool2d(g, x, NULL);
    cnn_graph_set_name(g, *pooled, "pooled");
    cnn_dense(g, cnn_flatten(g, *pooled), 5, NULL);
    assert_ok(cnn_model_create(context, g, 1, &model));
    cnn_graph_destroy(g);
    fill_parameters(model, 3);
    return model;
}

static void layers_have_the_values_that_the_model_computes_with(void **state)
{
    (void)state;
    cnn_node conv, pooled;
    cnn_model *model = make_model(NULL, &conv, &pooled);
    const char *layers[] = { "pooled", "dense_1", "conv2d_1" };
    cnn_tensor *values[2], *both[2], *input = batch_of(4, cnn_model_input_shape(model), 2), *output, *expected;
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 2, (int64_t[]){ 4, 5 }, &output));
    assert_ok(cnn_model_predict(model, input, output));
    assert_ok(cnn_model_predict_layers(model, input, layers, 2, values));
    assert_int_equal(4, cnn_tensor_rank(values[0]));
    assert_int_equal(5, cnn_tensor_dim(values[0], 1));
    assert_int_equal(4, cnn_tensor_dim(values[0], 2));
    assert_memory_equal(output->data, values[1]->data, cnn_tensor_bytes(output));

    assert_ok(cnn_model_predict_layers(model, input, &layers[1], 2, both)); /* normalisation isn't folded then */
    assert_int_equal(8, cnn_tensor_dim(both[1], 3));
    for (int64_t i = 0; i < output->count; i++)
        assert_float_equal(((float *)output->data)[i], ((float *)both[0]->data)[i], 1e-5);

    cnn_graph *part; /* the long way to the same */
    cnn_model *truncated;
    assert_ok(cnn_graph_truncate(NULL, cnn_model_graph(model), "pooled", &part));
    assert_ok(cnn_model_create(NULL, part, 9, &truncated));
    assert_ok(cnn_model_copy_weights(truncated, model, NULL));
    expected = batch_of(4, cnn_model_output_shape(truncated), 1);
    assert_ok(cnn_model_predict(truncated, input, expected));
    assert_memory_equal(expected->data, values[0]->data, cnn_tensor_bytes(expected));

    ((float *)cnn_tensor_data(model->weights[0].value))[0] += 1; /* they are those of the model as it is now */
    cnn_model_changed(model);
    cnn_tensor *again[1];
    assert_ok(cnn_model_predict_layers(model, input, &layers[2], 1, again));
    assert_memory_not_equal(both[1]->data, again[0]->data, cnn_tensor_bytes(again[0]));

    cnn_tensor_destroy(again[0]);
    cnn_model_destroy(truncated);
    cnn_graph_destroy(part);
    for (int i = 0; i < 2; i++) {
        cnn_tensor_destroy(values[i]);
        cnn_tensor_destroy(both[i]);
    }
    cnn_tensor_destroy(expected);
    cnn_tensor_destroy(output);
    cnn_tensor_destroy(input);
    cnn_model_destroy(model);
}

static void the_input_and_layers_beside_the_output_have_values(void **state)
{
    (void)state;
    static const char *const layers[] = { "head", "image", "head", "dropped" };
    cnn_graph *g;
    cnn_model *model;
    cnn_tensor *values[4];
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_graph_set_name(g, cnn_input(g, 5, 4, 2), "image");
    cnn_graph_set_name(g, cnn_dropout(g, x, 0.5f), "dropped");
    x = cnn_global_avg_pool(g, cnn_relu(g, cnn_conv2d(g, x, 3, NULL)));
    cnn_node output = cnn_dense(g, x, 2, NULL);
    cnn_graph_set_name(g, cnn_dense(g, x, 4, NULL), "head");
    cnn_graph_set_output(g, output);
    assert_ok(cnn_model_create(NULL, g, 1, &model));
    cnn_tensor *input = batch_of(3, cnn_model_input_shape(model), 2);
    assert_ok(cnn_model_predict_layers(model, input, layers, 4, values));
    assert_int_equal(4, cnn_tensor_dim(values[0], 1));
    assert_memory_equal(input->data, values[1]->data, cnn_tensor_bytes(input));
    assert_memory_equal(values[0]->data, values[2]->data, cnn_tensor_bytes(values[0]));
    assert_memory_equal(input->data, values[3]->data, cnn_tensor_bytes(input));
    for (int i = 0; i < 4; i++)
        cnn_tensor_destroy(values[i]);
    cnn_tensor_destroy(input);
    cnn_model_destroy(model);
    cnn_graph_destroy(g);
}

/* As near to the values of the model that they are made from as bytes can be, swallowed layers among them. */
static void layers_of_a_quantised_model_have_values(void **state)
{
    (void)state;
    static const char *const layers[] = { "conv", "relu", "pool", "sum", "logits" };
    cnn_graph *g;
    cnn_model *model, *quantized;
    cnn_tensor *expected[5], *values[5];
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_conv2d_options same = { .struct_size = sizeof same, .padding = CNN_PADDING_SAME };
    cnn_node x = cnn_graph_set_name(g, cnn_conv2d(g, cnn_input(g, 9, 8, 3), 8, NULL), "conv");
    x = cnn_graph_set_name(g, cnn_max_pool2d(g, cnn_graph_set_name(g, cnn_relu(g, x), "relu"), NULL), "pool");
    x = cnn_graph_set_name(g, cnn_add(g, cnn_conv2d(g, x, 8, &same), x), "sum");
    cnn_graph_set_name(g, cnn_dense(g, cnn_global_avg_pool(g, cnn_relu(g, x)), 3, NULL), "logits");
    cnn_graph_set_name(g, cnn_tanh(g, x), "aside");
    cnn_graph_set_output(g, cnn_graph_find(g, "logits"));
    assert_ok(cnn_model_create(NULL, g, 1, &model));
    cnn_tensor *input = batch_of(6, cnn_model_input_shape(model), 2);
    assert_ok(cnn_model_quantize(model, input, &quantized));
    assert_ok(cnn_model_predict_layers(model, input, layers, 5, expected));
    assert_ok(cnn_model_predict_layers(quantized, input, layers, 5, values));
    for (int i = 0; i < 5; i++) {
        const float *a = expected[i]->data, *b = values[i]->data;
        float largest = 0, difference = 0;
        for (int64_t k = 0; k < expected[i]->count; k++) {
            largest = fabsf(a[k]) > largest ? fabsf(a[k]) : largest;
            difference = fabsf(a[k] - b[k]) > difference ? fabsf(a[k] - b[k]) : difference;
        }
        if (!(difference > 0 && difference < 0.03f * largest))
            fail_msg("%s differs by %g; its largest value is %g", layers[i], (double)difference, (double)largest);
        cnn_tensor_destroy(expected[i]);
        cnn_tensor_destroy(values[i]);
    }
    const char *alone = "logits", *aside = "aside";
    cnn_tensor *output = batch_of(6, cnn_model_output_shape(quantized), 1);
    assert_ok(cnn_model_predict(quantized, input, output));
    assert_ok(cnn_model_predict_layers(quantized, input, &alone, 1, values));
    assert_memory_equal(output->data, values[0]->data, cnn_tensor_bytes(output));
    cnn_tensor_destroy(values[0]);
    assert_status(CNN_ERROR_UNSUPPORTED, cnn_model_predict_layers(quantized, input, &aside, 1, values));
    cnn_tensor_destroy(output);
    cnn_tensor_destroy(input);
    cnn_model_destroy(quantized);
    cnn_model_destroy(model);
    cnn_graph_destroy(g);
}

static void layers_that_cannot_be_had_are_refused(void **state)
{
    (void)state;
    cnn_node conv, pooled;
    cnn_model *model = make_model(NULL, &conv, &pooled);
    const char *wrong[] = { "pooled", "absent" }, *none[] = { NULL };
    cnn_tensor *values[2], *input = batch_of(2, cnn_model_input_shape(model), 2), *small;
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_predict_layers(model, input, wrong, 2, values));
    assert_true(!values[0] && !values[1]);
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_predict_layers(model, input, none, 1, values));
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 4, (int64_t[]){ 1, 4, 4, 3 }, &small));
    assert_status(CNN_ERROR_SHAPE, cnn_model_predict_layers(model, small, wrong, 1, values));
    assert_ok(cnn_model_predict_layers(model, input, wrong, 0, values));
    assert_ok(cnn_model_predict_layers(model, input, NULL, 0, NULL));
    values[0] = values[1] = input;
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_predict_layers(model, input, NULL, 2, values));
    assert_true(!values[0] && !values[1]);
    cnn_tensor_destroy(small);
    cnn_tensor_destroy(input);
    cnn_model_destroy(model);
}

static void no_images_have_no_values(void **state)
{
    (void)state;
    cnn_node conv, pooled;
    cnn_model *model = make_model(NULL, &conv, &pooled);
    const char *layers[] = { "pooled", "nothing" };
    cnn_tensor *values[2], *input = batch_of(0, cnn_model_input_shape(model), 2);
    assert_ok(cnn_model_predict_layers(model, input, layers, 1, values));
    assert_int_equal(cnn_tensor_dim(values[0], 0), 0);
    cnn_tensor_destroy(values[0]);
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_predict_layers(model, input, layers, 2, values));
    cnn_tensor_destroy(input);
    cnn_model_destroy(model);
}

/* What is told is what is taken, but for some small structs. */
static void the_memory_of_a_prediction_is_known_beforehand(void **state)
{
    (void)state;
    static const int64_t counts[] = { 1, 2, 7, 32, 100 };
    for (uint32_t threads = 1; threads <= 3; threads += 2)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            cnn_context *context = context_of(threads);
            cnn_node conv, pooled;
            cnn_model *model = make_model(context, &conv, &pooled);
            cnn_tensor *input = batch_of(counts[i], cnn_model_input_shape(model), 2);
            cnn_tensor *output = batch_of(counts[i], cnn_model_output_shape(model), 2);
            uint64_t told, before = cnn_context_memory_in_use(context);
            assert_ok(cnn_model_prediction_memory(model, (uint64_t)counts[i], &told));
            assert_ok(cnn_model_predict(model, input, output));
            uint64_t taken = cnn_context_memory_in_use(context) - before, small = 64 << 10;
            if (taken > told + small || told > taken + small)
                fail_msg("%d images on %u threads: %llu bytes were told, %llu taken", (int)counts[i], threads,
                         (unsigned long long)told, (unsigned long long)taken);
            cnn_tensor_destroy(input);
            cnn_tensor_destroy(output);
            cnn_model_destroy(model);
            cnn_context_destroy(context);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_have_the_values_that_the_model_computes_with),
        cmocka_unit_test(the_input_and_layers_beside_the_output_have_values),
        cmocka_unit_test(layers_of_a_quantised_model_have_values),
        cmocka_unit_test(layers_that_cannot_be_had_are_refused),
        cmocka_unit_test(no_images_have_no_values),
        cmocka_unit_test(the_memory_of_a_prediction_is_known_beforehand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
