/* Shapes, defaults, parameters, and the sentences that say what is wrong. */
#include <string.h>

#include "core/tensor_internal.h"
#include "harness.h"
#include "kernels/conv/conv.h"
#include "runtime/model_internal.h"

#define X "\xC3\x97" /* × */

#if SIZE_MAX > UINT32_MAX
#define MOST_ELEMENTS "2147483647"
#else
#define MOST_ELEMENTS "134217727"
#endif

static void assert_shape(const layer_case *what, const char *expected)
{
    cnn_layer layer;
    any_attributes attributes;
    char text[80];
    assert_ok(layer_shape(what, &layer, &attributes));
    assert_string_equal(expected, cnn_dims_text(layer.output.rank, layer.output.dims, text, sizeof text));
}

static void assert_refused(const layer_case *what, cnn_status status, const char *sentence)
{
    cnn_layer layer;
    any_attributes attributes;
    assert_status(status, layer_shape(what, &layer, &attributes));
    assert_string_equal(sentence, cnn_last_error());
}

static layer_case conv_of(int64_t height, int64_t width, int64_t channels, cnn_conv2d_attributes attributes)
{
    return (
        layer_case){ "conv", &cnn_layer_conv2d, { .conv2d = attributes }, 1, { { 3, { height, width, channels } } } };
}

static layer_case pool_of(int64_t height, int64_t width, int64_t channels, cnn_pool2d_attributes attributes)
{
    return (layer_case){
        "pool", &cnn_layer_max_pool2d, { .pool2d = attributes }, 1, { { 3, { height, width, channels } } }
    };
}

static layer_case plain(const cnn_layer_type *type, cnn_shape input)
{
    return (layer_case){ "plain", type, { .input = { { 0 } } }, 1, { input } };
}

#define CONV(h, w, c, ...) &(layer_case[]){ conv_of(h, w, c, (cnn_conv2d_attributes){ __VA_ARGS__ }) }[0]
#define POOL(h, w, c, ...) &(layer_case[]){ pool_of(h, w, c, (cnn_pool2d_attributes){ __VA_ARGS__ }) }[0]
#define PLAIN(type, ...) &(layer_case[]){ plain(&type, (cnn_shape)__VA_ARGS__) }[0]

static void windows_are_counted_as_tensorflow_and_pytorch_do(void **state)
{
    (void)state;
    assert_shape(CONV(150, 150, 3, .filters = 32), "148" X "148" X "32");
    assert_shape(CONV(5, 6, 3, .filters = 2, .kernel = { 2, 4 }, .stride = { 2, 3 }), "2" X "1" X "2");
    assert_shape(CONV(5, 6, 3, .filters = 2, .stride = { 2, 4 }, .padding = CNN_PADDING_SAME), "3" X "2" X "2");
    assert_shape(CONV(1, 1, 3, .filters = 2, .kernel = { 7, 7 }, .padding = CNN_PADDING_SAME), "1" X "1" X "2");
    assert_shape(CONV(9, 9, 3, .filters = 2, .dilation = { 2, 4 }), "5" X "1" X "2");
    assert_shape(CONV(4, 4, 3, .filters = 2, .padding = CNN_PADDING_EXPLICIT, .pads = { 1, 0, 2, 1 }), "5" X "3" X "2");
    assert_shape(POOL(7, 8, 5, .kernel = { 0 }), "3" X "4" X "5");
    assert_shape(POOL(7, 8, 5, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = CNN_PADDING_SAME), "4" X "4" X "5");
}

static void the_other_layers_shapes(void **state)
{
    (void)state;
    assert_shape(PLAIN(cnn_layer_flatten, { 3, { 3, 4, 5 } }), "60");
    assert_shape(PLAIN(cnn_layer_global_avg_pool, { 3, { 3, 4, 5 } }), "5");
    assert_shape(PLAIN(cnn_layer_softmax, { 1, { 7 } }), "7");
    layer_case concat = {
        "concat", &cnn_layer_concat, { .input = { { 0 } } }, 2, { { 3, { 2, 3, 4 } }, { 3, { 2, 3, 9 } } }
    };
    assert_shape(&concat, "2" X "3" X "13");
    layer_case input = { "input", &cnn_layer_input, { .input = { { 64, 48, 3 } } }, 0, { { 0 } } };
    assert_shape(&input, "64" X "48" X "3");
    layer_case fused = { "fused",
                         &cnn_layer_fused_conv2d,
                         { .fused_conv2d = { .conv = { .filters = 8 }, .pool = { 2, 3 } } },
                         1,
                         { { 3, { 9, 9, 1 } } } };
    assert_shape(&fused, "3" X "2" X "8");
}

