/* Heat maps: what they are is computed again by differences and by class activation mapping. */
#include <cnn/explain.h>
#include <cnn/quantize.h>

#include <math.h>

#include "models.h"
#include "runtime/model_internal.h"

static cnn_model *model_of(cnn_context *context, cnn_graph *graph)
{
    cnn_model *model;
    assert_ok(cnn_model_create(context, graph, 3, &model));
    cnn_graph_destroy(graph);
    fill_parameters(model, 11);
    return model;
}

static cnn_node body(cnn_graph *g)
{
    cnn_node x = cnn_relu(g, cnn_batch_norm(g, cnn_conv2d(g, cnn_input(g, 12, 10, 3), 6, NULL), NULL));
    return cnn_max_pool2d(g, cnn_relu(g, cnn_conv2d(g, x, 7, NULL)), NULL);
}

/* A head with all that a head may have. */
static cnn_model *flat_model(cnn_context *context)
{
    cnn_graph *g;
    assert_ok(cnn_graph_create(context, &g));
    cnn_node x = cnn_dense(g, cnn_flatten(g, cnn_dropout(g, body(g), 0.5f)), 6, NULL);
    x = cnn_dropout(g, cnn_tanh(g, cnn_batch_norm(g, x, NULL)), 0.5f);
    x = cnn_add(g, cnn_dense(g, x, 6, NULL), x);
    cnn_dense(g, cnn_leaky_relu(g, x, 0.2f), 3, NULL);
    return model_of(context, g);
}

static cnn_model *pooled_model(int64_t outputs)
{
    cnn_graph *g;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_dense(g, cnn_dropout(g, cnn_global_avg_pool(g, body(g)), 0.2f), outputs, NULL);
    return model_of(NULL, g);
}

/* A model of the layers up to the one named so, or of those that follow it. */
static cnn_model *part_of(const cnn_model *model, const char *layer, bool before)
{
    cnn_graph *graph;
    cnn_model *part;
    assert_ok(before ? cnn_graph_truncate(NULL, model->graph, layer, &graph)
                     : cnn_graph_rest(NULL, model->graph, cnn_graph_find(model->graph, layer), &graph));
    assert_ok(cnn_model_create_blank(NULL, graph, &part));
    assert_ok(cnn_model_copy_weights(part, model, NULL));
    cnn_graph_destroy(graph);
    return part;
}

static cnn_tensor *output_of(const cnn_model *model, const cnn_tensor *input)
{
    cnn_tensor *output = batch_of(1, cnn_model_output_shape(model), 1);
    assert_ok(cnn_model_predict(model, input, output));
    return output;
}

static float logit_of(const cnn_model *model, const cnn_tensor *input, int class_index)
{
    cnn_tensor *output = output_of(model, input);
    float logit = ((const float *)output->data)[class_index];
    cnn_tensor_destroy(output);
    return logit;
}

/* Says whether anything speaks for the class. */
static bool assert_is_map_of(const double *weights, const cnn_tensor *image, const cnn_tensor *map, double tolerance)
{
    int64_t channels = image->dims[3], pixels = image->count / channels;
    double *sums = test_calloc((size_t)pixels, sizeof *sums), largest = 0;
    for (int64_t i = 0; i < pixels; i++) {
        for (int64_t c = 0; c < channels; c++)
            sums[i] += weights[c] * (double)((const float *)image->data)[i * channels + c];
        largest = sums[i] > largest ? sums[i] : largest;
    }
    assert_int_equal(2, map->rank);
    assert_int_equal(image->dims[1], map->dims[0]);
    assert_int_equal(image->dims[2], map->dims[1]);
    for (int64_t i = 0; i < pixels; i++) {
        double expected = sums[i] > 0 ? sums[i] / largest : 0, given = (double)((const float *)map->data)[i];
        if (!(fabs(expected - given) <= tolerance))
            fail_msg("pixel %d of the map is %g, not %g", (int)i, given, expected);
    }
    test_free(sums);
    return largest > 0;
}

static void channels_count_by_the_gradient_that_differences_give(void **state)
{
    (void)state;
    const double distance = 0.02;
    cnn_model *model = flat_model(NULL), *first = part_of(model, "max_pool2d_1", true);
    cnn_model *head = part_of(model, "max_pool2d_1", false);
    cnn_tensor *input = batch_of(1, cnn_model_input_shape(model), 5), *image = output_of(first, input), *map;
    int lit = 0;
    for (int class_index = 0; class_index < 3; class_index++) {
        double weights[7] = { 0 };
        for (int64_t i = 0; i < image->count; i++) {
            float *value = (float *)image->data + i, kept = *value;
            *value = (float)((double)kept + distance);
            double above = (double)logit_of(head, image, class_index);
            *value = (float)((double)kept - distance);
            weights[i % 7] += (above - (double)logit_of(head, image, class_index)) / (2 * distance);
            *value = kept;
        }
        assert_ok(cnn_model_heat_map(model, input, class_index, &map));
        lit += assert_is_map_of(weights, image, map, 0.01);
        cnn_tensor_destroy(map);
    }
    assert_true(lit > 0);
    cnn_tensor_destroy(image);
    cnn_tensor_destroy(input);
    cnn_model_destroy(head);
    cnn_model_destroy(first);
    cnn_model_destroy(model);
}

