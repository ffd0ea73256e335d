/* Values that can be worked out by hand, and what training leaves behind. tests/golden has PyTorch's. */
#include <math.h>
#include <string.h>

#include "core/random.h"
#include "harness.h"
#include "kernels/conv/conv.h"
#include "runtime/model_internal.h"

static void assert_values(const layer_run *run, const float *expected)
{
    for (size_t i = 0; i < run->output_count; i++)
        if (!(fabsf(expected[i] - run->output[i]) <= 1e-6f * (1 + fabsf(expected[i]))))
            fail_msg("%s: output[%zu] is %g, not %g", run->what.name, i, (double)run->output[i], (double)expected[i]);
}

static void count_up(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(i + 1);
}

/* Runs a layer without weights on 1, 2, 3, ... times `sign`. */
static void expect(const cnn_layer_type *type, any_attributes attributes, cnn_shape input, float sign,
                   const float *expected)
{
    layer_case what = { "by hand", type, attributes, 1, { input }, 1 };
    layer_run run;
    layer_run_begin(&run, &what, NULL);
    count_up(run.inputs[0], run.input_counts[0]);
    for (size_t i = 0; i < run.input_counts[0]; i++)
        run.inputs[0][i] *= sign;
    layer_forward(&run, false);
    assert_values(&run, expected);
    layer_run_end(&run);
}

/* 1 2 3
 * 4 5 6
 * 7 8 9 */
static const cnn_shape square = { 3, { 3, 3, 1 } };

static void padding_never_counts_in_pooling(void **state)
{
    (void)state;
    any_attributes same = { .pool2d = { .kernel = { 2, 2 }, .stride = { 2, 2 }, .padding = CNN_PADDING_SAME } };
    expect(&cnn_layer_max_pool2d, same, square, 1, (float[]){ 5, 6, 8, 9 });
    expect(&cnn_layer_max_pool2d, same, square, -1, (float[]){ -1, -3, -7, -9 });
    expect(&cnn_layer_avg_pool2d, same, square, 1, (float[]){ 3, 4.5f, 7.5f, 9 });
    any_attributes top = { .pool2d = { .kernel = { 2, 2 }, .padding = CNN_PADDING_EXPLICIT, .pads = { 1, 1, 0, 0 } } };
    expect(&cnn_layer_max_pool2d, top, square, -1, (float[]){ -1, -2, -4, -5 });
    expect(&cnn_layer_avg_pool2d, top, square, 1, (float[]){ 1, 2.5f, 5.5f, 7 });
}

static void same_padding_puts_the_odd_pixel_at_the_end(void **state)
{
    (void)state;
    layer_case what = { "conv same",
                        &cnn_layer_conv2d,
                        { .conv2d = { .filters = 1, .kernel = { 2, 2 }, .padding = CNN_PADDING_SAME, .no_bias = 1 } },
                        1,
                        { square },
                        1 };
    layer_run run;
    layer_run_begin(&run, &what, NULL);
    count_up(run.inputs[0], 9);
    for (int i = 0; i < 4; i++)
        run.pass.parameters[0][i] = 1;
    layer_forward(&run, false);
    assert_values(&run, (float[]){ 12, 16, 9, 24, 28, 15, 15, 17, 9 });
    layer_run_end(&run);
}

