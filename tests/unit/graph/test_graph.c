#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../test.h"
#include "graph/graph_internal.h"
#include "runtime/model_internal.h"

static cnn_graph *new_graph(void)
{
    cnn_graph *graph;
    assert_ok(cnn_graph_create(NULL, &graph));
    return graph;
}

static void assert_shape(const cnn_graph *graph, cnn_node node, int32_t rank, const int64_t *dims)
{
    cnn_shape shape = cnn_graph_node_shape(graph, node);
    assert_int_equal(rank, shape.rank);
    for (int32_t i = 0; i < rank; i++)
        assert_int_equal(dims[i], shape.dims[i]);
}

static void layers_get_shapes_types_and_names(void **state)
{
    (void)state;
    cnn_graph *g = new_graph();
    cnn_node x = cnn_input(g, 150, 100, 3);
    cnn_node a = cnn_conv2d(g, x, 32, NULL);
    cnn_node b = cnn_conv2d(g, a, 16, NULL);
    cnn_node c = cnn_max_pool2d(g, b, NULL);
    cnn_node d = cnn_dense(g, cnn_flatten(g, c), 5, NULL);
    assert_ok(cnn_graph_status(g));
    assert_int_equal(6, cnn_graph_node_count(g));
    assert_shape(g, a, 3, (int64_t[]){ 148, 98, 32 });
    assert_shape(g, c, 3, (int64_t[]){ 73, 48, 16 });
    assert_shape(g, d, 1, (int64_t[]){ 5 });
    assert_string_equal("conv2d_1", cnn_graph_node_name(g, a));
    assert_string_equal("conv2d_2", cnn_graph_node_name(g, b));
    assert_string_equal("max_pool2d", cnn_graph_node_type(g, c));
    cnn_node inputs[16];
    assert_int_equal(1, cnn_graph_node_inputs(g, b, inputs, 16));
    assert_int_equal(a, inputs[0]);
    cnn_graph_destroy(g);
}

static void no_more_is_written_than_there_is_room_for(void **state)
{
    (void)state;
    cnn_graph *g = new_graph();
    cnn_node x = cnn_input(g, 150, 100, 3), sum = cnn_add(g, x, x), inputs[] = { -7, -7 };
    int64_t dims[] = { -7, -7, -7, -7 };
    assert_int_equal(3, cnn_graph_node_dims(g, x, dims, 2));
    assert_true(dims[0] == 150 && dims[1] == 100 && dims[2] == -7);
    assert_int_equal(3, cnn_graph_node_dims(g, x, dims, 4));
    assert_true(dims[2] == 3 && dims[3] == -7);
    assert_int_equal(3, cnn_graph_node_dims(g, x, NULL, 0));
    assert_int_equal(0, cnn_graph_node_dims(g, 99, dims, 4));
    assert_int_equal(2, cnn_graph_node_inputs(g, sum, inputs, 1));
    assert_true(inputs[0] == x && inputs[1] == -7);
    assert_int_equal(2, cnn_graph_node_inputs(g, sum, NULL, 0));
    cnn_graph_destroy(g);
}

static void options_reach_the_layer(void **state)
{
    (void)state;
    cnn_graph *g = new_graph();
    cnn_node x = cnn_input(g, 20, 20, 4);
    cnn_conv2d_options conv = {
        .struct_size = sizeof conv, .kernel = { 5, 3 }, .stride = { 2, 1 }, .padding = CNN_PADDING_SAME, .no_bias = 1
    };
    cnn_node a = cnn_conv2d(g, x, 8, &conv);
    cnn_pool2d_options pool = { .struct_size = sizeof pool,
                                .kernel = { 3, 3 },
                                .stride = { 1, 1 },
                                .padding = CNN_PADDING_EXPLICIT,
                                .pads = { 1, 0, 1, 0 } };
    cnn_node b = cnn_avg_pool2d(g, a, &pool);
    assert_ok(cnn_graph_status(g));
    assert_shape(g, a, 3, (int64_t[]){ 10, 20, 8 });
    assert_shape(g, b, 3, (int64_t[]){ 10, 18, 8 });
    assert_int_equal(1, g->nodes[a].layer.parameter_count);
    cnn_graph_destroy(g);
}

