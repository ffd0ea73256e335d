#include <math.h>
#include <stdio.h>

#include "../context_of_tier.h"
#include "../scratch.h"
#include "models.h"
#include "runtime/model_internal.h"
#include "runtime/quantize.h"

enum { IMAGES = 6 };

static cnn_model *model_of(cnn_context *context, cnn_graph *graph)
{
    cnn_model *model;
    assert_ok(cnn_graph_status(graph));
    assert_ok(cnn_model_create(context, graph, 1, &model));
    fill_parameters(model, 3);
    cnn_graph_destroy(graph);
    return model;
}

static cnn_graph *new_graph(cnn_node *input)
{
    cnn_graph *graph;
    assert_ok(cnn_graph_create(NULL, &graph));
    *input = cnn_input(graph, 16, 15, 3);
    return graph;
}

static cnn_node convolve(cnn_graph *graph, cnn_node x, int64_t filters, int32_t size, int32_t stride, int32_t groups)
{
    const cnn_conv2d_options options = { .struct_size = sizeof options,
                                         .kernel = { size, size },
                                         .stride = { stride, stride },
                                         .padding = CNN_PADDING_SAME,
                                         .groups = groups,
                                         .no_bias = groups > 1 };
    return cnn_conv2d(graph, x, filters, &options);
}

static cnn_node pool(cnn_graph *graph, cnn_node x, int32_t size, int32_t stride, cnn_padding padding)
{
    const cnn_pool2d_options options = {
        .struct_size = sizeof options, .kernel = { size, size }, .stride = { stride, stride }, .padding = padding
    };
    return cnn_max_pool2d(graph, x, &options);
}

static cnn_graph *plain_net(void)
{
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = pool(g, cnn_relu(g, cnn_conv2d(g, x, 9, NULL)), 2, 2, CNN_PADDING_VALID);
    x = pool(g, cnn_relu6(g, convolve(g, x, 20, 3, 1, 1)), 3, 3, CNN_PADDING_VALID);
    x = cnn_dropout(g, cnn_flatten(g, x), 0.5f);
    cnn_dense(g, cnn_relu(g, cnn_dense(g, x, 12, NULL)), 3, NULL);
    return g;
}

static cnn_node residual_block(cnn_graph *g, cnn_node x, int64_t filters, int32_t stride)
{
    cnn_node main = cnn_relu(g, cnn_batch_norm(g, convolve(g, x, filters, 3, stride, 1), NULL));
    main = cnn_batch_norm(g, convolve(g, main, filters, 3, 1, 1), NULL);
    if (stride > 1)
        x = cnn_batch_norm(g, convolve(g, x, filters, 1, stride, 1), NULL);
    return cnn_relu(g, cnn_add(g, x, main));
}

static cnn_graph *residual_net(void)
{
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = pool(g, cnn_relu(g, cnn_batch_norm(g, convolve(g, x, 8, 7, 2, 1), NULL)), 3, 2, CNN_PADDING_SAME);
    x = residual_block(g, residual_block(g, x, 8, 1), 12, 2);
    cnn_dense(g, cnn_global_avg_pool(g, x), 3, NULL);
    return g;
}

/* Layers that bytes can't compute, and others between them. */
static cnn_graph *mixed_net(void)
{
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = cnn_rescale(g, x, 0.5f, 0.1f);
    x = cnn_leaky_relu(g, convolve(g, x, 8, 3, 1, 1), 0.1f);
    cnn_node depthwise = pool(g, cnn_relu(g, convolve(g, x, 8, 3, 1, 8)), 2, 2, CNN_PADDING_VALID);
    cnn_node grouped =
        pool(g, cnn_batch_norm(g, cnn_relu(g, convolve(g, x, 12, 3, 1, 4)), NULL), 2, 2, CNN_PADDING_VALID);
    x = cnn_concat(g, (cnn_node[]){ depthwise, grouped, depthwise }, 3);
    x = cnn_avg_pool2d(g, cnn_sigmoid(g, convolve(g, x, 6, 1, 1, 1)), NULL);
    x = cnn_relu(g, cnn_add(g, convolve(g, x, 6, 3, 1, 1),
                            cnn_conv2d(g, x, 6,
                                       &(cnn_conv2d_options){ .struct_size = sizeof(cnn_conv2d_options),
                                                              .padding = CNN_PADDING_SAME })));
    cnn_softmax(g, cnn_dense(g, cnn_flatten(g, cnn_relu6(g, x)), 3, NULL));
    return g;
}