static void the_activations(void **state)
{
    (void)state;
    const any_attributes none = { .input = { { 0 } } };
    const cnn_shape four = { 1, { 4 } }, eight = { 1, { 8 } };
    expect(&cnn_layer_relu, none, four, -1, (float[]){ 0, 0, 0, 0 });
    expect(&cnn_layer_relu6, none, eight, 1, (float[]){ 1, 2, 3, 4, 5, 6, 6, 6 });
    expect(&cnn_layer_leaky_relu, (any_attributes){ .leaky_relu = { 0.25f } }, four, -1,
           (float[]){ -0.25f, -0.5f, -0.75f, -1 });
    expect(&cnn_layer_sigmoid, none, four, 1, (float[]){ 0.731058579f, 0.880797078f, 0.952574127f, 0.982013790f });
    expect(&cnn_layer_tanh, none, four, -0.25f,
           (float[]){ -0.244918662f, -0.462117157f, -0.635148952f, -0.761594156f });
    expect(&cnn_layer_hard_sigmoid, none, four, 1, (float[]){ 4 / 6.0f, 5 / 6.0f, 1, 1 });
    expect(&cnn_layer_hard_sigmoid, (any_attributes){ .hard_sigmoid = { 0.2f, 0.5f } }, four, -1,
           (float[]){ 0.3f, 0.1f, 0, 0 });
    expect(&cnn_layer_hard_swish, none, four, 1, (float[]){ 4 / 6.0f, 10 / 6.0f, 3, 4 });
    expect(&cnn_layer_hard_swish, none, four, -1, (float[]){ -2 / 6.0f, -2 / 6.0f, 0, 0 });
    expect(&cnn_layer_clip, (any_attributes){ .clip = { -2.5f, 1 } }, four, -1, (float[]){ -1, -2, -2.5f, -2.5f });
    expect(&cnn_layer_clip, (any_attributes){ .clip = { -INFINITY, 3 } }, four, 1, (float[]){ 1, 2, 3, 3 });
    expect(&cnn_layer_softmax, none, four, 1, (float[]){ 0.0320586033f, 0.0871443187f, 0.236882818f, 0.643914260f });
    expect(&cnn_layer_softmax, none, four, 1000, (float[]){ 0, 0, 0, 1 });
    expect(&cnn_layer_sigmoid, none, four, -1000, (float[]){ 0, 0, 0, 0 });
}

static double exact_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double exact_silu(double x)
{
    return x * exact_sigmoid(x);
}

static double exact_gelu(double x)
{
    return x * erfc(-x * sqrt(0.5)) / 2;
}

static double exact_gelu_tanh(double x)
{
    return x * exact_sigmoid(2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x));
}

static double exact_elu(double x)
{
    return x < 0 ? 0.75 * expm1(x) : x;
}

static double exact_selu(double x)
{
    return 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * expm1(x) : x);
}

static double exact_softplus(double x)
{
    return log1p(exp(x));
}

/* Against the C library's, in steps of 0.01. */
static void smooth_activations_are_accurate(void **state)
{
    (void)state;
    static const struct {
        const cnn_layer_type *type;
        any_attributes attributes;
        double (*exact)(double x);
        double relative, absolute;
    } functions[] = {
        { &cnn_layer_sigmoid, { .input = { { 0 } } }, exact_sigmoid, 3e-7, 0 },
        { &cnn_layer_tanh, { .input = { { 0 } } }, tanh, 3e-7, 0 },
        { &cnn_layer_silu, { .input = { { 0 } } }, exact_silu, 5e-7, 0 },
        { &cnn_layer_gelu, { .gelu = { CNN_GELU_EXACT } }, exact_gelu, 2e-7, 3e-7 },
        { &cnn_layer_gelu, { .gelu = { CNN_GELU_TANH } }, exact_gelu_tanh, 3e-7, 3e-7 },
        { &cnn_layer_elu, { .elu = { .alpha = 0.75f } }, exact_elu, 5e-7, 0 },
        { &cnn_layer_selu, { .input = { { 0 } } }, exact_selu, 5e-7, 0 },
        { &cnn_layer_softplus, { .input = { { 0 } } }, exact_softplus, 5e-7, 0 },
    };
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
        layer_case what = { "accurate", functions[k].type, functions[k].attributes, 1, { { 1, { 4001 } } }, 1 };
        layer_run run;
        layer_run_begin(&run, &what, NULL);
        for (int i = 0; i <= 4000; i++)
            run.inputs[0][i] = (float)(i - 2000) * 0.01f;
        layer_forward(&run, false);
        for (int i = 0; i <= 4000; i++) {
            double x = (double)run.inputs[0][i], exact = functions[k].exact(x);
            if (!(fabs((double)run.output[i] - exact) <= functions[k].relative * fabs(exact) + functions[k].absolute))
                fail_msg("%s(%g) is %.9g, not %.9g", what.type->name, x, (double)run.output[i], exact);
        }
        layer_run_end(&run);
    }
}

