#include <string.h>

#include "models.h"
#include "runtime/model_internal.h"

/* With what depends on sizes: padding, strides, pooling, a shortcut, batch normalisation. */
static cnn_model *make_net(cnn_context *context, int64_t height, int64_t width)
{
    cnn_graph *g;
    cnn_model *model;
    assert_ok(cnn_graph_create(context, &g));
    cnn_conv2d_options halving = { .struct_size = sizeof halving, .stride = { 2, 2 }, .padding = CNN_PADDING_SAME };
    cnn_conv2d_options same = { .struct_size = sizeof same, .padding = CNN_PADDING_SAME };
    cnn_node x = cnn_conv2d(g, cnn_input(g, height, width, 3), 8, &halving);
    cnn_node shortcut = cnn_relu(g, cnn_batch_norm(g, x, NULL));
    x = cnn_add(g, cnn_conv2d(g, shortcut, 8, &same), shortcut);
    x = cnn_global_avg_pool(g, cnn_max_pool2d(g, x, NULL));
    cnn_dense(g, x, 2, NULL);
    assert_ok(cnn_model_create(context, g, 3, &model));
    cnn_graph_destroy(g);
    fill_parameters(model, 7);
    return model;
}

static void assert_predicts_as(const cnn_model *expected, const cnn_model *model)
{
    cnn_tensor *input = batch_of(3, cnn_model_input_shape(expected), 5);
    float values[2][6];
    for (int i = 0; i < 2; i++) {
        cnn_tensor *output;
        assert_ok(cnn_tensor_wrap(NULL, CNN_FLOAT32, 2, (int64_t[]){ 3, 2 }, values[i], &output));
        assert_ok(cnn_model_predict(i ? model : expected, input, output));
        cnn_tensor_destroy(output);
    }
    assert_memory_equal(values[0], values[1], sizeof values[0]);
    cnn_tensor_destroy(input);
}

static void a_resized_model_predicts_as_one_that_was_made_so(void **state)
{
    (void)state;
    cnn_context *context = context_of(2);
    cnn_model *model = make_net(context, 12, 16);
    static const int64_t sizes[][2] = { { 20, 20 }, { 9, 13 }, { 12, 16 } };
    for (int i = 0; i < 3; i++) {
        cnn_model *expected = make_net(context, sizes[i][0], sizes[i][1]);
        assert_ok(cnn_model_resize(model, sizes[i][0], sizes[i][1]));
        assert_predicts_as(expected, model);
        cnn_model_destroy(expected);
    }
    cnn_model_destroy(model);
    cnn_context_destroy(context);
}

static void the_graph_and_its_names_stay_where_they_are(void **state)
{
    (void)state;
    cnn_model *model = make_net(NULL, 12, 16);
    const cnn_graph *graph = cnn_model_graph(model);
    const char *name = cnn_graph_node_name(graph, 1);
    cnn_parameter parameter = { .struct_size = sizeof parameter };
    assert_ok(cnn_model_parameter(model, 0, &parameter));
    assert_ok(cnn_model_resize(model, 20, 18));
    assert_ptr_equal(graph, cnn_model_graph(model));
    assert_ptr_equal(name, cnn_graph_node_name(graph, 1));
    assert_string_equal("conv2d_1", name);
    assert_string_equal("conv2d_1.weight", parameter.name);
    assert_int_equal(1, cnn_graph_find(graph, name));
    assert_int_equal(20, cnn_graph_node_shape(graph, 0).dims[0]);
    assert_int_equal(9, cnn_graph_node_shape(graph, 1).dims[1]);
    cnn_model_destroy(model);
}

static void step(cnn_model *model, float *gradient, size_t count)
{
    cnn_tensor *input = batch_of(4, cnn_model_input_shape(model), 6);
    cnn_tensor *by_output = batch_of(4, cnn_model_output_shape(model), 8);
    const cnn_tensor *output;
    assert_ok(cnn_model_forward(model, input, 1, 2, &output));
    assert_ok(cnn_model_backward(model, by_output));
    memcpy(gradient, model->weights[0].gradient->data, count * sizeof *gradient);
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(by_output);
}

static void a_resized_model_trains_as_one_that_was_made_so(void **state)
{
    (void)state;
    cnn_context *context = context_of(2);
    cnn_model *model = make_net(context, 12, 16), *expected = make_net(context, 18, 18);
    enum { COUNT = 3 * 3 * 3 * 8 };
    float own[COUNT], other[COUNT];
    step(model, own, COUNT); /* so that there is something to be dropped */
    fill_parameters(model, 7);
    assert_ok(cnn_model_resize(model, 18, 18));
    step(model, own, COUNT);
    step(expected, other, COUNT);
    assert_memory_equal(own, other, sizeof own);
    cnn_model_destroy(expected);
    cnn_model_destroy(model);
    cnn_context_destroy(context);
}

static void a_net_for_one_size_names_its_layer_and_stays_as_it_was(void **state)
{
    (void)state;
    cnn_graph *g;
    cnn_model *model;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_dense(g, cnn_flatten(g, cnn_conv2d(g, cnn_input(g, 8, 8, 3), 4, NULL)), 2, NULL);
    assert_ok(cnn_model_create(NULL, g, 3, &model));
    cnn_graph_destroy(g);
    assert_status(CNN_ERROR_SHAPE, cnn_model_resize(model, 10, 10));
    assert_non_null(strstr(cnn_last_error(), "dense_1: its weights are for one size"));
    assert_int_equal(8, cnn_model_input_shape(model).dims[0]);
    assert_predicts_as(model, model);
    assert_ok(cnn_model_resize(model, 8, 8));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_resize(model, 0, 8));
    assert_status(CNN_ERROR_SHAPE, cnn_model_resize(model, 2, 8));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_resize(NULL, 8, 8));
    cnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resized_model_predicts_as_one_that_was_made_so),
        cmocka_unit_test(the_graph_and_its_names_stay_where_they_are),
        cmocka_unit_test(a_resized_model_trains_as_one_that_was_made_so),
        cmocka_unit_test(a_net_for_one_size_names_its_layer_and_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
