#include "test_model.h"

#include <math.h>
#include <string.h>

#include "fixtures.h"
#include "optim/optimizer_internal.h"

/* The matrix has 39 elements: the fixtures' 37, and two whose value and gradient are 0. */
enum { INPUTS = 13, UNITS = 3 };

static void set_gradients(cnn_model *model, int step)
{
    memcpy(gradient_of(model, 0), gradients[step], WEIGHTS * sizeof(float));
    memcpy(gradient_of(model, 1), gradients[step] + WEIGHTS, BIASES * sizeof(float));
}

static cnn_model *make_fixture_model(void)
{
    cnn_model *model = make_model(NULL, INPUTS, UNITS);
    memset(values_of(model, 0), 0, INPUTS * UNITS * sizeof(float));
    memcpy(values_of(model, 0), start, WEIGHTS * sizeof(float));
    memcpy(values_of(model, 1), start + WEIGHTS, BIASES * sizeof(float));
    return model;
}

static void assert_close(const char *name, const float *expected, const float *actual, int count)
{
    for (int i = 0; i < count; i++)
        if (!(fabsf(expected[i] - actual[i]) <= 2e-6f * (1 + fabsf(expected[i]))))
            fail_msg("%s: element %d is %.9g, not %.9g", name, i, (double)actual[i], (double)expected[i]);
}

static void every_family_gives_pytorchs_weights(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof fixtures / sizeof *fixtures; f++) {
        cnn_model *model = make_fixture_model();
        cnn_optimizer *optimizer;
        const cnn_optimizer_options options = optimizer_options(fixtures[f].options);
        assert_ok(cnn_optimizer_create(model, &options, &optimizer));
        for (int step = 0; step < STEPS; step++) {
            set_gradients(model, step);
            assert_ok(cnn_optimizer_step(optimizer, rates[step]));
        }
        assert_close(fixtures[f].name, fixtures[f].end, values_of(model, 0), WEIGHTS);
        assert_close(fixtures[f].name, fixtures[f].end + WEIGHTS, values_of(model, 1), BIASES);
        cnn_optimizer_destroy(optimizer);
        cnn_model_destroy(model);
    }
}

/* One step from the same weights. */
static void step_once(cnn_optimizer_kind kind, float weight_decay, float *weights)
{
    const cnn_optimizer_options options = optimizer_options(
        (cnn_optimizer_options){ .kind = kind, .momentum = 0.9f, .nesterov = 1, .weight_decay = weight_decay });
    cnn_model *model = make_fixture_model();
    cnn_optimizer *optimizer;
    assert_ok(cnn_optimizer_create(model, &options, &optimizer));
    set_gradients(model, 0);
    assert_ok(cnn_optimizer_step(optimizer, 0.1f));
    memcpy(weights, values_of(model, 0), WEIGHTS * sizeof *weights);
    cnn_optimizer_destroy(optimizer);
    cnn_model_destroy(model);
}

static void sgdw_shrinks_weights_apart_from_the_gradient(void **state)
{
    (void)state;
    float plain[WEIGHTS], apart[WEIGHTS], coupled[WEIGHTS];
    step_once(CNN_SGD, 0, plain);
    step_once(CNN_SGDW, 0.5f, apart);
    step_once(CNN_SGD, 0.5f, coupled);
    for (int i = 0; i < WEIGHTS; i++)
        assert_float_equal(plain[i] - 0.1f * 0.5f * start[i], apart[i], 1e-6);
    assert_memory_not_equal(apart, coupled, sizeof apart);
}

static void a_gradient_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    const float broken[] = { NAN, INFINITY, -INFINITY };
    for (int i = 0; i < 3; i++) {
        cnn_model *model = make_fixture_model();
        cnn_optimizer *optimizer;
        assert_ok(cnn_optimizer_create(model, NULL, &optimizer));
        set_gradients(model, 0);
        gradient_of(model, 1)[2] = broken[i];
        assert_status(CNN_ERROR_NOT_FINITE, cnn_optimizer_step(optimizer, 0.1f));
        assert_non_null(strstr(cnn_last_error(), "dense_1.bias"));
        assert_memory_equal(values_of(model, 0), start, WEIGHTS * sizeof(float));
        assert_int_equal(0, cnn_optimizer_steps(optimizer));
        assert_true(cnn_optimizer_state_at(optimizer, 0).data[0] == 0);
        cnn_optimizer_destroy(optimizer);
        cnn_model_destroy(model);
    }
}