/* A value and a slope that are finite, for inputs that no net should have. */
static void activations_bear_large_values(void **state)
{
    (void)state;
    static const struct {
        const cnn_layer_type *type;
        any_attributes attributes;
        double least, scale;
    } functions[] = {
        { &cnn_layer_silu, { .input = { { 0 } } }, 0, 1 },
        { &cnn_layer_hard_swish, { .input = { { 0 } } }, 0, 1 },
        { &cnn_layer_gelu, { .gelu = { CNN_GELU_EXACT } }, 0, 1 },
        { &cnn_layer_gelu, { .gelu = { CNN_GELU_TANH } }, 0, 1 },
        { &cnn_layer_softplus, { .input = { { 0 } } }, 0, 1 },
        { &cnn_layer_elu, { .elu = { .alpha = 0.5f } }, -0.5, 1 },
        { &cnn_layer_selu, { .input = { { 0 } } }, -1.7580993, 1.0507009873554805 },
    };
    static const float large[] = { 90, 1e10f, 1e20f, 3e38f };
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
        layer_case what = { "large values", functions[k].type, functions[k].attributes, 1, { { 1, { 8 } } }, 1 };
        layer_run run;
        layer_run_begin(&run, &what, NULL);
        for (int i = 0; i < 8; i++) {
            run.inputs[0][i] = i % 2 ? -large[i / 2] : large[i / 2];
            run.output_gradient[i] = 1;
        }
        layer_forward(&run, true);
        layer_backward(&run);
        double scale = functions[k].scale;
        for (int i = 0; i < 8; i++) {
            double value = (double)run.output[i], slope = (double)((const float *)run.pass.input_gradients[0])[i];
            double wanted = i % 2 ? functions[k].least : scale * (double)large[i / 2];
            if (!(fabs(value - wanted) <= 1e-6 * fabs(wanted) + 1e-30) || !(fabs(slope - (i % 2 ? 0 : scale)) <= 1e-6))
                fail_msg("%s(%g) is %g, its slope %g", what.type->name, (double)run.inputs[0][i], value, slope);
        }
        layer_run_end(&run);
    }
}

/* Else a training that diverges would go on as if nothing had happened. */
static void not_a_number_comes_through(void **state)
{
    (void)state;
    const cnn_layer_type *const types[] = { &cnn_layer_relu,     &cnn_layer_relu6,      &cnn_layer_leaky_relu,
                                            &cnn_layer_sigmoid,  &cnn_layer_tanh,       &cnn_layer_softmax,
                                            &cnn_layer_silu,     &cnn_layer_hard_swish, &cnn_layer_hard_sigmoid,
                                            &cnn_layer_gelu,     &cnn_layer_elu,        &cnn_layer_selu,
                                            &cnn_layer_softplus, &cnn_layer_clip };
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
        layer_case what = { "nan", types[k], { .leaky_relu = { 0.1f } }, 1, { { 1, { 20 } } }, 1 };
        if (types[k] == &cnn_layer_gelu)
            what.attributes = (any_attributes){ .gelu = { CNN_GELU_TANH } };
        if (types[k] == &cnn_layer_clip)
            what.attributes = (any_attributes){ .clip = { -1, 1 } };
        layer_run run;
        layer_run_begin(&run, &what, NULL);
        run.inputs[0][13] = NAN;
        layer_forward(&run, false);
        if (!isnan(run.output[13]))
            fail_msg("%s of NaN is %g", types[k]->name, (double)run.output[13]);
        layer_run_end(&run);
    }
}