/* Activations that are curves, as mobile nets and those after them have. */
static cnn_graph *curved_net(void)
{
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = cnn_silu(g, convolve(g, x, 8, 3, 2, 1));
    x = cnn_hard_swish(g, convolve(g, x, 8, 3, 1, 8));
    x = cnn_add(g, x, cnn_gelu(g, convolve(g, x, 8, 1, 1, 1), CNN_GELU_EXACT));
    x = cnn_clip(g, cnn_dense(g, cnn_global_avg_pool(g, x), 12, NULL), -2, 2);
    cnn_dense(g, x, 3, NULL);
    return g;
}

/* Padding as nets from ONNX have it: given side by side, and as a convolution of each channel with one weight. */
static cnn_graph *padded_net(void)
{
    const cnn_conv2d_options first = { .struct_size = sizeof first,
                                       .padding = CNN_PADDING_EXPLICIT,
                                       .pads = { 2, 1, 0, 2 } };
    const cnn_conv2d_options padding = { .struct_size = sizeof padding,
                                         .kernel = { 1, 1 },
                                         .padding = CNN_PADDING_EXPLICIT,
                                         .pads = { 1, 1, 1, 1 },
                                         .groups = 8,
                                         .no_bias = 1 };
    const cnn_pool2d_options pooling = { .struct_size = sizeof pooling,
                                         .kernel = { 3, 3 },
                                         .stride = { 2, 2 },
                                         .padding = CNN_PADDING_EXPLICIT,
                                         .pads = { 0, 1, 2, 1 } };
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = cnn_conv2d(g, cnn_conv2d(g, x, 8, &first), 8, &padding); /* also of what is negative */
    x = pool(g, x, 2, 2, CNN_PADDING_VALID);
    x = cnn_max_pool2d(g, cnn_relu(g, cnn_conv2d(g, x, 10, &first)), &pooling);
    cnn_dense(g, cnn_flatten(g, x), 3, NULL);
    return g;
}

static cnn_graph *(*const nets[])(void) = { plain_net, residual_net, mixed_net, curved_net, padded_net };
enum { NETS = sizeof nets / sizeof nets[0] };

static cnn_tensor *predict(const cnn_model *model, const cnn_tensor *images)
{
    cnn_tensor *output = batch_of(images->dims[0], cnn_model_output_shape(model), 9);
    assert_ok(cnn_model_predict(model, images, output));
    return output;
}

static cnn_model *quantize(const cnn_model *model)
{
    cnn_tensor *images = batch_of(IMAGES, cnn_model_input_shape(model), 5);
    cnn_model *quantized;
    assert_ok(cnn_model_quantize(model, images, &quantized));
    cnn_tensor_destroy(images);
    return quantized;
}

static float largest(const cnn_tensor *a, const cnn_tensor *b)
{
    float most = 0;
    for (int64_t i = 0; i < a->count; i++) {
        float difference = fabsf(((float *)a->data)[i] - (b ? ((float *)b->data)[i] : 0));
        most = difference > most ? difference : most;
    }
    return most;
}

static void a_quantized_model_predicts_about_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < NETS; i++) {
        cnn_model *model = model_of(NULL, nets[i]()), *quantized = quantize(model);
        cnn_tensor *images = batch_of(IMAGES, cnn_model_input_shape(model), 5);
        cnn_tensor *expected = predict(model, images), *got = predict(quantized, images);
        assert_true(largest(expected, got) > 0); /* it isn't the same computation */
        assert_true(largest(expected, got) < 0.05f * largest(expected, NULL));
        assert_true(cnn_model_is_quantized(quantized) && !cnn_model_is_quantized(model));
        cnn_tensor_destroy(images);
        cnn_tensor_destroy(expected);
        cnn_tensor_destroy(got);
        cnn_model_destroy(quantized);
        cnn_model_destroy(model);
    }
}

