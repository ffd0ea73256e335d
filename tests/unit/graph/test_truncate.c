/* Transfer of weights between nets: cutting, copying, freezing. */
#include <cnn/optimizer.h>

#include "../runtime/models.h"

#include "runtime/model_internal.h"

/* conv a, batch_norm b, relu c, pool d, flatten e, dense f */
static cnn_graph *small_net(int64_t outputs)
{
    cnn_graph *g;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_graph_set_name(g, cnn_conv2d(g, cnn_input(g, 8, 8, 3), 5, NULL), "a");
    x = cnn_graph_set_name(g, cnn_relu(g, cnn_graph_set_name(g, cnn_batch_norm(g, x, NULL), "b")), "c");
    x = cnn_graph_set_name(g, cnn_flatten(g, cnn_graph_set_name(g, cnn_max_pool2d(g, x, NULL), "d")), "e");
    cnn_graph_set_name(g, cnn_dense(g, cnn_dropout(g, x, 0.5f), outputs, NULL), "f");
    assert_ok(cnn_graph_status(g));
    return g;
}

static cnn_model *model_of(cnn_graph *graph, uint64_t seed)
{
    cnn_model *model;
    assert_ok(cnn_model_create(NULL, graph, seed, &model));
    fill_parameters(model, seed);
    cnn_graph_destroy(graph);
    return model;
}

static void a_cut_net_gives_the_layers_value(void **state)
{
    (void)state;
    cnn_graph *whole = small_net(2), *cut;
    assert_ok(cnn_graph_truncate(NULL, whole, "d", &cut));
    assert_int_equal(5, cnn_graph_node_count(cut));
    assert_string_equal("d", cnn_graph_node_name(cut, 4));
    assert_int_equal(CNN_NODE_ERROR, cnn_graph_find(cut, "f"));
    cnn_graph_destroy(cut);
    assert_ok(cnn_graph_truncate(NULL, whole, NULL, &cut));
    assert_string_equal("dropout_1", cnn_graph_node_name(cut, cnn_graph_node_count(cut) - 1));
    cnn_graph_destroy(cut);
    cnn_graph_destroy(whole);
}

static void layers_that_lead_elsewhere_are_cut_off(void **state)
{
    (void)state;
    cnn_graph *g, *cut;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_input(g, 8, 8, 3);
    cnn_node side = cnn_graph_set_name(g, cnn_conv2d(g, x, 4, NULL), "side");
    cnn_node main_way = cnn_graph_set_name(g, cnn_conv2d(g, x, 4, NULL), "main");
    cnn_add(g, side, main_way);
    assert_ok(cnn_graph_truncate(NULL, g, "main", &cut));
    assert_int_equal(2, cnn_graph_node_count(cut));
    cnn_graph_destroy(cut);
    cnn_graph_destroy(g);
}

static void impossible_cuts_are_refused(void **state)
{
    (void)state;
    cnn_graph *g = small_net(2), *cut;
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_graph_truncate(NULL, g, "nowhere", &cut));
    assert_non_null(strstr(cnn_last_error(), "nowhere"));
    assert_null(cut);
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_graph_truncate(NULL, g, cnn_graph_node_name(g, 0), &cut));
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_graph_truncate(NULL, NULL, "a", &cut));
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_graph_truncate(NULL, g, "a", NULL));
    cnn_graph_destroy(g);
}

/* The two parts, run one after the other, against the whole. */
static void assert_parts_agree(const char *layer)
{
    cnn_graph *whole = small_net(2), *first, *second;
    cnn_node cut;
    assert_ok(cnn_graph_find_cut(whole, layer, &cut));
    assert_ok(cnn_graph_truncate(NULL, whole, layer, &first));
    assert_ok(cnn_graph_rest(NULL, whole, cut, &second));
    cnn_model *models[] = { model_of(whole, 1), model_of(first, 2), model_of(second, 3) };
    for (int i = 1; i < 3; i++)
        assert_ok(cnn_model_copy_weights(models[i], models[0], NULL));
    cnn_tensor *x = batch_of(3, cnn_model_input_shape(models[0]), 4), *features, *expected, *got;
    features = batch_of(3, cnn_model_output_shape(models[1]), 5);
    expected = batch_of(3, cnn_model_output_shape(models[0]), 5);
    got = batch_of(3, cnn_model_output_shape(models[0]), 6);
    assert_ok(cnn_model_predict(models[0], x, expected));
    assert_ok(cnn_model_predict(models[1], x, features));
    cnn_shape in = cnn_model_input_shape(models[2]);
    cnn_tensor *as_images;
    assert_ok(cnn_tensor_wrap(NULL, CNN_FLOAT32, 4, (int64_t[]){ 3, in.dims[0], in.dims[1], in.dims[2] },
                              cnn_tensor_data(features), &as_images));
    assert_ok(cnn_model_predict(models[2], as_images, got));
    assert_memory_equal(cnn_tensor_data(expected), cnn_tensor_data(got), cnn_tensor_bytes(got));
    cnn_tensor *tensors[] = { x, features, expected, got, as_images };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++)
        cnn_tensor_destroy(tensors[i]);
    for (int i = 0; i < 3; i++)
        cnn_model_destroy(models[i]);
}

static void the_parts_of_a_net_give_what_the_whole_gives(void **state)
{
    (void)state;
    assert_parts_agree("d");
    assert_parts_agree("e");
    assert_parts_agree(NULL);
}