static void defaults_replace_zeros(void **state)
{
    (void)state;
    cnn_layer layer;
    any_attributes attributes;
    assert_ok(layer_shape(CONV(9, 9, 4, .filters = 6, .kernel = { 5, 0 }), &layer, &attributes));
    assert_memory_equal(((int32_t[]){ 5, 3 }), attributes.conv2d.kernel, 8);
    assert_memory_equal(((int32_t[]){ 1, 1 }), attributes.conv2d.stride, 8);
    assert_memory_equal(((int32_t[]){ 1, 1 }), attributes.conv2d.dilation, 8);
    assert_int_equal(1, attributes.conv2d.groups);
    assert_ok(layer_shape(POOL(9, 9, 4, .kernel = { 3, 2 }), &layer, &attributes));
    assert_memory_equal(((int32_t[]){ 3, 2 }), attributes.pool2d.stride, 8);
    assert_ok(layer_shape(PLAIN(cnn_layer_batch_norm, { 3, { 4, 4, 2 } }), &layer, &attributes));
    assert_float_equal(0.9, attributes.batch_norm.momentum, 1e-7);
    assert_float_equal(1e-5, attributes.batch_norm.epsilon, 1e-10);
}

static void parameters_say_how_they_start(void **state)
{
    (void)state;
    cnn_layer layer;
    any_attributes attributes;
    assert_ok(layer_shape(CONV(9, 9, 4, .filters = 6, .groups = 2, .kernel = { 3, 5 }), &layer, &attributes));
    assert_int_equal(2, layer.parameter_count);
    assert_string_equal("weight", layer.parameters[0].name);
    assert_memory_equal(((int64_t[]){ 3, 5, 2, 6 }), layer.parameters[0].dims, 32);
    assert_int_equal(30, layer.parameters[0].fan_in);
    assert_int_equal(90, layer.parameters[0].fan_out);
    assert_int_equal(CNN_INIT_HE_NORMAL, layer.parameters[0].initializer);
    assert_true(layer.parameters[0].decay && layer.parameters[0].trainable && !layer.parameters[0].constant);
    assert_true(layer.parameters[1].constant && layer.parameters[1].trainable && !layer.parameters[1].decay);
    assert_ok(layer_shape(PLAIN(cnn_layer_batch_norm, { 1, { 5 } }), &layer, &attributes));
    assert_int_equal(4, layer.parameter_count);
    assert_true(layer.parameters[0].value == 1 && layer.parameters[3].value == 1);
    assert_false(layer.parameters[2].trainable || layer.parameters[3].trainable);
}

static void impossible_windows_are_refused(void **state)
{
    (void)state;
    assert_refused(CONV(2, 9, 3, .filters = 8), CNN_ERROR_SHAPE,
                   "a kernel of 3" X "3 doesn't fit into the input 2" X "9" X "3, which is 2" X "9 with its padding");
    assert_refused(
        CONV(5, 9, 3, .filters = 8, .dilation = { 3, 1 }, .padding = CNN_PADDING_EXPLICIT, .pads = { 1, 0, 0, 2 }),
        CNN_ERROR_SHAPE,
        "a kernel of 7" X "3 doesn't fit into the input 5" X "9" X "3, which is 6" X "11 with its padding");
    assert_refused(CONV(5, 5, 3, .filters = 8, .stride = { -1, 1 }), CNN_ERROR_ARGUMENT,
                   "a stride of -1" X "1 is not possible; each is 1 to 32767");
    assert_refused(CONV(5, 5, 3, .filters = 8, .kernel = { 3, 40000 }), CNN_ERROR_ARGUMENT,
                   "a kernel of 3" X "40000 is not possible; each is 1 to 32767");
    assert_refused(CONV(5, 5, 3, .filters = 8, .padding = 3), CNN_ERROR_ARGUMENT, "3 is no kind of padding");
    assert_refused(CONV(5, 5, 3, .filters = 8, .pads = { 1, 1, 1, 1 }), CNN_ERROR_ARGUMENT,
                   "pads are given, but the padding is \"valid\", not \"explicit\"");
    assert_refused(POOL(5, 5, 3, .padding = CNN_PADDING_EXPLICIT, .pads = { 0, 2, 0, 0 }), CNN_ERROR_ARGUMENT,
                   "a padding of 2 is not possible with a kernel of 2" X "2: it is less than the kernel");
    assert_refused(POOL(500, 500, 3, .kernel = { 300, 300 }), CNN_ERROR_LIMIT,
                   "a kernel of 300" X "300 is too large: at most 65536 pixels are possible");
}

