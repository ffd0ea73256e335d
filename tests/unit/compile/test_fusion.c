#include <stdio.h>

#include "../runtime/models.h"

/* "input fused_conv2d dense": the types of a program's operations. */
static void assert_operations(cnn_graph *graph, bool training, const char *expected)
{
    cnn_model *model;
    cnn_program *program;
    char text[512] = "";
    assert_ok(cnn_graph_status(graph));
    assert_ok(cnn_model_create_blank(NULL, graph, &model));
    cnn_program_source source = cnn_model_source(model);
    assert_ok(cnn_program_create(&source, (cnn_purpose){ .training = training }, &program));
    for (int32_t i = 0; i < program->count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "", program->operations[i].layer.type->name);
    }
    assert_string_equal(expected, text);
    cnn_program_destroy(program);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
}

static cnn_graph *new_graph(cnn_node *input)
{
    cnn_graph *graph;
    assert_ok(cnn_graph_create(NULL, &graph));
    *input = cnn_input(graph, 16, 16, 3);
    return graph;
}

static void a_convolution_takes_in_what_follows_it(void **state)
{
    (void)state;
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    cnn_max_pool2d(g, cnn_relu(g, cnn_conv2d(g, x, 4, NULL)), NULL);
    assert_operations(g, true, "input fused_conv2d");
    g = new_graph(&x);
    cnn_relu6(g, cnn_conv2d(g, x, 4, NULL));
    assert_operations(g, true, "input fused_conv2d");
    g = new_graph(&x);
    cnn_max_pool2d(g, cnn_conv2d(g, x, 4, NULL), NULL);
    assert_operations(g, false, "input fused_conv2d");
    g = new_graph(&x);
    cnn_conv2d(g, x, 4, NULL);
    assert_operations(g, false, "input conv2d");
}

static void batch_norm_is_taken_in_when_predicting_only(void **state)
{
    (void)state;
    for (int training = 0; training < 2; training++) {
        cnn_node x;
        cnn_graph *g = new_graph(&x);
        x = cnn_batch_norm(g, cnn_conv2d(g, x, 4, NULL), NULL);
        cnn_max_pool2d(g, cnn_relu(g, x), NULL);
        assert_operations(g, training, training ? "input conv2d fused_batch_norm max_pool2d" : "input fused_conv2d");
    }
}

static void batch_norm_takes_in_an_addition_and_an_activation_when_training(void **state)
{
    (void)state;
    cnn_node x;
    cnn_conv2d_options same = { .struct_size = sizeof same, .padding = CNN_PADDING_SAME };
    cnn_graph *g = new_graph(&x);
    cnn_node branch = cnn_batch_norm(g, cnn_conv2d(g, x, 4, &same), NULL);
    cnn_node shortcut = cnn_batch_norm(g, cnn_conv2d(g, x, 4, &same), NULL);
    cnn_relu6(g, cnn_add(g, branch, shortcut));
    assert_operations(g, true, "input conv2d batch_norm conv2d fused_batch_norm_add");
    g = new_graph(&x);
    cnn_add(g, x, cnn_batch_norm(g, cnn_conv2d(g, x, 3, &same), NULL));
    assert_operations(g, true, "input conv2d fused_batch_norm_add");
    g = new_graph(&x);
    branch = cnn_batch_norm(g, cnn_conv2d(g, x, 3, &same), NULL);
    cnn_concat(g, (cnn_node[]){ cnn_relu(g, branch), branch }, 2);
    assert_operations(g, true, "input conv2d batch_norm relu concat");
}