static void any_acyclic_graph_can_be_built(void **state)
{
    (void)state;
    cnn_graph *g = new_graph();
    cnn_conv2d_options same = { .struct_size = sizeof same, .padding = CNN_PADDING_SAME };
    cnn_node x = cnn_input(g, 8, 8, 4);
    cnn_node a = cnn_conv2d(g, x, 4, &same);
    cnn_node sum = cnn_add(g, cnn_relu(g, a), x);
    cnn_node both = cnn_concat(g, (cnn_node[]){ sum, a, x }, 3);
    cnn_node twice = cnn_add(g, both, both);
    assert_ok(cnn_graph_status(g));
    assert_shape(g, both, 3, (int64_t[]){ 8, 8, 12 });
    assert_shape(g, twice, 3, (int64_t[]){ 8, 8, 12 });
    cnn_graph_destroy(g);
}

static void the_first_error_sticks_with_the_layers_name_and_both_shapes(void **state)
{
    (void)state;
    cnn_graph *g = new_graph();
    cnn_node x = cnn_input(g, 8, 8, 3);
    cnn_node a = cnn_conv2d(g, x, 4, NULL);
    assert_int_equal(CNN_NODE_ERROR, cnn_add(g, x, a));
    assert_int_equal(CNN_NODE_ERROR, cnn_relu(g, x)); /* sound, but later */
    assert_int_equal(CNN_NODE_ERROR, cnn_conv2d(g, x, -1, NULL));
    assert_int_equal(2, cnn_graph_node_count(g));
    assert_status(CNN_ERROR_SHAPE, cnn_graph_status(g));
    assert_non_null(strstr(cnn_last_error(), "add_1: "));
    assert_non_null(strstr(cnn_last_error(), "8×8×3"));
    assert_non_null(strstr(cnn_last_error(), "6×6×4"));
    cnn_model *model = (cnn_model *)g;
    assert_status(CNN_ERROR_SHAPE, cnn_model_create(NULL, g, 1, &model));
    assert_null(model);
    assert_non_null(strstr(cnn_last_error(), "add_1: "));
    cnn_graph_destroy(g);
}

typedef void (*mistake)(cnn_graph *graph, cnn_node input);

static void use_a_foreign_node(cnn_graph *g, cnn_node x)
{
    cnn_relu(g, x + 1);
}

static void use_the_error_node(cnn_graph *g, cnn_node x)
{
    (void)x;
    cnn_relu(g, CNN_NODE_ERROR);
}

static void give_two_inputs(cnn_graph *g, cnn_node x)
{
    (void)x;
    cnn_input(g, 3, 3, 3);
}

static void give_a_name_twice(cnn_graph *g, cnn_node x)
{
    cnn_graph_set_name(g, x, "same");
    cnn_graph_set_name(g, cnn_relu(g, x), "same");
}

static void give_an_empty_name(cnn_graph *g, cnn_node x)
{
    cnn_graph_set_name(g, x, "");
}

static void give_a_name_that_is_not_utf8(cnn_graph *g, cnn_node x)
{
    cnn_graph_set_name(g, x, "caf\xE9");
}

static void give_no_name(cnn_graph *g, cnn_node x)
{
    cnn_graph_set_name(g, x, NULL);
}

static void give_options_without_a_size(cnn_graph *g, cnn_node x)
{
    cnn_conv2d(g, x, 3, &(cnn_conv2d_options){ .kernel = { 3, 3 } });
}

static void put_out_a_foreign_node(cnn_graph *g, cnn_node x)
{
    cnn_graph_set_output(g, x + 1);
}

static void concatenate_nothing(cnn_graph *g, cnn_node x)
{
    (void)x;
    cnn_concat(g, NULL, 2);
}

static void concatenate_seventeen(cnn_graph *g, cnn_node x)
{
    cnn_node inputs[17];
    for (int i = 0; i < 17; i++)
        inputs[i] = x;
    cnn_concat(g, inputs, 17);
}

static void concatenate_less_than_none(cnn_graph *g, cnn_node x)
{
    cnn_concat(g, &x, -1);
}

static void normalize_by_nothing(cnn_graph *g, cnn_node x)
{
    cnn_normalize(g, x, NULL, NULL);
}

