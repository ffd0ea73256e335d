/* Gradients of whole graphs: against finite differences, and the same whatever is fused, shared or threaded. */
#include <math.h>

#include "models.h"
#include "runtime/model_internal.h"

typedef struct setting {
    uint32_t threads;
    bool fuse, share_memory;
} setting;

static cnn_model *random_model(cnn_context *context, uint64_t seed, bool smooth, setting s)
{
    cnn_graph *graph = random_graph(context, seed, smooth);
    cnn_model *model;
    assert_ok(cnn_model_create_blank(context, graph, &model));
    cnn_graph_destroy(graph);
    fill_parameters(model, seed);
    model->fuse = s.fuse;
    model->share_memory = s.share_memory;
    return model;
}

/* By the output's first derivative in one weight: sum(output × weights of the loss). */
static double loss_of(cnn_model *model, const cnn_tensor *input, const cnn_tensor *loss_weights)
{
    const cnn_tensor *output;
    assert_ok(cnn_model_forward(model, input, 5, 7, &output));
    double loss = 0;
    for (int64_t i = 0; i < output->count; i++)
        loss += (double)((const float *)output->data)[i] * (double)((const float *)loss_weights->data)[i];
    return loss;
}

static void check_weight(cnn_model *model, const cnn_weights *weights, int64_t k, const cnn_tensor *input,
                         const cnn_tensor *loss_weights)
{
    const double distance = 4e-3;
    float *value = (float *)weights->value->data + k, kept = *value;
    *value = (float)((double)kept + distance);
    double above = loss_of(model, input, loss_weights);
    *value = (float)((double)kept - distance);
    double below = loss_of(model, input, loss_weights);
    *value = kept;
    double expected = (above - below) / (2 * distance), given = (double)((float *)weights->gradient->data)[k];
    if (fabs(expected - given) > 2e-3 + 2e-2 * fabs(expected))
        fail_msg("%s[%d]: the gradient is %g, by differences %g", weights->name, (int)k, given, expected);
}

static void gradients_of_graphs_with_branches_agree_with_differences(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 112; seed++) {
        cnn_model *model = random_model(NULL, seed, true, (setting){ 0, true, true });
        cnn_tensor *input = batch_of(2, cnn_model_input_shape(model), seed);
        cnn_tensor *loss_weights = batch_of(2, cnn_model_output_shape(model), seed + 1);
        loss_of(model, input, loss_weights);
        assert_ok(cnn_model_backward(model, loss_weights));
        for (int32_t i = 0; i < model->weights_count; i++)
            for (int64_t k = 0; model->weights[i].gradient && k < model->weights[i].value->count; k += 1 + k * 7)
                check_weight(model, &model->weights[i], k, input, loss_weights);
        cnn_tensor_destroy(input);
        cnn_tensor_destroy(loss_weights);
        cnn_model_destroy(model);
    }
}

static void assert_same(const cnn_tensor *a, const cnn_tensor *b, const char *name, double tolerance)
{
    assert_int_equal(a->count, b->count);
    for (int64_t i = 0; i < a->count; i++) {
        double x = (double)((const float *)a->data)[i], y = (double)((const float *)b->data)[i];
        if (!(fabs(x - y) <= tolerance * (1 + fabs(x))))
            fail_msg("%s[%d] is %.9g here and %.9g there", name, (int)i, x, y);
    }
}

/* One step of training each, then all that it left: gradients and running statistics. Tolerance 0: the same bits. */
static void compare_steps(uint64_t seed, setting first, setting second, double tolerance)
{
    cnn_context *contexts[2] = { context_of(first.threads), context_of(second.threads) };
    cnn_model *a = random_model(contexts[0], seed, false, first);
    cnn_model *b = random_model(contexts[1], seed, false, second);
    for (int64_t batch = 3; batch > 0; batch -= 2) {
        step_of_training(a, batch, seed);
        step_of_training(b, batch, seed);
        for (int32_t i = 0; i < a->weights_count; i++) {
            assert_same(a->weights[i].value, b->weights[i].value, a->weights[i].name, tolerance);
            if (a->weights[i].gradient)
                assert_same(a->weights[i].gradient, b->weights[i].gradient, a->weights[i].name, tolerance);
        }
    }
    cnn_model_destroy(a);
    cnn_model_destroy(b);
    cnn_context_destroy(contexts[0]);
    cnn_context_destroy(contexts[1]);
}