static void impossible_channels_are_refused(void **state)
{
    (void)state;
    assert_refused(CONV(5, 5, 4, .filters = 6, .groups = 4), CNN_ERROR_SHAPE,
                   "4 groups don't divide both the channels of the input 5" X "5" X "4 and the 6 filters");
    assert_refused(CONV(5, 5, 4, .filters = 6, .groups = -2), CNN_ERROR_SHAPE,
                   "-2 groups don't divide both the channels of the input 5" X "5" X "4 and the 6 filters");
    assert_refused(CONV(5, 5, 4, .filters = 0), CNN_ERROR_ARGUMENT, "0 filters are not possible; there is 1 or more");
    assert_refused(CONV(5, 5, 4, .filters = 1, .weight_init = 9), CNN_ERROR_ARGUMENT,
                   "9 is no way to initialise weights");
    layer_case dense = { "dense", &cnn_layer_dense, { .dense = { .units = 64 } }, 1, { { 3, { 7, 7, 128 } } } };
    assert_refused(&dense, CNN_ERROR_SHAPE,
                   "dense to 64 units needs features, but its input is 7" X "7" X
                   "128: flatten or global_avg_pool comes first");
    assert_refused(PLAIN(cnn_layer_global_avg_pool, { 1, { 10 } }), CNN_ERROR_SHAPE,
                   "global_avg_pool needs an input of height" X "width" X "channels, but its input is 10 features");
    layer_case add = { "add", &cnn_layer_add, { .input = { { 0 } } }, 2, { { 3, { 2, 3, 4 } }, { 3, { 2, 3, 5 } } } };
    assert_refused(&add, CNN_ERROR_SHAPE, "2" X "3" X "4 and 2" X "3" X "5 can't be added: the shapes differ");
    layer_case concat = {
        "concat", &cnn_layer_concat, { .input = { { 0 } } }, 2, { { 3, { 2, 3, 4 } }, { 3, { 2, 4, 4 } } }
    };
    assert_refused(&concat, CNN_ERROR_SHAPE,
                   "2" X "3" X "4 and 2" X "4" X "4 can't be joined: they differ in more than the channels");
    concat.inputs[1] = (cnn_shape){ 1, { 4 } };
    assert_refused(&concat, CNN_ERROR_SHAPE,
                   "2" X "3" X "4 and 4 can't be joined: they differ in more than the channels");
}

