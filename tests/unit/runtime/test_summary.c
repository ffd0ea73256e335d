#include "models.h"

static void assert_summary(cnn_graph *graph, const char *expected)
{
    cnn_model *model;
    char *text;
    assert_ok(cnn_model_create_blank(NULL, graph, &model));
    assert_ok(cnn_model_summary(model, &text));
    assert_string_equal(expected, text);
    cnn_text_free(text);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
}

static void a_chain_is_a_table_of_layers_shapes_and_parameters(void **state)
{
    (void)state;
    cnn_graph *g;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_conv2d(g, cnn_input(g, 64, 64, 3), 64, NULL);
    x = cnn_name(g, cnn_batch_norm(g, x, NULL), "normé");
    cnn_dense(g, cnn_flatten(g, cnn_max_pool2d(g, x, NULL)), 64, NULL);
    assert_summary(g, "Layer (type)               Output shape  Parameters\n"
                      "===================================================\n"
                      "input_1 (input)            64×64×3                0\n"
                      "conv2d_1 (conv2d)          62×62×64           1,792\n"
                      "normé (batch_norm)         62×62×64             256\n"
                      "max_pool2d_1 (max_pool2d)  31×31×64               0\n"
                      "flatten_1 (flatten)        61504                  0\n"
                      "dense_1 (dense)            64             3,936,320\n"
                      "===================================================\n"
                      "Total parameters: 3,938,368 (15.75 MB)\n"
                      "Trainable parameters: 3,938,240 (15.75 MB)\n"
                      "Non-trainable parameters: 128 (0.00 MB)\n");
}

static void branches_say_what_they_are_connected_to(void **state)
{
    (void)state;
    cnn_graph *g;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_input(g, 8, 8, 3);
    cnn_add(g, cnn_relu(g, x), x);
    assert_summary(g, "Layer (type)     Output shape  Parameters  Connected to\n"
                      "==========================================================\n"
                      "input_1 (input)  8×8×3                  0\n"
                      "relu_1 (relu)    8×8×3                  0  input_1\n"
                      "add_1 (add)      8×8×3                  0  relu_1, input_1\n"
                      "==========================================================\n"
                      "Total parameters: 0 (0.00 MB)\n"
                      "Trainable parameters: 0 (0.00 MB)\n"
                      "Non-trainable parameters: 0 (0.00 MB)\n");
}

static void a_result_without_a_place_is_refused(void **state)
{
    (void)state;
    char *text;
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_summary(NULL, &text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_a_table_of_layers_shapes_and_parameters),
        cmocka_unit_test(branches_say_what_they_are_connected_to),
        cmocka_unit_test(a_result_without_a_place_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
