#include <string.h>

#include "../test.h"
#include "runtime/model_internal.h"

static cnn_graph *net_of(const char *name, const cnn_net_options *options)
{
    cnn_graph *graph;
    assert_ok(cnn_graph_create_net(NULL, name, options, &graph));
    return graph;
}

static uint64_t weights_of(const char *name, const cnn_net_options *options)
{
    cnn_graph *graph = net_of(name, options);
    cnn_model *model;
    assert_ok(cnn_model_create_blank(NULL, graph, &model));
    uint64_t count = cnn_model_weight_count(model, NULL);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
    return count;
}

/* What others count: trained weights of the net with 1000 outputs, and multiply-adds for an image, in millions. */
static void assert_as_published(const char *name, uint64_t weights, double millions)
{
    cnn_net_options options;
    cnn_net_options_init(&options);
    options.outputs = 1000;
    options.size = 224;
    cnn_graph *graph = net_of(name, &options);
    uint64_t trained = 0, flops = 0;
    for (int32_t i = 0; i < graph->count; i++) {
        const cnn_layer *layer = &graph->nodes[i].layer;
        flops += layer->type->flops ? layer->type->flops(layer) : 0;
        for (int32_t k = 0; k < layer->parameter_count; k++) {
            uint64_t count = layer->parameters[k].trainable;
            for (int32_t axis = 0; axis < layer->parameters[k].rank; axis++)
                count *= (uint64_t)layer->parameters[k].dims[axis];
            trained += count;
        }
    }
    assert_int_equal(weights, trained);
    double error = (double)flops / 2e6 - millions;
    assert_true(error < 0.01 * millions && error > -0.01 * millions);
    cnn_graph_destroy(graph);
}

static int count_of_type(const cnn_graph *graph, const char *type)
{
    int count = 0;
    for (int32_t i = 0; i < cnn_graph_node_count(graph); i++)
        count += !strcmp(cnn_graph_node_type(graph, i), type);
    return count;
}

static void nets_have_the_weights_that_keras_counts(void **state)
{
    (void)state;
    assert_int_equal(1792 + 36928 + 802880 + 65, weights_of("two_conv", NULL));
    assert_int_equal(896 + 18496 + 73856 + (16 * 16 * 128 * 128 + 128) + 129, weights_of("three_conv", NULL));
    assert_int_equal(3453121, weights_of("four_conv", NULL));
}

static void options_change_size_outputs_normalisation_and_dropout(void **state)
{
    (void)state;
    cnn_net_options options;
    cnn_net_options_init(&options);
    options.size = 96;
    options.outputs = 7;
    options.batch_norm = 1;
    options.dropout = 0;
    cnn_graph *graph = net_of("four_conv", &options);
    assert_int_equal(96, cnn_graph_node_shape(graph, 0).dims[0]);
    assert_int_equal(7, cnn_graph_node_shape(graph, cnn_graph_node_count(graph) - 1).dims[0]);
    assert_int_equal(4, count_of_type(graph, "batch_norm"));
    assert_int_equal(0, count_of_type(graph, "dropout"));
    cnn_graph_destroy(graph);
    graph = net_of("four_conv", NULL);
    assert_int_equal(150, cnn_graph_node_shape(graph, 0).dims[1]);
    assert_int_equal(1, cnn_graph_node_shape(graph, cnn_graph_node_count(graph) - 1).dims[0]);
    assert_int_equal(0, count_of_type(graph, "batch_norm"));
    assert_int_equal(1, count_of_type(graph, "dropout"));
    cnn_graph_destroy(graph);
    options.dropout = 0.2f;
    graph = net_of("two_conv", &options);
    assert_int_equal(1, count_of_type(graph, "dropout"));
    cnn_graph_destroy(graph);
}

static void every_listed_net_can_be_made(void **state)
{
    (void)state;
    uint32_t count = 0;
    for (; cnn_net_name(count); count++)
        cnn_graph_destroy(net_of(cnn_net_name(count), NULL));
    assert_int_equal(9, count);
}

static void nets_that_cannot_be_made_are_refused(void **state)
{
    (void)state;
    cnn_graph *graph;
    cnn_net_options options;
    cnn_net_options_init(&options);
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_create_net(NULL, "ten_conv", NULL, &graph));
    assert_non_null(strstr(cnn_last_error(), "ten_conv"));
    assert_null(graph);
    options.size = 9;
    assert_status(CNN_ERROR_SHAPE, cnn_graph_create_net(NULL, "four_conv", &options, &graph));
    assert_null(graph);
    options.size = UINT32_MAX;
    assert_true(cnn_graph_create_net(NULL, "four_conv", &options, &graph) != CNN_OK);
    cnn_net_options_init(&options);
    options.dropout = 1;
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_create_net(NULL, "four_conv", &options, &graph));
    options.struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_create_net(NULL, "four_conv", &options, &graph));
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_create_net(NULL, NULL, NULL, &graph));
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_create_net(NULL, "four_conv", NULL, NULL));
}

