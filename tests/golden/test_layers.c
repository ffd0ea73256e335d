/* Each layer's outputs and gradients against PyTorch's, as make_fixtures.py wrote them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../unit/layers/harness.h"
#include "formats/safetensors/safetensors.h"
#include "kernels/conv/conv.h"

/* clang-format off */
#define IMAGE(h, w, c) { { 3, { h, w, c } } }
#define FEATURES(n) { { 1, { n } } }
#define SAME CNN_PADDING_SAME
#define EXPLICIT CNN_PADDING_EXPLICIT

static const layer_case golden_cases[] = {
    { "conv valid", &cnn_layer_conv2d, { .conv2d = { .filters = 8 } }, 1, IMAGE(9, 10, 3), 2 },
    { "conv same", &cnn_layer_conv2d, { .conv2d = { .filters = 6, .padding = SAME } }, 1, IMAGE(7, 6, 5), 2 },
    { "conv same, stride 2", &cnn_layer_conv2d, { .conv2d = { .filters = 6, .stride = { 2, 2 }, .padding = SAME } }, 1, IMAGE(8, 9, 3), 2 },
    { "conv explicit, stride 2, 7x7", &cnn_layer_conv2d,
      { .conv2d = { .filters = 5, .kernel = { 7, 7 }, .stride = { 2, 2 }, .padding = EXPLICIT, .pads = { 3, 3, 3, 3 }, .no_bias = 1 } },
      1, IMAGE(13, 12, 3), 1 },
    { "conv dilated", &cnn_layer_conv2d,
      { .conv2d = { .filters = 5, .dilation = { 2, 1 }, .padding = EXPLICIT, .pads = { 2, 1, 2, 1 } } }, 1, IMAGE(9, 8, 4), 2 },
    { "conv groups", &cnn_layer_conv2d, { .conv2d = { .filters = 9, .groups = 3, .padding = SAME } }, 1, IMAGE(6, 7, 6), 2 },
    { "conv depthwise", &cnn_layer_conv2d,
      { .conv2d = { .filters = 19, .groups = 19, .stride = { 2, 2 }, .padding = EXPLICIT, .pads = { 1, 1, 1, 1 }, .no_bias = 1 } },
      1, IMAGE(6, 7, 19), 2 },
    { "conv 1x1", &cnn_layer_conv2d, { .conv2d = { .filters = 17, .kernel = { 1, 1 } } }, 1, IMAGE(4, 5, 18), 2 },
    { "fused conv relu pool", &cnn_layer_fused_conv2d,
      { .fused_conv2d = { .conv = { .filters = 7 }, .activation = CNN_ACTIVATION_RELU, .pool = { 2, 2 } } }, 1, IMAGE(11, 12, 3), 2 },
    { "fused conv relu6", &cnn_layer_fused_conv2d,
      { .fused_conv2d = { .conv = { .filters = 5, .padding = SAME }, .activation = CNN_ACTIVATION_RELU6 } }, 1, IMAGE(8, 8, 3), 2 },
    { "fused conv norm relu pool predicting", &cnn_layer_fused_conv2d,
      { .fused_conv2d = { { .filters = 6, .padding = SAME }, true, 1e-3f, CNN_ACTIVATION_RELU, { 2, 2 } } }, 1, IMAGE(8, 9, 3), 2 },
    { "max pool", &cnn_layer_max_pool2d, { .pool2d = { .kernel = { 2, 2 } } }, 1, IMAGE(7, 8, 5), 2 },
    { "max pool 3, stride 2, padding 1", &cnn_layer_max_pool2d,
      { .pool2d = { .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = EXPLICIT, .pads = { 1, 1, 1, 1 } } }, 1, IMAGE(9, 8, 6), 2 },
    { "max pool same", &cnn_layer_max_pool2d, { .pool2d = { .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = SAME } }, 1, IMAGE(8, 7, 3), 2 },
    { "avg pool", &cnn_layer_avg_pool2d, { .pool2d = { .kernel = { 2, 3 } } }, 1, IMAGE(7, 8, 5), 2 },
    { "avg pool 3, stride 2, padding 1", &cnn_layer_avg_pool2d,
      { .pool2d = { .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = EXPLICIT, .pads = { 1, 1, 1, 1 } } }, 1, IMAGE(9, 8, 6), 2 },
    { "global avg pool", &cnn_layer_global_avg_pool, { .input = { { 0 } } }, 1, IMAGE(5, 7, 6), 3 },
    { "dense", &cnn_layer_dense, { .dense = { .units = 11 } }, 1, FEATURES(37), 5 },
    { "fused dense relu", &cnn_layer_fused_dense, { .fused_dense = { { .units = 9 }, CNN_ACTIVATION_RELU } }, 1, FEATURES(20), 4 },
    { "flatten", &cnn_layer_flatten, { .input = { { 0 } } }, 1, IMAGE(4, 5, 3), 2 },
    { "batch norm", &cnn_layer_batch_norm, { .batch_norm = { .momentum = 0.8f } }, 1, IMAGE(5, 7, 6), 4 },
    { "batch norm of features", &cnn_layer_batch_norm, { .batch_norm = { .momentum = 0.8f } }, 1, FEATURES(33), 7 },
    { "batch norm predicting", &cnn_layer_batch_norm, { .batch_norm = { .momentum = 0.8f } }, 1, IMAGE(4, 3, 5), 2 },
    { "relu", &cnn_layer_relu, { .input = { { 0 } } }, 1, IMAGE(4, 5, 3), 2 },
    { "leaky relu", &cnn_layer_leaky_relu, { .leaky_relu = { 0.1f } }, 1, IMAGE(4, 5, 3), 2 },
    { "relu6", &cnn_layer_relu6, { .input = { { 0 } } }, 1, IMAGE(4, 5, 3), 2 },
    { "sigmoid", &cnn_layer_sigmoid, { .input = { { 0 } } }, 1, IMAGE(4, 5, 3), 2 },
    { "tanh", &cnn_layer_tanh, { .input = { { 0 } } }, 1, IMAGE(4, 5, 3), 2 },
    { "silu", &cnn_layer_silu, { .input = { { 0 } } }, 1, IMAGE(4, 5, 3), 2 },
    { "hard swish", &cnn_layer_hard_swish, { .input = { { 0 } } }, 1, IMAGE(4, 5, 3), 2 },
    { "hard sigmoid", &cnn_layer_hard_sigmoid, { .input = { { 0 } } }, 1, IMAGE(4, 5, 3), 2 },
    { "gelu", &cnn_layer_gelu, { .gelu = { CNN_GELU_EXACT } }, 1, IMAGE(4, 5, 3), 2 },
    { "gelu by tanh", &cnn_layer_gelu, { .gelu = { CNN_GELU_TANH } }, 1, IMAGE(4, 5, 3), 2 },
    { "elu", &cnn_layer_elu, { .elu = { .alpha = 0.7f } }, 1, IMAGE(4, 5, 3), 2 },
    { "selu", &cnn_layer_selu, { .input = { { 0 } } }, 1, IMAGE(4, 5, 3), 2 },
    { "softplus", &cnn_layer_softplus, { .input = { { 0 } } }, 1, IMAGE(4, 5, 3), 2 },
    { "clip", &cnn_layer_clip, { .clip = { -1.5f, 2 } }, 1, IMAGE(4, 5, 3), 2 },
    { "softmax", &cnn_layer_softmax, { .input = { { 0 } } }, 1, FEATURES(10), 4 },
    { "softmax of pixels", &cnn_layer_softmax, { .input = { { 0 } } }, 1, IMAGE(3, 4, 5), 2 },
    { "add", &cnn_layer_add, { .input = { { 0 } } }, 2, { { 3, { 4, 5, 3 } }, { 3, { 4, 5, 3 } } }, 2 },
    { "concat", &cnn_layer_concat, { .input = { { 0 } } }, 3, { { 3, { 4, 5, 3 } }, { 3, { 4, 5, 1 } }, { 3, { 4, 5, 6 } } }, 2 },
    { "rescale", &cnn_layer_rescale, { .rescale = { 0.25f, -0.5f } }, 1, IMAGE(4, 5, 3), 2 },
    { "normalize", &cnn_layer_normalize, { .normalize = { { 0.485f, 0.456f, 0.406f }, { 0.229f, 0.224f, 0.225f } } }, 1, IMAGE(4, 5, 3), 2 },
};
/* clang-format on */