/* A quantised model with the same ranges and weights in another context: by way of a file. */
static cnn_model *moved(const cnn_model *model, cnn_context *context, const char *path)
{
    cnn_model *copy;
    assert_ok(cnn_model_save(model, path));
    assert_ok(cnn_model_load(context, path, &copy));
    return copy;
}

static void bits_are_the_same_with_any_instruction_set_and_threads(void **state)
{
    const char *path = scratch_path(*state, "moved.safetensors");
    for (int i = 0; i < 2; i++) { /* nets whose every product is of bytes */
        cnn_model *model = model_of(NULL, nets[i]()), *quantized = quantize(model);
        cnn_tensor *images = batch_of(13, cnn_model_input_shape(model), 8), *expected = predict(quantized, images);
        for (int tier = 0; tier < CNN_TIER_COUNT; tier++)
            for (uint32_t threads = 1; threads <= 3; threads++) {
                cnn_context *context;
                assert_ok(context_of_tier((cnn_tier)tier, threads, &context));
                cnn_model *copy = moved(quantized, context, path);
                cnn_tensor *got = predict(copy, images);
                assert_memory_equal(expected->data, got->data, cnn_tensor_bytes(got));
                cnn_tensor_destroy(got);
                cnn_model_destroy(copy);
                cnn_context_destroy(context);
            }
        cnn_tensor_destroy(images);
        cnn_tensor_destroy(expected);
        cnn_model_destroy(quantized);
        cnn_model_destroy(model);
    }
}

static void memory_is_shared_without_changing_results(void **state)
{
    (void)state;
    for (int i = 0; i < NETS; i++) {
        cnn_model *model = model_of(NULL, nets[i]()), *quantized = quantize(model), *apart = quantize(model);
        apart->share_memory = false;
        cnn_tensor *images = batch_of(IMAGES, cnn_model_input_shape(model), 8);
        cnn_tensor *shared = predict(quantized, images), *not_shared = predict(apart, images);
        assert_memory_equal(shared->data, not_shared->data, cnn_tensor_bytes(shared));
        cnn_tensor_destroy(images);
        cnn_tensor_destroy(shared);
        cnn_tensor_destroy(not_shared);
        cnn_model_destroy(quantized);
        cnn_model_destroy(apart);
        cnn_model_destroy(model);
    }
}

/* "input quantize int8_conv2d": the types of the operations. */
static void assert_operations(cnn_graph *graph, const char *expected)
{
    cnn_model *model = model_of(NULL, graph), *quantized = quantize(model);
    cnn_program_source source = cnn_model_source(quantized);
    cnn_program *program;
    char text[1024] = "";
    assert_ok(cnn_program_create(&source, (cnn_purpose){ 0 }, &program));
    for (int32_t i = 0; i < program->count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "", program->operations[i].layer.type->name);
    }
    assert_string_equal(expected, text);
    cnn_program_destroy(program);
    cnn_model_destroy(quantized);
    cnn_model_destroy(model);
}

static void operations_stay_with_bytes_where_they_can(void **state)
{
    (void)state;
    assert_operations(plain_net(),
                      "input quantize int8_conv2d int8_conv2d int8_max_pool2d flatten int8_conv2d int8_conv2d");
    assert_operations(residual_net(),
                      "input quantize int8_conv2d int8_max_pool2d int8_conv2d int8_conv2d int8_conv2d int8_conv2d "
                      "int8_conv2d int8_global_avg_pool quantize int8_conv2d");
    assert_operations(
        mixed_net(),
        "input rescale quantize int8_conv2d leaky_relu quantize int8_conv2d int8_max_pool2d dequantize int8_conv2d "
        "dequantize batch_norm max_pool2d concat quantize int8_conv2d sigmoid avg_pool2d quantize "
        "int8_conv2d int8_conv2d int8_add flatten int8_conv2d softmax");
    assert_operations(curved_net(),
                      "input quantize int8_conv2d silu quantize int8_conv2d hard_swish quantize int8_conv2d "
                      "gelu add global_avg_pool quantize int8_conv2d clip quantize int8_conv2d");
}