/* Wherever the shortcut stands in the graph, one of the two branches' last convolutions does the addition. */
static void a_residual_is_added_by_a_convolution_when_predicting(void **state)
{
    (void)state;
    cnn_node x;
    cnn_conv2d_options same = { .struct_size = sizeof same, .padding = CNN_PADDING_SAME };
    for (int first = 0; first < 2; first++) {
        cnn_graph *g = new_graph(&x);
        cnn_node shortcut = first ? cnn_conv2d(g, x, 4, &same) : 0;
        cnn_node branch = cnn_batch_norm(g, cnn_conv2d(g, x, 4, &same), NULL);
        if (!first)
            shortcut = cnn_conv2d(g, x, 4, &same);
        cnn_relu(g, cnn_add(g, first ? shortcut : branch, first ? branch : shortcut));
        assert_operations(g, false, first ? "input conv2d fused_conv2d" : "input fused_conv2d fused_conv2d");
    }
    cnn_graph *g = new_graph(&x);
    cnn_relu(g, cnn_add(g, cnn_conv2d(g, x, 3, &same), x));
    assert_operations(g, false, "input fused_conv2d");
    g = new_graph(&x);
    cnn_max_pool2d(g, cnn_relu(g, cnn_add(g, cnn_conv2d(g, x, 3, &same), x)), NULL);
    assert_operations(g, false, "input fused_conv2d max_pool2d");
    g = new_graph(&x);
    x = cnn_conv2d(g, x, 3, &same);
    cnn_add(g, x, x);
    assert_operations(g, false, "input conv2d add");
}

static void a_dense_layer_takes_in_its_activation(void **state)
{
    (void)state;
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = cnn_relu(g, cnn_dense(g, cnn_flatten(g, x), 8, NULL));
    cnn_tanh(g, cnn_dense(g, x, 2, NULL));
    assert_operations(g, true, "input flatten fused_dense dense tanh");
}

static void dropout_does_nothing_when_predicting(void **state)
{
    (void)state;
    for (int training = 0; training < 2; training++) {
        cnn_node x;
        cnn_graph *g = new_graph(&x);
        x = cnn_relu(g, cnn_dropout(g, cnn_conv2d(g, x, 4, NULL), 0.5f));
        cnn_dropout(g, x, 0.5f);
        assert_operations(g, training, training ? "input conv2d dropout relu dropout" : "input fused_conv2d");
    }
}

static void a_value_that_others_use_is_not_swallowed(void **state)
{
    (void)state;
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    cnn_node conv = cnn_conv2d(g, x, 4, NULL);
    cnn_add(g, cnn_relu(g, conv), conv);
    assert_operations(g, false, "input conv2d relu add");
    g = new_graph(&x);
    cnn_node relu = cnn_relu(g, cnn_conv2d(g, x, 4, NULL));
    cnn_concat(g, (cnn_node[]){ cnn_max_pool2d(g, relu, NULL), cnn_avg_pool2d(g, relu, NULL) }, 2);
    assert_operations(g, false, "input fused_conv2d max_pool2d avg_pool2d concat");
}

static void the_output_is_not_swallowed_and_what_does_not_lead_to_it_is_not_run(void **state)
{
    (void)state;
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    cnn_node conv = cnn_conv2d(g, x, 4, NULL);
    cnn_tanh(g, x);
    cnn_relu(g, conv);
    cnn_graph_set_output(g, conv);
    assert_operations(g, false, "input conv2d");
}

static void pooling_that_kernels_cannot_do_stays_apart(void **state)
{
    (void)state;
    static const cnn_pool2d_options options[] = {
        { .struct_size = sizeof options[0], .stride = { 1, 1 } },
        { .struct_size = sizeof options[0], .padding = CNN_PADDING_SAME },
        { .struct_size = sizeof options[0], .padding = CNN_PADDING_EXPLICIT, .pads = { 0, 1, 0, 0 } },
        { .struct_size = sizeof options[0], .kernel = { 16, 16 } },
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        cnn_node x;
        cnn_graph *g = new_graph(&x);
        cnn_conv2d_options conv = { .struct_size = sizeof conv, .padding = CNN_PADDING_SAME };
        cnn_max_pool2d(g, cnn_conv2d(g, x, 4, &conv), &options[i]);
        assert_operations(g, true, "input conv2d max_pool2d");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_convolution_takes_in_what_follows_it),
        cmocka_unit_test(batch_norm_is_taken_in_when_predicting_only),
        cmocka_unit_test(batch_norm_takes_in_an_addition_and_an_activation_when_training),
        cmocka_unit_test(a_residual_is_added_by_a_convolution_when_predicting),
        cmocka_unit_test(a_dense_layer_takes_in_its_activation),
        cmocka_unit_test(dropout_does_nothing_when_predicting),
        cmocka_unit_test(a_value_that_others_use_is_not_swallowed),
        cmocka_unit_test(the_output_is_not_swallowed_and_what_does_not_lead_to_it_is_not_run),
        cmocka_unit_test(pooling_that_kernels_cannot_do_stays_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