static void impossible_values_are_refused(void **state)
{
    (void)state;
    layer_case dropout = { "dropout", &cnn_layer_dropout, { .dropout = { 1 } }, 1, { { 1, { 4 } } } };
    assert_refused(&dropout, CNN_ERROR_ARGUMENT, "a rate of 1 is not possible; it is 0 to below 1");
    layer_case slope = { "leaky", &cnn_layer_leaky_relu, { .leaky_relu = { -0.5f } }, 1, { { 1, { 4 } } } };
    assert_refused(&slope, CNN_ERROR_ARGUMENT, "a slope of -0.5 is not possible; it is 0 or more, and finite");
    layer_case hard = { "hard", &cnn_layer_hard_sigmoid, { .hard_sigmoid = { -1, 2 } }, 1, { { 1, { 4 } } } };
    assert_refused(&hard, CNN_ERROR_ARGUMENT,
                   "a slope of -1 and an offset of 2 are not possible: both are finite, and the slope is above 0");
    layer_case gelu = { "gelu", &cnn_layer_gelu, { .gelu = { 2 } }, 1, { { 1, { 4 } } } };
    assert_refused(&gelu, CNN_ERROR_ARGUMENT, "there is no form 2 of GELU: use CNN_GELU_EXACT or CNN_GELU_TANH");
    layer_case elu = { "elu", &cnn_layer_elu, { .elu = { .alpha = -1 } }, 1, { { 1, { 4 } } } };
    assert_refused(&elu, CNN_ERROR_ARGUMENT, "an alpha of -1 is not possible; it is above 0, and finite");
    layer_case clip = { "clip", &cnn_layer_clip, { .clip = { 2, 1 } }, 1, { { 1, { 4 } } } };
    assert_refused(&clip, CNN_ERROR_ARGUMENT, "clipping to 2 ... 1 is not possible: min is below max");
    layer_case norm = { "norm", &cnn_layer_batch_norm, { .batch_norm = { 1, 0 } }, 1, { { 1, { 4 } } } };
    assert_refused(&norm, CNN_ERROR_ARGUMENT, "a momentum of 1 is not possible; it is above 0 and below 1");
    layer_case scale = { "rescale", &cnn_layer_rescale, { .rescale = { 0, 1 } }, 1, { { 1, { 4 } } } };
    assert_refused(&scale, CNN_ERROR_ARGUMENT,
                   "a scale of 0 and an offset of 1 are not possible: both are finite, and the scale is not 0");
    layer_case normalize = {
        "normalize", &cnn_layer_normalize, { .normalize = { { 0 }, { 1, 0 } } }, 1, { { 3, { 4, 5, 2 } } }
    };
    assert_refused(&normalize, CNN_ERROR_ARGUMENT,
                   "a mean of 0 and a deviation of 0 are not possible (channel 1 of 4" X "5" X
                   "2): both are finite, and the deviation is above 0");
    normalize.inputs[0].dims[2] = 17;
    assert_refused(&normalize, CNN_ERROR_SHAPE,
                   "the input 4" X "5" X "17 has 17 channels; at most 16 can be normalised");
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    layer_case input = { "input", &cnn_layer_input, { .input = { { 60000, 60000, 3 } } }, 0, { { 0 } } };
    assert_refused(&input, CNN_ERROR_LIMIT,
                   "the output 60000" X "60000" X "3 (of the input none) is too large: at most " MOST_ELEMENTS
                   " values are possible");
    input.attributes.input = (cnn_input_attributes){ { INT64_MAX, INT64_MAX, INT64_MAX } };
    cnn_layer layer;
    any_attributes attributes;
    assert_status(CNN_ERROR_LIMIT, layer_shape(&input, &layer, &attributes));
    input.attributes.input = (cnn_input_attributes){ { 5, 0, 3 } };
    assert_refused(&input, CNN_ERROR_ARGUMENT,
                   "an input of 5" X "0" X "3 is not possible; each dimension is 1 or more");
    assert_status(CNN_ERROR_LIMIT, layer_shape(CONV(9, 9, 3, .filters = INT64_MAX), &layer, &attributes));
    layer_case dense = { "dense", &cnn_layer_dense, { .dense = { .units = 100000 } }, 1, { { 1, { 100000 } } } };
    assert_refused(&dense, CNN_ERROR_LIMIT,
                   "weight of 100000" X "100000 is too large: at most " MOST_ELEMENTS " values are possible");
}

static void types_are_found_by_their_names(void **state)
{
    (void)state;
    assert_ptr_equal(&cnn_layer_conv2d, cnn_layer_type_find("conv2d"));
    assert_ptr_equal(&cnn_layer_leaky_relu, cnn_layer_type_find("leaky_relu"));
    assert_null(cnn_layer_type_find("fused_conv2d"));
    assert_null(cnn_layer_type_find(""));
}

static void a_convolution_counts_its_operations(void **state)
{
    (void)state;
    cnn_layer layer;
    any_attributes attributes;
    assert_ok(layer_shape(CONV(9, 9, 4, .filters = 6, .groups = 2), &layer, &attributes));
    assert_int_equal(2 * 7 * 7 * 6 * 2 * 9, layer.type->flops(&layer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_counted_as_tensorflow_and_pytorch_do),
        cmocka_unit_test(the_other_layers_shapes),
        cmocka_unit_test(defaults_replace_zeros),
        cmocka_unit_test(parameters_say_how_they_start),
        cmocka_unit_test(impossible_windows_are_refused),
        cmocka_unit_test(impossible_channels_are_refused),
        cmocka_unit_test(impossible_values_are_refused),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(types_are_found_by_their_names),
        cmocka_unit_test(a_convolution_counts_its_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