static void width_scales_filters_in_multiples_of_eight(void **state)
{
    (void)state;
    cnn_net_options options;
    cnn_net_options_init(&options);
    options.width = 0.55f;
    cnn_graph *graph = net_of("two_conv", &options); /* 64 × 0.55 is 35.2 */
    assert_int_equal(32, cnn_graph_node_shape(graph, 1).dims[2]);
    cnn_graph_destroy(graph);
    options.width = 0.001f;
    graph = net_of("catdog_net", &options);
    assert_int_equal(8, cnn_graph_node_shape(graph, 1).dims[2]);
    assert_int_equal(1, cnn_graph_node_shape(graph, cnn_graph_node_count(graph) - 1).dims[0]);
    cnn_graph_destroy(graph);
    options.width = -1;
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_create_net(NULL, "catdog_net", &options, &graph));
    options.width = 2;
    assert_true(weights_of("resnet18", &options) > 3 * weights_of("resnet18", NULL));
}

static void catdog_net_takes_images_of_any_size(void **state)
{
    (void)state;
    cnn_graph *graph = net_of("catdog_net", NULL);
    cnn_model *model;
    assert_ok(cnn_model_create_blank(NULL, graph, &model));
    assert_int_equal(128, cnn_model_input_shape(model).dims[0]);
    for (int64_t size = 64; size <= 256; size += 32)
        assert_ok(cnn_model_resize(model, size, size));
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
}

/* torchvision's resnet18 has 11,689,512 with 1000 outputs; running statistics are weights here: two more per channel.
 */
static void resnet18_has_the_weights_that_pytorch_counts(void **state)
{
    (void)state;
    const uint64_t normalised_channels = 64 + 4 * 64 + 5 * (128 + 256 + 512);
    cnn_net_options options;
    cnn_net_options_init(&options);
    assert_int_equal(11177025 + 2 * normalised_channels, weights_of("resnet18", NULL));
    options.outputs = 1000;
    assert_int_equal(11689512 + 2 * normalised_channels, weights_of("resnet18", &options));
}

/* torchvision's table of models; of EfficientNet-Lite0, what its published network has and does. */
static void well_known_nets_are_as_published(void **state)
{
    (void)state;
    assert_as_published("vgg16", 138357544, 15470);
    assert_as_published("resnet18", 11689512, 1814);
    assert_as_published("resnet50", 25557032, 4089);
    assert_as_published("mobilenet_v2", 3504872, 300.8);
    assert_as_published("efficientnet_lite0", 4652008, 385);
}

static void vgg16_has_batch_normalisation_if_it_is_wanted(void **state)
{
    (void)state;
    cnn_net_options options;
    cnn_net_options_init(&options);
    options.batch_norm = 1;
    options.dropout = 0;
    options.size = 64;
    cnn_graph *graph = net_of("vgg16", &options);
    assert_int_equal(13, count_of_type(graph, "batch_norm"));
    assert_int_equal(0, count_of_type(graph, "dropout"));
    cnn_graph_destroy(graph);
    graph = net_of("vgg16", NULL);
    assert_int_equal(2, count_of_type(graph, "dropout"));
    cnn_graph_destroy(graph);
}

static void resnet18_halves_the_image_five_times(void **state)
{
    (void)state;
    cnn_graph *graph = net_of("resnet18", NULL);
    assert_int_equal(20, count_of_type(graph, "conv2d"));
    assert_int_equal(20, count_of_type(graph, "batch_norm"));
    assert_int_equal(8, count_of_type(graph, "add"));
    cnn_node last = cnn_graph_node_count(graph) - 3; /* before the average and the dense layer */
    cnn_shape shape = cnn_graph_node_shape(graph, last);
    assert_int_equal(4, shape.dims[0]);
    assert_int_equal(4, shape.dims[1]);
    assert_int_equal(512, shape.dims[2]);
    cnn_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nets_have_the_weights_that_keras_counts),
        cmocka_unit_test(width_scales_filters_in_multiples_of_eight),
        cmocka_unit_test(catdog_net_takes_images_of_any_size),
        cmocka_unit_test(resnet18_has_the_weights_that_pytorch_counts),
        cmocka_unit_test(well_known_nets_are_as_published),
        cmocka_unit_test(vgg16_has_batch_normalisation_if_it_is_wanted),
        cmocka_unit_test(resnet18_halves_the_image_five_times),
        cmocka_unit_test(options_change_size_outputs_normalisation_and_dropout),
        cmocka_unit_test(every_listed_net_can_be_made),
        cmocka_unit_test(nets_that_cannot_be_made_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