static void batch_norm_keeps_running_statistics(void **state)
{
    (void)state;
    layer_case what = {
        "norm", &cnn_layer_batch_norm, { .batch_norm = { .momentum = 0.75f } }, 1, { { 1, { 1 } } }, 4
    };
    layer_run run;
    layer_run_begin(&run, &what, NULL);
    count_up(run.inputs[0], 4); /* mean 2.5, variance 1.25, unbiased 5 / 3 */
    float *scale = run.pass.parameters[0], *offset = run.pass.parameters[1];
    float *mean = run.pass.parameters[2], *variance = run.pass.parameters[3];
    *scale = 2, *offset = 1, *mean = 0.5f, *variance = 1;
    layer_forward(&run, true);
    float deviation = sqrtf(1.25f + 1e-5f);
    assert_values(&run, (float[]){ 1 - 3 / deviation, 1 - 1 / deviation, 1 + 1 / deviation, 1 + 3 / deviation });
    assert_float_equal(1, *mean, 1e-6);
    assert_float_equal(0.75f + 0.25f * 5 / 3, *variance, 1e-6);
    layer_forward(&run, false);
    assert_float_equal(1, *mean, 1e-6);
    float running = sqrtf(*variance + 1e-5f);
    assert_values(&run, (float[]){ 1, 1 + 2 / running, 1 + 4 / running, 1 + 6 / running });
    layer_run_end(&run);
}

/* With a mean of 1000 and a deviation of 0.1, a sum of squares would have no digits left. */
static void batch_norm_bears_a_large_mean(void **state)
{
    (void)state;
    layer_case what = { "norm", &cnn_layer_batch_norm, { .batch_norm = { 0 } }, 1, { { 3, { 50, 50, 5 } } }, 8 };
    layer_run run;
    layer_run_begin(&run, &what, NULL);
    for (size_t i = 0; i < run.input_counts[0]; i++)
        run.inputs[0][i] = 1000 + (i / 5 % 2 ? 0.125f : -0.125f);
    for (int c = 0; c < 5; c++)
        run.pass.parameters[0][c] = 1, run.pass.parameters[1][c] = 0;
    layer_forward(&run, true);
    for (size_t i = 0; i < run.output_count; i++)
        assert_float_equal((i / 5 % 2 ? 1 : -1), run.output[i], 1e-3);
    layer_run_end(&run);
}

static size_t dropped(const layer_run *run)
{
    size_t zeros = 0;
    for (size_t i = 0; i < run->output_count; i++) {
        if (run->output[i] == 0)
            zeros++;
        else if (fabsf(run->output[i] - run->inputs[0][i] / 0.75f) > 1e-6f * fabsf(run->output[i]))
            fail_msg("%g became %g", (double)run->inputs[0][i], (double)run->output[i]);
    }
    return zeros;
}

/* How many values share their fate with the one `distance` further on. */
static size_t alike(const layer_run *run, size_t distance)
{
    size_t count = 0;
    for (size_t i = 0; i + distance < run->output_count; i++)
        count += (run->output[i] == 0) == (run->output[i + distance] == 0);
    return count;
}

static void dropout_does_not_repeat_itself(void **state)
{
    (void)state;
    layer_case what = { "dropout", &cnn_layer_dropout, { .dropout = { 0.5f } }, 1, { { 1, { 8192 } } }, 4 };
    layer_run run;
    layer_run_begin(&run, &what, NULL);
    layer_forward(&run, true);
    for (size_t distance = 1; distance <= 16384; distance *= 2) {
        size_t pairs = run.output_count - distance;
        assert_in_range(alike(&run, distance), pairs * 48 / 100, pairs * 52 / 100);
    }
    layer_run_end(&run);
}

/* The loops draw many blocks at a time: the words are still core/random.h's. */
static void dropout_draws_the_stream_that_is_documented(void **state)
{
    (void)state;
    layer_case what = { "dropout", &cnn_layer_dropout, { .dropout = { 0.25f } }, 1, { { 1, { 4999 } } }, 1 };
    layer_run run;
    layer_run_begin(&run, &what, NULL);
    layer_forward(&run, true);
    cnn_random random;
    cnn_random_init(&random, run.pass.seed, CNN_RANDOM_DROPOUT, run.pass.node, run.pass.step);
    for (size_t i = 0; i < run.output_count; i++)
        assert_int_equal(cnn_random_word(&random) >= 1u << 30, run.output[i] != 0);
    layer_run_end(&run);
}