static void a_folded_model_predicts_the_same(void **state)
{
    (void)state;
    cnn_model *model = model_of(NULL, residual_net()), *folded;
    assert_ok(cnn_model_set_metadata(model, "name", "value"));
    assert_ok(cnn_model_fold(model, &folded));
    cnn_tensor *images = batch_of(IMAGES, cnn_model_input_shape(model), 5);
    cnn_tensor *expected = predict(model, images), *got = predict(folded, images);
    assert_true(largest(expected, got) <= 1e-5f * largest(expected, NULL));
    for (cnn_node i = 0; i < cnn_graph_node_count(folded->graph); i++)
        assert_string_not_equal("batch_norm", cnn_graph_node_type(folded->graph, i));
    assert_string_equal("value", cnn_model_metadata(folded, "name"));
    cnn_tensor_destroy(images);
    cnn_tensor_destroy(expected);
    cnn_tensor_destroy(got);
    cnn_model_destroy(folded);
    cnn_model_destroy(model);
}

/* Convolution, then dropout, or one normalisation after another, or what is never computed. */
static cnn_graph *net_with_norms(int kind)
{
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = convolve(g, x, 9, 3, 1, 1);
    if (kind == 0)
        x = cnn_batch_norm(g, cnn_dropout(g, x, 0.5f), NULL);
    else if (kind == 1)
        x = cnn_batch_norm(g, cnn_batch_norm(g, x, NULL), NULL);
    else if (kind == 2)
        x = cnn_batch_norm(g, cnn_dropout(g, cnn_batch_norm(g, cnn_dropout(g, x, 0.1f), NULL), 0.2f), NULL);
    else {
        cnn_node norm = cnn_batch_norm(g, x, NULL);
        cnn_sigmoid(g, x); /* leads nowhere */
        x = norm;
    }
    cnn_graph_set_output(g, cnn_dense(g, cnn_global_avg_pool(g, cnn_relu(g, x)), 3, NULL));
    return g;
}

static void normalisations_are_folded_through_dropout_and_each_other(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        cnn_model *model = model_of(NULL, net_with_norms(kind)), *folded, *quantized = quantize(model);
        assert_ok(cnn_model_fold(model, &folded));
        for (cnn_node i = 0; i < cnn_graph_node_count(folded->graph); i++)
            assert_string_not_equal("batch_norm", cnn_graph_node_type(folded->graph, i));
        cnn_tensor *images = batch_of(IMAGES, cnn_model_input_shape(model), 5);
        cnn_tensor *expected = predict(model, images), *got = predict(folded, images),
                   *near = predict(quantized, images);
        assert_true(largest(expected, got) <= 1e-5f * largest(expected, NULL));
        assert_true(largest(expected, near) <= 0.05f * largest(expected, NULL));
        cnn_tensor_destroy(images);
        cnn_tensor_destroy(expected);
        cnn_tensor_destroy(got);
        cnn_tensor_destroy(near);
        cnn_model_destroy(folded);
        cnn_model_destroy(quantized);
        cnn_model_destroy(model);
    }
}

static void a_value_that_others_use_too_is_not_folded(void **state)
{
    (void)state;
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = convolve(g, x, 4, 3, 1, 1);
    cnn_dense(g, cnn_flatten(g, cnn_add(g, x, cnn_batch_norm(g, x, NULL))), 3, NULL);
    cnn_model *model = model_of(NULL, g), *folded;
    assert_ok(cnn_model_fold(model, &folded));
    assert_int_equal(cnn_graph_node_count(model->graph), cnn_graph_node_count(folded->graph));
    cnn_model_destroy(folded);
    cnn_model_destroy(model);
}

/* Nothing leads from a normalisation to the output: it lies beside it, behind it, or beside one that does. */
static cnn_graph *net_with_dead_norm(int kind)
{
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = convolve(g, x, 9, 3, 1, 1);
    cnn_batch_norm(g, x, NULL);
    if (kind == 1)
        cnn_graph_set_output(g, x);
    else
        cnn_dense(g, cnn_flatten(g, cnn_relu(g, kind == 2 ? cnn_batch_norm(g, x, NULL) : x)), 3, NULL);
    return g;
}