static void shared_memory_changes_no_bit(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++)
        compare_steps(seed, (setting){ 1, true, true }, (setting){ 1, true, false }, 0);
}

static void fused_layers_learn_as_single_ones_do(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++)
        compare_steps(seed, (setting){ 1, true, true }, (setting){ 1, false, true }, 2e-4);
}

static void a_step_gives_the_same_bits_at_any_number_of_threads(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        compare_steps(seed, (setting){ 1, true, true }, (setting){ 2, true, true }, 0);
        compare_steps(seed, (setting){ 1, true, true }, (setting){ 4, true, true }, 0);
    }
}

static void weights_that_the_output_does_not_depend_on_have_zero_gradients(void **state)
{
    (void)state;
    cnn_graph *g;
    cnn_model *model;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_flatten(g, cnn_input(g, 4, 4, 1));
    cnn_graph_set_output(g, cnn_dense(g, x, 2, NULL));
    cnn_dense(g, x, 3, NULL);
    assert_ok(cnn_model_create(NULL, g, 1, &model));
    step_of_training(model, 2, 1);
    cnn_parameter used = { .struct_size = sizeof used }, unused = used;
    assert_ok(cnn_model_parameter(model, 0, &used));
    assert_ok(cnn_model_parameter(model, 2, &unused));
    assert_string_equal("dense_2.weight", unused.name);
    assert_true(((float *)cnn_tensor_data(used.gradient))[0] != 0);
    for (int i = 0; i < 48; i++)
        assert_true(((float *)cnn_tensor_data(unused.gradient))[i] == 0);
    cnn_model_destroy(model);
    cnn_graph_destroy(g);
}

/* Freezing has no public function yet: the flag within is what it will set. */
static void frozen_weights_have_no_gradient_and_those_before_them_still_do(void **state)
{
    (void)state;
    for (int32_t frozen = 0; frozen < 2; frozen++) {
        cnn_graph *g;
        cnn_model *model;
        assert_ok(cnn_graph_create(NULL, &g));
        cnn_dense_options no_bias = { .struct_size = sizeof no_bias, .no_bias = 1 };
        cnn_node x = cnn_tanh(g, cnn_dense(g, cnn_flatten(g, cnn_input(g, 4, 4, 1)), 5, &no_bias));
        cnn_dense(g, x, 2, &no_bias);
        assert_ok(cnn_model_create(NULL, g, 1, &model));
        model->weights[frozen].trainable = false;
        step_of_training(model, 2, 1);
        assert_null(model->weights[frozen].gradient);
        assert_true(((float *)model->weights[!frozen].gradient->data)[0] != 0);
        cnn_model_destroy(model);
        cnn_graph_destroy(g);
    }
}

static void backward_needs_a_forward_and_a_gradient_of_the_outputs_shape(void **state)
{
    (void)state;
    cnn_model *model = random_model(NULL, 1, false, (setting){ 1, true, true });
    cnn_tensor *input = batch_of(2, cnn_model_input_shape(model), 1);
    cnn_tensor *gradient = batch_of(2, cnn_model_output_shape(model), 2);
    cnn_tensor *longer = batch_of(3, cnn_model_output_shape(model), 2);
    const cnn_tensor *output;
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_backward(model, gradient));
    assert_status(CNN_ERROR_SHAPE, cnn_model_forward(model, gradient, 1, 1, &output));
    assert_ok(cnn_model_forward(model, input, 1, 1, &output));
    assert_status(CNN_ERROR_SHAPE, cnn_model_backward(model, input));
    assert_status(CNN_ERROR_SHAPE, cnn_model_backward(model, longer));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_backward(model, NULL));
    assert_ok(cnn_model_backward(model, gradient));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_backward(model, gradient));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_forward(model, input, 1, 1, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_forward(NULL, input, 1, 1, &output));
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(gradient);
    cnn_tensor_destroy(longer);
    cnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_graphs_with_branches_agree_with_differences),
        cmocka_unit_test(shared_memory_changes_no_bit),
        cmocka_unit_test(fused_layers_learn_as_single_ones_do),
        cmocka_unit_test(a_step_gives_the_same_bits_at_any_number_of_threads),
        cmocka_unit_test(weights_that_the_output_does_not_depend_on_have_zero_gradients),
        cmocka_unit_test(frozen_weights_have_no_gradient_and_those_before_them_still_do),
        cmocka_unit_test(backward_needs_a_forward_and_a_gradient_of_the_outputs_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