static void the_largest_finite_gradients_are_not_taken_for_infinite(void **state)
{
    (void)state;
    cnn_model *model = make_fixture_model();
    cnn_optimizer *optimizer;
    assert_ok(cnn_optimizer_create(
        model,
        &(cnn_optimizer_options){
            .struct_size = sizeof(cnn_optimizer_options), .kind = CNN_SGD, .clip_norm = 1, .epsilon = 1e-8f },
        &optimizer));
    for (int i = 0; i < WEIGHTS; i++)
        gradient_of(model, 0)[i] = 3e38f;
    assert_ok(cnn_optimizer_step(optimizer, 1));
    assert_float_equal(start[0] - 1 / sqrtf(37), values_of(model, 0)[0], 1e-6);
    cnn_optimizer_destroy(optimizer);
    cnn_model_destroy(model);
}

static void a_step_before_backward_is_refused(void **state)
{
    (void)state;
    cnn_model *model = make_fixture_model();
    cnn_optimizer *optimizer;
    assert_ok(cnn_optimizer_create(model, NULL, &optimizer));
    cnn_tensor_destroy(model->weights[0].gradient);
    model->weights[0].gradient = NULL;
    assert_status(CNN_ERROR_ARGUMENT, cnn_optimizer_step(optimizer, 0.1f));
    cnn_optimizer_destroy(optimizer);
    cnn_model_destroy(model);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    const cnn_optimizer_options wrong[] = {
        { .kind = (cnn_optimizer_kind)9 },
        { .learning_rate = -0.5f },
        { .learning_rate = NAN },
        { .momentum = 1 },
        { .beta1 = 1.5f },
        { .beta2 = -0.1f },
        { .alpha = 1 },
        { .epsilon = INFINITY },
        { .weight_decay = -1 },
        { .clip_norm = NAN },
        { .kind = CNN_SGD, .nesterov = 1 },
    };
    cnn_model *model = make_fixture_model();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cnn_optimizer_options options = optimizer_options(wrong[i]);
        cnn_optimizer *optimizer;
        assert_status(CNN_ERROR_ARGUMENT, cnn_optimizer_create(model, &options, &optimizer));
        assert_null(optimizer);
    }
    cnn_optimizer_options options;
    cnn_optimizer *optimizer;
    cnn_optimizer_options_init(&options);
    for (int i = 0; i < 2; i++) {
        options.epsilon = (float)-i;
        assert_status(CNN_ERROR_ARGUMENT, cnn_optimizer_create(model, &options, &optimizer));
        assert_non_null(strstr(cnn_last_error(), "it must be above 0 and finite"));
    }
    cnn_model_destroy(model);
}

/* Large enough for several blocks, and for the last of them to be ragged. */
static void train_large(uint32_t threads, cnn_optimizer_kind kind, float *weights, size_t count)
{
    cnn_context_options context_options;
    cnn_context_options_init(&context_options);
    context_options.threads = threads;
    cnn_context *context;
    assert_ok(cnn_context_create(&context_options, &context));
    cnn_model *model = make_model(context, 1001, 99);
    cnn_optimizer_options options =
        optimizer_options((cnn_optimizer_options){ .kind = kind, .momentum = 0.9f, .clip_norm = 1 });
    cnn_optimizer *optimizer;
    assert_ok(cnn_optimizer_create(model, &options, &optimizer));
    for (int step = 0; step < 3; step++) {
        for (size_t i = 0; i < count; i++)
            gradient_of(model, 0)[i] = sinf((float)(i * (size_t)(step + 1)));
        assert_ok(cnn_optimizer_step(optimizer, 0.01f));
    }
    memcpy(weights, values_of(model, 0), count * sizeof(float));
    cnn_optimizer_destroy(optimizer);
    cnn_model_destroy(model);
    cnn_context_destroy(context);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(cnn_optimizer_kind_name(CNN_ADAM), "adam");
    assert_string_equal(cnn_optimizer_kind_name(CNN_SGDW), "sgdw");
    assert_null(cnn_optimizer_kind_name((cnn_optimizer_kind)(CNN_SGDW + 1)));
    assert_null(cnn_optimizer_kind_name(CNN_OPTIMIZER_KIND_MAX_ENUM));
    assert_string_equal(cnn_schedule_kind_name(CNN_SCHEDULE_CONSTANT), "constant");
    assert_string_equal(cnn_schedule_kind_name(CNN_SCHEDULE_PLATEAU), "plateau");
    assert_null(cnn_schedule_kind_name((cnn_schedule_kind)(CNN_SCHEDULE_PLATEAU + 1)));
    assert_null(cnn_schedule_kind_name((cnn_schedule_kind)-1));
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    enum { COUNT = 1001 * 99 };
    static float one[COUNT], other[COUNT];
    for (int kind = 0; cnn_optimizer_kind_name((cnn_optimizer_kind)kind); kind++) {
        train_large(1, (cnn_optimizer_kind)kind, one, COUNT);
        for (uint32_t threads = 2; threads <= 4; threads += 2) {
            train_large(threads, (cnn_optimizer_kind)kind, other, COUNT);
            assert_memory_equal(one, other, sizeof one);
        }
    }
}