static void misuse_sticks_as_an_error(void **state)
{
    (void)state;
    static const mistake mistakes[] = { use_a_foreign_node,  use_the_error_node,           give_two_inputs,
                                        give_a_name_twice,   give_a_name_that_is_not_utf8, give_an_empty_name,
                                        give_no_name,        give_options_without_a_size,  put_out_a_foreign_node,
                                        concatenate_nothing, concatenate_seventeen,        concatenate_less_than_none,
                                        normalize_by_nothing };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        cnn_graph *g = new_graph();
        cnn_node x = cnn_input(g, 8, 8, 3);
        assert_ok(cnn_graph_status(g));
        mistakes[i](g, x);
        if (cnn_graph_status(g) != CNN_ERROR_ARGUMENT)
            fail_msg("mistake %zu gives %s", i, cnn_status_name(cnn_graph_status(g)));
        assert_true(strlen(cnn_last_error()) > 10);
        cnn_graph_destroy(g);
    }
    assert_int_equal(CNN_NODE_ERROR, cnn_input(NULL, 1, 1, 1));
    assert_int_equal(CNN_NODE_ERROR, cnn_dense(NULL, 0, 1, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_status(NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_create(NULL, NULL));
}

static void made_names_leave_out_taken_ones(void **state)
{
    (void)state;
    cnn_graph *g = new_graph();
    cnn_node x = cnn_graph_set_name(g, cnn_input(g, 8, 8, 3), "relu_1");
    cnn_node a = cnn_relu(g, x);
    assert_ok(cnn_graph_status(g));
    assert_string_equal("relu_2", cnn_graph_node_name(g, a));
    assert_int_equal(a, cnn_graph_set_name(g, a, "relu_2"));
    assert_int_equal(a, cnn_graph_find(g, "relu_2"));
    cnn_graph_destroy(g);
}

/* Half of the layers have the names that the other half would get: each of those tries a thousand. */
static void taken_names_cost_little_time(void **state)
{
    (void)state;
    enum { HALF = 2000 };
    cnn_graph *g = new_graph();
    cnn_node x = cnn_input(g, 1, 1, 1);
    char name[32];
    clock_t start = clock();
    for (int i = 0; i < HALF; i++) {
        snprintf(name, sizeof name, "relu_%d", HALF + 2 + i);
        x = cnn_graph_set_name(g, cnn_relu(g, x), name);
    }
    for (int i = 0; i < HALF; i++)
        x = cnn_relu(g, x);
    assert_ok(cnn_graph_status(g));
    assert_int_equal(2 * HALF, x);
    assert_int_equal(x, cnn_graph_find(g, cnn_graph_node_name(g, x)));
    assert_within_seconds(2, (double)(clock() - start) / CLOCKS_PER_SEC);
    cnn_graph_destroy(g);
}

static void a_node_that_is_none_has_no_shape_and_no_name(void **state)
{
    (void)state;
    cnn_graph *g = new_graph();
    assert_int_equal(0, cnn_graph_node_shape(g, 0).rank);
    assert_int_equal(0, cnn_graph_node_shape(NULL, 0).rank);
    assert_string_equal("", cnn_graph_node_name(g, -1));
    assert_string_equal("", cnn_graph_node_type(g, 5));
    cnn_node inputs[16];
    assert_int_equal(0, cnn_graph_node_inputs(g, 0, inputs, 16));
    cnn_graph_destroy(g);
    cnn_graph_destroy(NULL);
}

static void a_copy_is_the_same_graph(void **state)
{
    (void)state;
    cnn_graph *g = new_graph(), *copy;
    cnn_node x = cnn_input(g, 8, 8, 3);
    cnn_node a = cnn_graph_set_name(g, cnn_conv2d(g, x, 7, NULL), "first");
    cnn_graph_set_output(g, a);
    cnn_add(g, x, x);
    assert_ok(cnn_graph_copy(NULL, g, &copy));
    cnn_graph_destroy(g);
    assert_int_equal(3, cnn_graph_node_count(copy));
    assert_string_equal("first", cnn_graph_node_name(copy, a));
    assert_shape(copy, a, 3, (int64_t[]){ 6, 6, 7 });
    assert_int_equal(a, cnn_graph_output(copy));
    cnn_graph_destroy(copy);
}

static void a_graph_has_a_bounded_number_of_layers(void **state)
{
    (void)state;
    cnn_graph *g = new_graph();
    cnn_node x = cnn_input(g, 1, 1, 1);
    while (x != CNN_NODE_ERROR)
        x = cnn_relu(g, x);
    assert_status(CNN_ERROR_LIMIT, cnn_graph_status(g));
    cnn_graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_get_shapes_types_and_names),
        cmocka_unit_test(no_more_is_written_than_there_is_room_for),
        cmocka_unit_test(options_reach_the_layer),
        cmocka_unit_test(any_acyclic_graph_can_be_built),
        cmocka_unit_test(the_first_error_sticks_with_the_layers_name_and_both_shapes),
        cmocka_unit_test(misuse_sticks_as_an_error),
        cmocka_unit_test(made_names_leave_out_taken_ones),
        cmocka_unit_test(taken_names_cost_little_time),
        cmocka_unit_test(a_node_that_is_none_has_no_shape_and_no_name),
        cmocka_unit_test(a_copy_is_the_same_graph),
        cmocka_unit_test(a_graph_has_a_bounded_number_of_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