static void dropout_drops_its_share_and_scales_the_rest(void **state)
{
    (void)state;
    layer_case what = { "dropout", &cnn_layer_dropout, { .dropout = { 0.25f } }, 1, { { 1, { 10007 } } }, 2 };
    layer_run run, other;
    layer_run_begin(&run, &what, NULL);
    layer_run_begin(&other, &what, NULL);
    layer_forward(&run, true);
    assert_in_range(dropped(&run), 4750, 5250); /* 4 deviations about 5003 */
    layer_forward(&other, true);
    assert_memory_equal(run.output, other.output, run.output_count * sizeof(float));
    other.pass.step++;
    layer_forward(&other, true);
    assert_memory_not_equal(run.output, other.output, run.output_count * sizeof(float));
    other.pass.step--;
    other.pass.node++;
    layer_forward(&other, true);
    assert_memory_not_equal(run.output, other.output, run.output_count * sizeof(float));
    layer_forward(&other, false);
    assert_memory_equal(other.inputs[0], other.output, run.output_count * sizeof(float));
    layer_run_end(&run);
    layer_run_end(&other);
}

/* conv, then batch_norm with running statistics, relu and pooling one by one. */
static void a_folded_batch_norm_predicts_as_the_layers_do(void **state)
{
    (void)state;
    for (int no_bias = 0; no_bias < 2; no_bias++) {
        cnn_conv2d_attributes conv = { .filters = 5, .padding = CNN_PADDING_SAME, .no_bias = no_bias };
        const cnn_shape image = { 3, { 8, 7, 3 } }, map = { 3, { 8, 7, 5 } };
        layer_case what[] = {
            { "fused",
              &cnn_layer_fused_conv2d,
              { .fused_conv2d = { conv, true, 1e-3f, CNN_ACTIVATION_RELU, { 2, 2 } } },
              1,
              { image },
              2 },
            { "conv", &cnn_layer_conv2d, { .conv2d = conv }, 1, { image }, 2 },
            { "norm", &cnn_layer_batch_norm, { .batch_norm = { .epsilon = 1e-3f } }, 1, { map }, 2 },
            { "relu", &cnn_layer_relu, { .input = { { 0 } } }, 1, { map }, 2 },
            { "pool", &cnn_layer_max_pool2d, { .input = { { 0 } } }, 1, { map }, 2 },
        };
        layer_run runs[5];
        for (int i = 0; i < 5; i++)
            layer_run_begin(&runs[i], &what[i], NULL);
        int32_t before = no_bias ? 1 : 2;
        memcpy(runs[1].inputs[0], runs[0].inputs[0], runs[0].input_counts[0] * sizeof(float));
        for (int32_t i = 0; i < before + 4; i++)
            memcpy(i < before ? runs[1].pass.parameters[i] : runs[2].pass.parameters[i - before],
                   runs[0].pass.parameters[i], runs[0].parameter_counts[i] * sizeof(float));
        for (int i = 0; i < 5; i++) {
            layer_forward(&runs[i], false);
            if (i > 0 && i < 4)
                memcpy(runs[i + 1].inputs[0], runs[i].output, runs[i].output_count * sizeof(float));
        }
        assert_int_equal(runs[0].output_count, runs[4].output_count);
        assert_values(&runs[0], runs[4].output);
        for (int i = 0; i < 5; i++)
            layer_run_end(&runs[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_never_counts_in_pooling),
        cmocka_unit_test(same_padding_puts_the_odd_pixel_at_the_end),
        cmocka_unit_test(the_activations),
        cmocka_unit_test(smooth_activations_are_accurate),
        cmocka_unit_test(activations_bear_large_values),
        cmocka_unit_test(not_a_number_comes_through),
        cmocka_unit_test(batch_norm_keeps_running_statistics),
        cmocka_unit_test(batch_norm_bears_a_large_mean),
        cmocka_unit_test(dropout_does_not_repeat_itself),
        cmocka_unit_test(dropout_draws_the_stream_that_is_documented),
        cmocka_unit_test(dropout_drops_its_share_and_scales_the_rest),
        cmocka_unit_test(a_folded_batch_norm_predicts_as_the_layers_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
