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
    x = cnn_graph_set_name(g, cnn_batch_norm(g, x, NULL), "normé");
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

static cnn_model *small_model(cnn_context *context)
{
    cnn_graph *g;
    cnn_model *model;
    assert_ok(cnn_graph_create(context, &g));
    cnn_node x = cnn_graph_set_name(g, cnn_input(g, 8, 8, 3), "image");
    x = cnn_graph_set_name(g, cnn_relu(g, cnn_conv2d(g, x, 4, NULL)), "a \"quoted\" name");
    cnn_graph_set_name(g, cnn_tanh(g, x), "output");
    assert_ok(cnn_model_create(context, g, 1, &model));
    cnn_graph_destroy(g);
    return model;
}

static void a_program_is_told_as_text_and_as_a_drawing(void **state)
{
    (void)state;
    cnn_model *model = small_model(NULL);
    cnn_tensor *image = batch_of(1, cnn_model_input_shape(model), 1), *wrong = batch_of(1, (cnn_shape){ 1, { 3 } }, 1);
    char *text;
    assert_ok(cnn_model_program_text(model, NULL, &text));
    assert_string_equal("0 input = image: 8×8×3 float32\n"
                        "1 fused_conv2d(0) = a \"quoted\" name: 6×6×4 float32, direct\n"
                        "2 tanh(1) = output: 6×6×4 float32\n",
                        text);
    cnn_text_free(text);
    assert_ok(cnn_model_program_text(model, image, &text));
    assert_non_null(strstr(text, "2 tanh(1) = output: 6×6×4 float32, 0."));
    assert_non_null(strstr(text, " ms\n"));
    cnn_text_free(text);
    assert_ok(cnn_model_program_dot(model, NULL, &text));
    assert_string_equal("digraph program {\n"
                        "  node [shape=box];\n"
                        "  0 [label=\"input\\nimage\\n8×8×3 float32\"];\n"
                        "  1 [label=\"fused_conv2d\\na \\\"quoted\\\" name\\n6×6×4 float32\\ndirect\"];\n"
                        "  0 -> 1;\n"
                        "  2 [label=\"tanh\\noutput\\n6×6×4 float32\"];\n"
                        "  1 -> 2;\n"
                        "}\n",
                        text);
    cnn_text_free(text);
    assert_status(CNN_ERROR_SHAPE, cnn_model_program_text(model, wrong, &text));
    assert_null(text);
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_program_dot(model, NULL, NULL));
    cnn_tensor_destroy(image);
    cnn_tensor_destroy(wrong);
    cnn_model_destroy(model);
}

static void keep_message(cnn_log_level level, const char *message, void *user)
{
    char *all = user;
    assert_int_equal(CNN_LOG_DEBUG, level);
    strncat(all, message, 4000 - strlen(all));
    strncat(all, "\n", 4000 - strlen(all));
}

/* What is chosen, once; and at the second prediction how long it took. */
static void the_log_tells_it_where_the_environment_wants_that(void **state)
{
    (void)state;
    for (int wanted = 0; wanted < 2; wanted++) {
        char all[4096] = "";
        cnn_context_options options;
        cnn_context *context;
        cnn_context_options_init(&options);
        options.log = keep_message;
        options.log_user = all;
        assert_int_equal(0, setenv("CNN_LOG", wanted ? "2" : "1", 1));
        assert_ok(cnn_context_create(&options, &context));
        assert_int_equal(0, unsetenv("CNN_LOG"));
        cnn_model *model = small_model(context);
        cnn_tensor *images = batch_of(2, cnn_model_input_shape(model), 1);
        cnn_tensor *outputs = batch_of(2, cnn_model_output_shape(model), 1);
        for (int i = 0; i < 3; i++) {
            assert_ok(cnn_model_predict(model, images, outputs));
            assert_int_equal(wanted, strstr(all, "program for prediction on ") != NULL);
            assert_int_equal(wanted, strstr(all, "\nbuffer 2: 576 bytes at 0, from 1 to 3\n") != NULL);
            assert_int_equal(wanted && i > 0, strstr(all, "\n2 images at once take:\n") != NULL);
        }
        step_of_training(model, 2, 1);
        assert_int_equal(wanted, strstr(all, "\nprogram for training on ") != NULL);
        cnn_tensor_destroy(images);
        cnn_tensor_destroy(outputs);
        cnn_model_destroy(model);
        cnn_context_destroy(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_a_table_of_layers_shapes_and_parameters),
        cmocka_unit_test(branches_say_what_they_are_connected_to),
        cmocka_unit_test(a_result_without_a_place_is_refused),
        cmocka_unit_test(a_program_is_told_as_text_and_as_a_drawing),
        cmocka_unit_test(the_log_tells_it_where_the_environment_wants_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