static cnn_safetensors *fixtures;
static size_t used;

/* NULL if there is no such array; else it has `count` floats. */
static const float *find(const char *name, const char *key, const char *detail, size_t count)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s%s", name, key, detail);
    const cnn_safetensors_array *array = cnn_safetensors_find(fixtures, path);
    if (!array)
        return NULL;
    used++;
    if (array->bytes != count * sizeof(float))
        fail_msg("%s: %zu bytes in the fixture, %zu numbers in the layer", path, array->bytes, count);
    return array->data;
}

static const char *number(int32_t index)
{
    return &"0\0"
            "1\0"
            "2"[2 * index];
}

static void copy(const char *name, const char *key, const char *detail, float *to, size_t count)
{
    const float *from = find(name, key, detail, count);
    if (!from)
        fail_msg("%s/%s%s is missing", name, key, detail);
    else
        memcpy(to, from, count * sizeof *to);
}

static void compare(const char *name, const char *key, const char *detail, const float *values, size_t count)
{
    const float *expected = find(name, key, detail, count);
    if (!expected) {
        fail_msg("%s/%s%s is missing", name, key, detail);
        return;
    }
    float size = 1;
    for (size_t i = 0; i < count; i++)
        size = fmaxf(size, fabsf(expected[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(values[i] - expected[i]) <= 2e-6f * size))
            fail_msg("%s: %s%s[%zu] is %.9g, not %.9g", name, key, detail, i, (double)values[i], (double)expected[i]);
}

static void compare_gradients(layer_run *run, const char *name)
{
    copy(name, "output_gradient", "", run->output_gradient, run->output_count);
    layer_backward(run);
    for (int32_t i = 0; i < run->layer.input_count; i++)
        compare(name, "input_gradient", number(i), run->pass.input_gradients[i], run->input_counts[i]);
    for (int32_t i = 0; i < run->layer.parameter_count; i++) {
        const cnn_layer_parameter *parameter = &run->layer.parameters[i];
        if (parameter->trainable)
            compare(name, "gradient/", parameter->name, run->pass.parameter_gradients[i], run->parameter_counts[i]);
        else
            compare(name, "after/", parameter->name, run->pass.parameters[i], run->parameter_counts[i]);
    }
}

static void compare_case(const layer_case *what, cnn_context *context)
{
    layer_run run;
    layer_run_begin(&run, what, context);
    for (int32_t i = 0; i < run.layer.input_count; i++)
        copy(what->name, "input", number(i), run.inputs[i], run.input_counts[i]);
    for (int32_t i = 0; i < run.layer.parameter_count; i++)
        copy(what->name, "parameter/", run.layer.parameters[i].name, run.pass.parameters[i], run.parameter_counts[i]);
    bool training = !strstr(what->name, "predicting");
    layer_forward(&run, training);
    compare(what->name, "output", "", run.output, run.output_count);
    if (training)
        compare_gradients(&run, what->name);
    layer_run_end(&run);
}

static void every_layer_agrees_with_pytorch(void **state)
{
    (void)state;
    const cnn_instruction_set sets[] = { CNN_ISA_GENERIC, CNN_ISA_AVX2, CNN_ISA_BEST };
    for (int k = 0; k < 3; k++) {
        cnn_context *context = make_context(2, sets[k]);
        used = 0;
        for (size_t i = 0; i < sizeof golden_cases / sizeof golden_cases[0]; i++)
            compare_case(&golden_cases[i], context);
        assert_int_equal(cnn_safetensors_count(fixtures), used); /* no fixture was passed over */
        cnn_context_destroy(context);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2 || cnn_safetensors_open(NULL, argv[1], &fixtures)) {
        fprintf(stderr, "usage: test_golden_layers layers.safetensors\n%s\n", cnn_last_error());
        return 1;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_layer_agrees_with_pytorch) };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cnn_safetensors_close(fixtures);
    return failed;
}