/* Zhou et al. 2016, arXiv:1512.04150. */
static void with_global_pooling_it_is_class_activation_mapping(void **state)
{
    (void)state;
    for (int outputs = 1; outputs <= 3; outputs += 2) {
        cnn_model *model = pooled_model(outputs), *first = part_of(model, "max_pool2d_1", true);
        const float *dense = model->weights[model->weights_count - 2].value->data;
        cnn_tensor *input = batch_of(1, cnn_model_input_shape(model), 6), *image = output_of(first, input), *map;
        int lit = 0;
        for (int class_index = 0; class_index < (outputs > 1 ? outputs : 2); class_index++) {
            double weights[7], sign = outputs == 1 && class_index == 0 ? -1 : 1;
            for (int c = 0; c < 7; c++)
                weights[c] = sign * (double)dense[c * outputs + (outputs > 1 ? class_index : 0)];
            assert_ok(cnn_model_heat_map(model, input, class_index, &map));
            lit += assert_is_map_of(weights, image, map, 1e-5);
            cnn_tensor_destroy(map);
        }
        assert_true(lit > 0);
        cnn_tensor_destroy(image);
        cnn_tensor_destroy(input);
        cnn_model_destroy(first);
        cnn_model_destroy(model);
    }
}

static void an_image_of_one_pixel_is_not_the_last(void **state)
{
    (void)state;
    cnn_graph *g;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_pool2d_options whole = { .struct_size = sizeof whole, .kernel = { 4, 3 } };
    cnn_conv2d_options pixel = { .struct_size = sizeof pixel, .kernel = { 1, 1 } };
    cnn_flatten(g, cnn_conv2d(g, cnn_avg_pool2d(g, body(g), &whole), 2, &pixel));
    cnn_model *model = model_of(NULL, g);
    cnn_tensor *input = batch_of(1, cnn_model_input_shape(model), 7), *map;
    assert_ok(cnn_model_heat_map(model, input, 1, &map));
    assert_int_equal(4 * 3, map->count);
    cnn_tensor_destroy(map);
    cnn_tensor_destroy(input);
    cnn_model_destroy(model);
}

static void every_net_has_heat_maps(void **state)
{
    (void)state;
    cnn_net_options options;
    cnn_net_options_init(&options);
    options.size = 64;
    options.outputs = 1;
    const char *name;
    for (uint32_t i = 0; (name = cnn_net_name(i)); i++) {
        cnn_graph *graph;
        cnn_model *model;
        assert_ok(cnn_graph_create_net(NULL, name, &options, &graph));
        assert_ok(cnn_model_create(NULL, graph, 1, &model));
        cnn_graph_destroy(graph);
        cnn_tensor *input = batch_of(1, cnn_model_input_shape(model), 8), *map;
        float largest = 0;
        for (int32_t k = 0; k < 2; k++) { /* for one of the two nothing may speak */
            assert_ok(cnn_model_heat_map(model, input, k, &map));
            assert_true(map->count >= 4);
            for (int64_t j = 0; j < map->count; j++)
                largest = fmaxf(largest, ((const float *)map->data)[j]);
            cnn_tensor_destroy(map);
        }
        assert_true(largest == 1);
        cnn_tensor_destroy(input);
        cnn_model_destroy(model);
    }
}

static void any_number_of_threads_gives_the_same_bits_and_changes_no_weight(void **state)
{
    (void)state;
    cnn_tensor *maps[2];
    for (int i = 0; i < 2; i++) {
        cnn_context *context = context_of(i ? 3 : 1);
        cnn_model *model = flat_model(context);
        cnn_tensor *input = batch_of(1, cnn_model_input_shape(model), 5), *map;
        float before = logit_of(model, input, 0);
        assert_ok(cnn_model_heat_map(model, input, 0, &map));
        assert_true(before == logit_of(model, input, 0));
        assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 2, map->dims, &maps[i]));
        memcpy(maps[i]->data, map->data, (size_t)map->count * sizeof(float));
        cnn_tensor_destroy(map);
        cnn_tensor_destroy(input);
        cnn_model_destroy(model);
        cnn_context_destroy(context);
    }
    assert_memory_equal(maps[0]->data, maps[1]->data, (size_t)maps[0]->count * sizeof(float));
    cnn_tensor_destroy(maps[0]);
    cnn_tensor_destroy(maps[1]);
}

static void assert_refused(cnn_status expected, const char *reason, const cnn_model *model, const cnn_tensor *input,
                           int32_t class_index)
{
    cnn_tensor *map = (cnn_tensor *)&reason;
    assert_int_equal(expected, cnn_model_heat_map(model, input, class_index, &map));
    assert_null(map);
    if (!strstr(cnn_last_error(), reason))
        fail_msg("'%s' doesn't say '%s'", cnn_last_error(), reason);
}