static void a_net_is_not_parted_beside_a_shortcut(void **state)
{
    (void)state;
    cnn_graph *g, *rest;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_conv2d(g, cnn_input(g, 8, 8, 3), 4, NULL);
    cnn_node inside = cnn_graph_set_name(g, cnn_relu(g, x), "inside");
    cnn_graph_set_name(g, cnn_add(g, cnn_tanh(g, inside), x), "sum");
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_graph_rest(NULL, g, inside, &rest));
    assert_non_null(strstr(cnn_last_error(), "sum"));
    assert_null(rest);
    cnn_graph_destroy(g);
}

static void weights_are_copied_where_name_and_shape_agree(void **state)
{
    (void)state;
    cnn_model *from = model_of(small_net(2), 1), *to = model_of(small_net(7), 2);
    int32_t copied;
    assert_ok(cnn_model_copy_weights(to, from, &copied));
    assert_int_equal(from->weights_count - 2, copied); /* all but the head's weight and bias */
    assert_memory_equal(from->weights[0].value->data, to->weights[0].value->data,
                        cnn_tensor_bytes(from->weights[0].value));
    cnn_model_destroy(from);
    cnn_model_destroy(to);
}

static float *copy_values(const cnn_model *model, size_t *count)
{
    *count = 0;
    for (int32_t i = 0; i < model->weights_count; i++)
        *count += (size_t)model->weights[i].value->count;
    float *values = malloc(*count * sizeof *values), *next = values;
    for (int32_t i = 0; i < model->weights_count; i++) {
        memcpy(next, model->weights[i].value->data, cnn_tensor_bytes(model->weights[i].value));
        next += model->weights[i].value->count;
    }
    return values;
}

static void train_a_step(cnn_model *model)
{
    cnn_optimizer_options options;
    cnn_optimizer *optimizer;
    cnn_optimizer_options_init(&options);
    options.kind = CNN_SGD;
    assert_ok(cnn_optimizer_create(model, &options, &optimizer));
    step_of_training(model, 4, 3);
    assert_ok(cnn_optimizer_step(optimizer, 0.125f));
    cnn_optimizer_destroy(optimizer);
}

static void frozen_layers_stay_as_they_are(void **state)
{
    (void)state;
    cnn_model *model = model_of(small_net(2), 1);
    assert_ok(cnn_model_set_learning_rate_multiplier(model, "d", 0));
    size_t count;
    float *before = copy_values(model, &count);
    train_a_step(model);
    float *after = copy_values(model, &count);
    size_t head = (size_t)(model->weights[model->weights_count - 2].value->count + 2);
    assert_memory_equal(before, after, (count - head) * sizeof *before); /* running statistics among them */
    assert_memory_not_equal(before + count - head, after + count - head, head * sizeof *before);
    free(before);
    free(after);
    cnn_model_destroy(model);
}

static void frozen_layers_are_computed_as_in_prediction(void **state)
{
    (void)state;
    cnn_model *model = model_of(small_net(2), 1);
    assert_ok(cnn_model_set_learning_rate_multiplier(model, NULL, 0));
    cnn_tensor *x = batch_of(3, cnn_model_input_shape(model), 4), *predicted = NULL;
    const cnn_tensor *trained;
    predicted = batch_of(3, cnn_model_output_shape(model), 5);
    assert_ok(cnn_model_predict(model, x, predicted));
    assert_ok(cnn_model_forward(model, x, 1, 1, &trained));
    assert_memory_equal(cnn_tensor_data(predicted), cnn_tensor_const_data(trained), cnn_tensor_bytes(predicted));
    cnn_tensor_destroy(x);
    cnn_tensor_destroy(predicted);
    cnn_model_destroy(model);
}

static void a_factor_scales_the_change(void **state)
{
    (void)state;
    cnn_model *full = model_of(small_net(2), 1), *half = model_of(small_net(2), 1);
    assert_ok(cnn_model_set_learning_rate_multiplier(half, "a", 0.5f));
    size_t count;
    float *before = copy_values(full, &count);
    train_a_step(full);
    train_a_step(half);
    const float *a = full->weights[0].value->data, *b = half->weights[0].value->data;
    for (int64_t i = 0; i < full->weights[0].value->count; i++)
        assert_float_equal(a[i] - before[i], 2 * (b[i] - before[i]), 1e-6);
    int32_t last = full->weights_count - 2;
    assert_memory_equal(full->weights[last].value->data, half->weights[last].value->data,
                        cnn_tensor_bytes(full->weights[last].value));
    free(before);
    cnn_model_destroy(full);
    cnn_model_destroy(half);
}

static void thawed_layers_learn_again(void **state)
{
    (void)state;
    cnn_model *model = model_of(small_net(2), 1);
    size_t count;
    float *before = copy_values(model, &count);
    assert_ok(cnn_model_set_learning_rate_multiplier(model, NULL, 0));
    step_of_training(model, 2, 3);
    assert_ok(cnn_model_set_learning_rate_multiplier(model, NULL, 1));
    train_a_step(model);
    assert_memory_not_equal(before, model->weights[0].value->data, cnn_tensor_bytes(model->weights[0].value));
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_model_set_learning_rate_multiplier(model, "nowhere", 1));
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_model_set_learning_rate_multiplier(model, NULL, -1));
    free(before);
    cnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_net_gives_the_layers_value),
        cmocka_unit_test(layers_that_lead_elsewhere_are_cut_off),
        cmocka_unit_test(impossible_cuts_are_refused),
        cmocka_unit_test(the_parts_of_a_net_give_what_the_whole_gives),
        cmocka_unit_test(a_net_is_not_parted_beside_a_shortcut),
        cmocka_unit_test(weights_are_copied_where_name_and_shape_agree),
        cmocka_unit_test(frozen_layers_stay_as_they_are),
        cmocka_unit_test(frozen_layers_are_computed_as_in_prediction),
        cmocka_unit_test(a_factor_scales_the_change),
        cmocka_unit_test(thawed_layers_learn_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