static void a_normalisation_that_leads_nowhere_is_not_folded(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        cnn_model *model = model_of(NULL, net_with_dead_norm(kind)), *folded;
        assert_ok(cnn_model_fold(model, &folded));
        cnn_tensor *images = batch_of(IMAGES, cnn_model_input_shape(model), 5);
        cnn_tensor *expected = predict(model, images), *got = predict(folded, images);
        assert_true(largest(expected, got) <= 1e-5f * largest(expected, NULL));
        cnn_tensor_destroy(images);
        cnn_tensor_destroy(expected);
        cnn_tensor_destroy(got);
        cnn_model_destroy(folded);
        cnn_model_destroy(model);
    }
}

static void a_quantized_model_is_not_trained(void **state)
{
    (void)state;
    cnn_model *model = model_of(NULL, plain_net()), *quantized = quantize(model), *again;
    cnn_tensor *images = batch_of(2, cnn_model_input_shape(model), 5);
    const cnn_tensor *output;
    cnn_optimizer *optimizer;
    uint64_t trainable;
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_forward(quantized, images, 0, 0, &output));
    assert_non_null(strstr(cnn_last_error(), "quantised"));
    assert_status(CNN_ERROR_ARGUMENT, cnn_optimizer_create(quantized, NULL, &optimizer));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_copy_weights(model, quantized, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_copy_weights(quantized, model, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_quantize(quantized, images, &again));
    assert_null(again);
    assert_int_equal(cnn_model_weight_count(model, NULL), cnn_model_weight_count(quantized, &trainable));
    assert_int_equal(0, trainable);
    cnn_tensor_destroy(images);
    cnn_model_destroy(quantized);
    cnn_model_destroy(model);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    cnn_model *model = model_of(NULL, plain_net()), *quantized;
    cnn_tensor *images = batch_of(2, cnn_model_input_shape(model), 5);
    cnn_tensor *small = batch_of(2, (cnn_shape){ 3, { 8, 8, 3 } }, 5);
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_quantize(NULL, images, &quantized));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_quantize(model, images, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_quantize(model, NULL, &quantized));
    assert_status(CNN_ERROR_SHAPE, cnn_model_quantize(model, small, &quantized));
    ((float *)images->data)[700] = NAN;
    assert_status(CNN_ERROR_NOT_FINITE, cnn_model_quantize(model, images, &quantized));
    fill_random(images, 5);
    ((float *)model->weights[0].value->data)[3] = INFINITY;
    cnn_model_changed(model);
    assert_status(CNN_ERROR_NOT_FINITE, cnn_model_quantize(model, images, &quantized));
    assert_null(quantized);
    cnn_tensor_destroy(small);
    cnn_tensor_destroy(images);
    cnn_model_destroy(model);
}

/* A channel of zeros still has its bias. */
static void a_channel_without_weights_is_its_bias(void **state)
{
    (void)state;
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    cnn_dense(g, cnn_flatten(g, x), 2, NULL);
    cnn_model *model = model_of(NULL, g);
    float *weights = model->weights[0].value->data, *bias = model->weights[1].value->data;
    for (int64_t i = 0; i < model->weights[0].value->count; i += 2)
        weights[i] = 0;
    bias[0] = 123.25f;
    cnn_model_changed(model);
    cnn_model *quantized = quantize(model);
    cnn_tensor *images = batch_of(1, cnn_model_input_shape(model), 7), *output = predict(quantized, images);
    assert_true(fabsf(((float *)output->data)[0] - 123.25f) < 1e-4f);
    cnn_tensor_destroy(images);
    cnn_tensor_destroy(output);
    cnn_model_destroy(quantized);
    cnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quantized_model_predicts_about_the_same),
        cmocka_unit_test(bits_are_the_same_with_any_instruction_set_and_threads),
        cmocka_unit_test(memory_is_shared_without_changing_results),
        cmocka_unit_test(operations_stay_with_bytes_where_they_can),
        cmocka_unit_test(a_folded_model_predicts_the_same),
        cmocka_unit_test(normalisations_are_folded_through_dropout_and_each_other),
        cmocka_unit_test(a_value_that_others_use_too_is_not_folded),
        cmocka_unit_test(a_normalisation_that_leads_nowhere_is_not_folded),
        cmocka_unit_test(a_quantized_model_is_not_trained),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(a_channel_without_weights_is_its_bias),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