static void what_is_no_class_or_no_single_image_is_refused(void **state)
{
    (void)state;
    cnn_model *model = pooled_model(1);
    cnn_tensor *one = batch_of(1, cnn_model_input_shape(model), 5), *two = batch_of(2, cnn_model_input_shape(model), 5);
    assert_refused(CNN_ERROR_ARGUMENT, "class 2", model, one, 2);
    assert_refused(CNN_ERROR_ARGUMENT, "class -1", model, one, -1);
    assert_refused(CNN_ERROR_SHAPE, "2 images", model, two, 0);
    assert_refused(CNN_ERROR_ARGUMENT, "NULL", NULL, one, 0);
    assert_refused(CNN_ERROR_ARGUMENT, "NULL", model, NULL, 0);
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_model_heat_map(model, one, 0, NULL));
    cnn_tensor_destroy(one);
    cnn_tensor_destroy(two);
    cnn_model_destroy(model);
}

static void a_quantised_model_is_refused(void **state)
{
    (void)state;
    cnn_model *model = pooled_model(1), *quantized;
    cnn_tensor *images = batch_of(4, cnn_model_input_shape(model), 5);
    cnn_tensor *input = batch_of(1, cnn_model_input_shape(model), 5);
    assert_ok(cnn_model_quantize(model, images, &quantized));
    assert_refused(CNN_ERROR_UNSUPPORTED, "quantised", quantized, input, 0);
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(images);
    cnn_model_destroy(quantized);
    cnn_model_destroy(model);
}

static void a_net_without_one_last_image_is_refused(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        static const char *const reasons[] = { "no image", "can't be parted", "no classes", "no image" };
        cnn_graph *g;
        assert_ok(cnn_graph_create(NULL, &g));
        if (kind == 0)
            cnn_dense(g, cnn_flatten(g, cnn_input(g, 8, 8, 3)), 1, NULL);
        else if (kind == 1) {
            cnn_node x = body(g), y = cnn_sigmoid(g, x);
            x = cnn_concat(g, (cnn_node[]){ cnn_global_avg_pool(g, x), cnn_global_avg_pool(g, y) }, 2);
            cnn_dense(g, x, 1, NULL);
        } else if (kind == 2)
            body(g);
        else { /* one pixel, made from two of one pixel */
            cnn_conv2d_options all = { .struct_size = sizeof all, .kernel = { 8, 8 } };
            cnn_node x = cnn_conv2d(g, cnn_input(g, 8, 8, 3), 4, &all);
            cnn_dense(g, cnn_flatten(g, cnn_add(g, x, cnn_relu(g, x))), 1, NULL);
        }
        cnn_model *model = model_of(NULL, g);
        cnn_tensor *input = batch_of(1, cnn_model_input_shape(model), 5);
        assert_refused(CNN_ERROR_UNSUPPORTED, reasons[kind], model, input, 0);
        cnn_tensor_destroy(input);
        cnn_model_destroy(model);
    }
}

static void weights_that_are_not_finite_are_told(void **state)
{
    (void)state;
    cnn_model *model = pooled_model(1);
    ((float *)model->weights[0].value->data)[0] = NAN;
    cnn_model_changed(model);
    cnn_tensor *input = batch_of(1, cnn_model_input_shape(model), 5);
    assert_refused(CNN_ERROR_NOT_FINITE, "finite", model, input, 0);
    cnn_tensor_destroy(input);
    cnn_model_destroy(model);
}

static void layers_that_are_computed_together_have_one_time(void **state)
{
    (void)state;
    static const char *const timed[] = { "relu_1", "max_pool2d_1", "global_avg_pool_1", "dense_1" };
    cnn_model *model = pooled_model(1);
    cnn_tensor *input = batch_of(2, cnn_model_input_shape(model), 5);
    int32_t count = cnn_graph_node_count(model->graph), found = 0;
    double seconds[16] = { [12] = -1 };
    assert_in_range(count, 4, 12);
    assert_ok(cnn_model_time_layers(model, input, seconds, count));
    for (int32_t i = 0; i < count; i++)
        found += seconds[i] > 0;
    assert_int_equal(4, found);
    for (int i = 0; i < 4; i++)
        assert_true(seconds[cnn_graph_find(model->graph, timed[i])] > 0);
    assert_true(seconds[12] == -1);
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_time_layers(model, input, seconds, count + 1));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_time_layers(model, input, NULL, count));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_time_layers(NULL, input, seconds, count));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_time_layers(model, NULL, seconds, count));
    cnn_tensor_destroy(input);
    cnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_count_by_the_gradient_that_differences_give),
        cmocka_unit_test(with_global_pooling_it_is_class_activation_mapping),
        cmocka_unit_test(an_image_of_one_pixel_is_not_the_last),
        cmocka_unit_test(every_net_has_heat_maps),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits_and_changes_no_weight),
        cmocka_unit_test(what_is_no_class_or_no_single_image_is_refused),
        cmocka_unit_test(a_quantised_model_is_refused),
        cmocka_unit_test(a_net_without_one_last_image_is_refused),
        cmocka_unit_test(weights_that_are_not_finite_are_told),
        cmocka_unit_test(layers_that_are_computed_together_have_one_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