static void state_and_steps_taken_over_continue_to_the_same_bits(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof fixtures / sizeof *fixtures; f++) {
        cnn_model *unbroken = make_fixture_model(), *resumed = make_fixture_model();
        cnn_optimizer *first, *second;
        const cnn_optimizer_options options = optimizer_options(fixtures[f].options);
        assert_ok(cnn_optimizer_create(unbroken, &options, &first));
        assert_ok(cnn_optimizer_create(resumed, &options, &second));
        for (int step = 0; step < 2; step++) {
            set_gradients(unbroken, step);
            assert_ok(cnn_optimizer_step(first, rates[step]));
        }
        for (size_t i = 0; i < cnn_optimizer_state_count(first); i++) {
            cnn_optimizer_state from = cnn_optimizer_state_at(first, i), to = cnn_optimizer_state_at(second, i);
            memcpy(to.data, from.data, cnn_tensor_bytes(unbroken->weights[from.parameter].value));
        }
        cnn_optimizer_set_steps(second, cnn_optimizer_steps(first));
        for (int i = 0; i < 2; i++)
            memcpy(values_of(resumed, i), values_of(unbroken, i), cnn_tensor_bytes(unbroken->weights[i].value));
        set_gradients(unbroken, 2);
        set_gradients(resumed, 2);
        assert_ok(cnn_optimizer_step(first, rates[2]));
        assert_ok(cnn_optimizer_step(second, rates[2]));
        assert_memory_equal(values_of(unbroken, 0), values_of(resumed, 0), INPUTS * UNITS * sizeof(float));
        cnn_optimizer_destroy(first);
        cnn_optimizer_destroy(second);
        cnn_model_destroy(unbroken);
        cnn_model_destroy(resumed);
    }
}

static void averages_of_zero_gradients_end_at_zero_not_at_denormals(void **state)
{
    (void)state;
    cnn_model *model = make_fixture_model();
    cnn_optimizer *optimizer;
    assert_ok(cnn_optimizer_create(model, NULL, &optimizer));
    set_gradients(model, 0);
    assert_ok(cnn_optimizer_step(optimizer, 0.01f));
    memset(gradient_of(model, 0), 0, INPUTS * UNITS * sizeof(float));
    for (int step = 0; step < 1000; step++)
        assert_ok(cnn_optimizer_step(optimizer, 0.01f));
    for (int i = 0; i < WEIGHTS; i++)
        assert_true(cnn_optimizer_state_at(optimizer, 0).data[i] == 0);
    cnn_optimizer_destroy(optimizer);
    cnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_gives_pytorchs_weights),
        cmocka_unit_test(sgdw_shrinks_weights_apart_from_the_gradient),
        cmocka_unit_test(a_gradient_that_is_not_finite_changes_nothing),
        cmocka_unit_test(the_largest_finite_gradients_are_not_taken_for_infinite),
        cmocka_unit_test(a_step_before_backward_is_refused),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(state_and_steps_taken_over_continue_to_the_same_bits),
        cmocka_unit_test(averages_of_zero_gradients_end_at_zero_not_at_denormals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
