/* Usage: test_graph_json SOURCE_ROOT */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../scratch.h"
#include "core/file.h"
#include "core/memory.h"
#include "formats/attribute.h"
#include "formats/json.h"
#include "graph/graph_internal.h"

static const char *source_root;

static cnn_graph *parse(const char *text)
{
    cnn_graph *graph;
    assert_ok(cnn_graph_from_json(NULL, text, strlen(text), &graph));
    return graph;
}

static void assert_same_graph(const cnn_graph *a, const cnn_graph *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(cnn_graph_output(a), cnn_graph_output(b));
    for (int32_t i = 0; i < a->count; i++) {
        const cnn_graph_node *x = &a->nodes[i], *y = &b->nodes[i];
        assert_string_equal(x->name, y->name);
        assert_ptr_equal(x->layer.type, y->layer.type);
        assert_int_equal(x->layer.input_count, y->layer.input_count);
        assert_memory_equal(x->inputs, y->inputs, (size_t)x->layer.input_count * sizeof *x->inputs);
        assert_int_equal(x->layer.output.rank, y->layer.output.rank);
        assert_memory_equal(x->layer.output.dims, y->layer.output.dims, sizeof x->layer.output.dims);
        for (int32_t j = 0; j < x->layer.type->attribute_count; j++)
            if (!cnn_attribute_equal(&x->layer.type->attributes[j], x->layer.attributes, y->layer.attributes))
                fail_msg("%s: %s differs", x->name, x->layer.type->attributes[j].name);
    }
}

static void assert_round_trip(const cnn_graph *graph)
{
    char *text, *again;
    assert_ok(cnn_graph_to_json(graph, &text));
    cnn_graph *copy = parse(text);
    assert_same_graph(graph, copy);
    assert_ok(cnn_graph_to_json(copy, &again));
    assert_string_equal(text, again);
    cnn_graph_destroy(copy);
    cnn_text_free(again);
    cnn_text_free(text);
}

static cnn_graph *build_with_every_type(void)
{
    cnn_graph *g;
    assert_ok(cnn_graph_create(NULL, &g));
    const float means[] = { 0.485f, 0.456f, 0 }, deviations[] = { 0.229f, 0.1f, 1e-20f };
    cnn_node x = cnn_input(g, 33, 47, 3);
    x = cnn_normalize(g, cnn_rescale(g, x, 1 / 255.0f, -0.5f), means, deviations);
    x = cnn_conv2d(g, x, 8,
                   &(cnn_conv2d_options){ .struct_size = sizeof(cnn_conv2d_options),
                                          .kernel = { 5, 3 },
                                          .stride = { 1, 2 },
                                          .dilation = { 2, 1 },
                                          .padding = CNN_PADDING_EXPLICIT,
                                          .pads = { 1, 2, 3, 0 },
                                          .no_bias = 1,
                                          .weight_init = CNN_INIT_GLOROT_UNIFORM });
    x = cnn_leaky_relu(g, cnn_batch_norm(g, x, NULL), 0.3f);
    cnn_node shortcut = x;
    x = cnn_conv2d(
        g, x, 8,
        &(cnn_conv2d_options){ .struct_size = sizeof(cnn_conv2d_options), .groups = 8, .padding = CNN_PADDING_SAME });
    x = cnn_relu6(g, cnn_batch_norm(g, x, &(cnn_batch_norm_options){ sizeof(cnn_batch_norm_options), 0.99f, 0.001f }));
    x = cnn_add(g, x, shortcut);
    x = cnn_concat(g, (cnn_node[]){ x, shortcut, x }, 3);
    x = cnn_max_pool2d(g, x, NULL);
    x = cnn_avg_pool2d(
        g, x,
        &(cnn_pool2d_options){ .struct_size = sizeof(cnn_pool2d_options), .kernel = { 3, 2 }, .stride = { 2, 2 } });
    cnn_node features = cnn_tanh(g, cnn_global_avg_pool(g, x));
    x = cnn_dropout(g, cnn_relu(g, cnn_dense(g, cnn_flatten(g, x), 24, NULL)), 0.25f);
    x = cnn_add(g, cnn_sigmoid(g, x), features);
    x = cnn_graph_set_name(g, x, "na\xC3\xAFve \"sum\"");
    x = cnn_hard_sigmoid(g, cnn_hard_swish(g, cnn_silu(g, x)), 0.2f, 0.5f);
    x = cnn_hard_sigmoid(g, cnn_gelu(g, cnn_gelu(g, x, CNN_GELU_EXACT), CNN_GELU_TANH), 0, 0);
    x = cnn_softplus(g, cnn_selu(g, cnn_elu(g, cnn_elu(g, x, 0), 0.5f)));
    x = cnn_clip(g, cnn_clip(g, cnn_clip(g, x, 0, 3), -INFINITY, -0.5f), -1, INFINITY);
    cnn_node logits = cnn_dense(g, x, 2, &(cnn_dense_options){ sizeof(cnn_dense_options), 1, CNN_INIT_ZEROS });
    cnn_softmax(g, logits);
    cnn_graph_set_output(g, logits);
    assert_ok(cnn_graph_status(g));
    return g;
}

static void a_graph_of_every_layer_type_comes_back_the_same(void **state)
{
    (void)state;
    cnn_graph *graph = build_with_every_type();
    assert_round_trip(graph);
    cnn_graph_destroy(graph);
}

static void the_named_nets_come_back_the_same(void **state)
{
    (void)state;
    assert_non_null(cnn_net_name(0));
    for (uint32_t i = 0; cnn_net_name(i); i++) {
        cnn_graph *graph;
        cnn_net_options options;
        cnn_net_options_init(&options);
        assert_ok(cnn_graph_create_net(NULL, cnn_net_name(i), NULL, &graph));
        assert_round_trip(graph);
        cnn_graph_destroy(graph);
        options.batch_norm = 1;
        options.dropout = 0.1f;
        assert_ok(cnn_graph_create_net(NULL, cnn_net_name(i), &options, &graph));
        assert_round_trip(graph);
        cnn_graph_destroy(graph);
    }
}

static void what_is_written_is_readable_and_leaves_defaults_out(void **state)
{
    (void)state;
    cnn_graph *g;
    char *text;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_max_pool2d(g, cnn_relu(g, cnn_conv2d(g, cnn_input(g, 64, 64, 3), 16, NULL)), NULL);
    cnn_node y = cnn_dropout(g, x, 0.1f);
    cnn_add(g, x, y);
    assert_ok(cnn_graph_to_json(g, &text));
    assert_string_equal("{\n"
                        "  \"layers\": [\n"
                        "    {\"name\": \"input_1\", \"type\": \"input\", \"shape\": [64, 64, 3]},\n"
                        "    {\"name\": \"conv2d_1\", \"type\": \"conv2d\", \"filters\": 16},\n"
                        "    {\"name\": \"relu_1\", \"type\": \"relu\"},\n"
                        "    {\"name\": \"max_pool2d_1\", \"type\": \"max_pool2d\"},\n"
                        "    {\"name\": \"dropout_1\", \"type\": \"dropout\", \"rate\": 0.1},\n"
                        "    {\"name\": \"add_1\", \"type\": \"add\", \"inputs\": [\"max_pool2d_1\", \"dropout_1\"]}\n"
                        "  ],\n"
                        "  \"output\": \"add_1\"\n"
                        "}\n",
                        text);
    cnn_text_free(text);
    cnn_graph_destroy(g);
}

static void short_forms_mean_the_same_as_long_ones(void **state)
{
    (void)state;
    cnn_graph *shorter = parse("{\"layers\":[{\"type\":\"input\",\"shape\":9},{\"type\":\"conv2d\",\"filters\":2,"
                               "\"kernel\":3,\"stride\":2,\"padding\":\"explicit\",\"pads\":1},"
                               "{\"type\":\"normalize\",\"mean\":0.5,\"deviation\":[1,2.5]}]}");
    cnn_graph *longer = parse(
        "{\"layers\":[{\"name\":\"input_1\",\"type\":\"input\",\"shape\":[9,9,9]},"
        "{\"name\":\"conv2d_1\",\"type\":\"conv2d\",\"inputs\":[\"input_1\"],\"filters\":2,\"kernel\":[3,3],"
        "\"stride\":[2,2],\"padding\":\"explicit\",\"pads\":[1,1,1,1]},"
        "{\"name\":\"normalize_1\",\"type\":\"normalize\",\"mean\":[0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,"
        "0.5,0.5,0.5,0.5],\"deviation\":[1,2.5]}],\"output\":\"normalize_1\"}");
    assert_same_graph(longer, shorter);
    cnn_graph_destroy(shorter);
    cnn_graph_destroy(longer);
}

#define INPUT "{\"name\":\"photo\",\"type\":\"input\",\"shape\":[8,8,3]}"

static void assert_refused(cnn_status expected, const char *layers, const char *words)
{
    char text[1024];
    snprintf(text, sizeof text, "{\"layers\":[%s]}", layers);
    cnn_graph *graph;
    assert_status(expected, cnn_graph_from_json(NULL, text, strlen(text), &graph));
    assert_null(graph);
    if (!strstr(cnn_last_error(), words))
        fail_msg("\"%s\" is not in: %s", words, cnn_last_error());
}

static void what_is_wrong_with_a_layer_is_named(void **state)
{
    (void)state;
    const cnn_status format = CNN_ERROR_FORMAT;
    assert_refused(format, "", "\"layers\" is empty");
    assert_refused(format, "3", "layer 1: is a whole number, not an object");
    assert_refused(format, "{}", "layer 1: \"type\" is nothing, not a text");
    assert_refused(format, INPUT ",{\"type\":\"conv3d\"}", "layer 2: there is no type \"conv3d\"");
    assert_refused(format, INPUT ",{\"type\":\"fused_conv2d\"}", "layer 2: there is no type");
    assert_refused(format, "{\"name\":3,\"type\":\"relu\"}", "layer 1: \"name\" is a whole number");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"conv2d\",\"filter\":3}",
                   "layer a: conv2d has no \"filter\"");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"conv2d\",\"filters\":\"3\"}",
                   "layer a: \"filters\" is a text, not a whole number");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"conv2d\",\"filters\":2.5}",
                   "layer a: \"filters\" is a number, not a whole number");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"conv2d\",\"filters\":3,\"kernel\":[3]}",
                   "layer a: \"kernel\" has 1 values; it takes 2");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"conv2d\",\"filters\":3,\"kernel\":[3,3,3]}",
                   "layer a: \"kernel\" has 3 values");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"conv2d\",\"filters\":3,\"kernel\":4294967299}",
                   "layer a: \"kernel\" is 4294967299, which is too large");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"conv2d\",\"filters\":3,\"padding\":\"full\"}",
                   "layer a: \"padding\" is \"full\"; it can be \"valid\", \"same\", \"explicit\"");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"conv2d\",\"filters\":3,\"no_bias\":1}",
                   "layer a: \"no_bias\" is a whole number, not true or false");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"dropout\",\"rate\":1e300}",
                   "layer a: \"rate\" is 1e+300, which is too large");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"normalize\",\"mean\":[]}",
                   "layer a: \"mean\" has 0 values");
    assert_refused(CNN_ERROR_ARGUMENT, INPUT ",{\"name\":\"a\",\"type\":\"conv2d\"}", "a: ");
    assert_refused(CNN_ERROR_ARGUMENT, INPUT ",{\"name\":\"photo\",\"type\":\"relu\"}", "photo: ");
    assert_refused(CNN_ERROR_SHAPE, INPUT ",{\"name\":\"a\",\"type\":\"conv2d\",\"filters\":3,\"kernel\":9}", "a: ");
}

static void wrong_connections_are_named(void **state)
{
    (void)state;
    const cnn_status format = CNN_ERROR_FORMAT;
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"relu\",\"inputs\":\"photo\"}",
                   "layer a: \"inputs\" is a text, not a list");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"relu\",\"inputs\":[1]}",
                   "layer a: input 1 is a whole number");
    assert_refused(format,
                   INPUT ",{\"name\":\"a\",\"type\":\"relu\",\"inputs\":[\"b\"]},{\"name\":\"b\",\"type\":\"relu\"}",
                   "layer a: its input \"b\" is no layer above it");
    assert_refused(format, INPUT ",{\"name\":\"a\",\"type\":\"relu\",\"inputs\":[\"a\"]}", "no layer above it");
    assert_refused(format,
                   INPUT ",{\"name\":\"a\",\"type\":\"concat\",\"inputs\":[\"photo\",\"photo\",\"photo\",\"photo\","
                         "\"photo\",\"photo\",\"photo\",\"photo\",\"photo\",\"photo\",\"photo\",\"photo\",\"photo\","
                         "\"photo\",\"photo\",\"photo\",\"photo\"]}",
                   "layer a: it has 17 inputs; at most 16");
    assert_refused(CNN_ERROR_ARGUMENT, INPUT ",{\"name\":\"a\",\"type\":\"add\"}", "a: ");
    assert_refused(CNN_ERROR_ARGUMENT, "{\"name\":\"a\",\"type\":\"relu\"}", "a: ");
    assert_refused(CNN_ERROR_ARGUMENT, INPUT "," INPUT, "photo");
}

static void assert_text_refused(cnn_status expected, const char *text, const char *words)
{
    cnn_graph *graph;
    assert_status(expected, cnn_graph_from_json(NULL, text, strlen(text), &graph));
    assert_null(graph);
    if (!strstr(cnn_last_error(), words))
        fail_msg("\"%s\" is not in: %s", words, cnn_last_error());
}

static void texts_that_are_no_graph_are_refused(void **state)
{
    (void)state;
    assert_text_refused(CNN_ERROR_FORMAT, "", "JSON");
    assert_text_refused(CNN_ERROR_FORMAT, "[]", "graph: is a list");
    assert_text_refused(CNN_ERROR_FORMAT, "{}", "\"layers\" is nothing");
    assert_text_refused(CNN_ERROR_FORMAT, "{\"layers\":{}}", "\"layers\" is an object");
    assert_text_refused(CNN_ERROR_FORMAT, "{\"layers\":[" INPUT "],\"Output\":\"photo\"}", "\"Output\" is not known");
    assert_text_refused(CNN_ERROR_FORMAT, "{\"layers\":[" INPUT "],\"output\":\"x\"}", "the output \"x\" is no layer");
    assert_text_refused(CNN_ERROR_FORMAT, "{\"layers\":[" INPUT "],\"output\":1}", "\"output\" is a whole number");
    assert_text_refused(CNN_ERROR_FORMAT, "{\"layers\":[" INPUT ",]}", "line 1");
    assert_text_refused(CNN_ERROR_FORMAT, "{\"layers\":[],\"layers\":[]}", "duplicate");
    cnn_graph *graph;
    assert_status(CNN_ERROR_LIMIT, cnn_graph_from_json(NULL, "{", (16 << 20) + 1, &graph));
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_from_json(NULL, NULL, 1, &graph));
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_from_json(NULL, "{}", 2, NULL));
}

static void a_graph_that_failed_or_is_empty_is_not_written(void **state)
{
    (void)state;
    cnn_graph *graph;
    char *text;
    assert_ok(cnn_graph_create(NULL, &graph));
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_to_json(graph, &text));
    assert_null(text);
    cnn_conv2d(graph, cnn_input(graph, 2, 2, 3), 4, NULL);
    assert_status(CNN_ERROR_SHAPE, cnn_graph_to_json(graph, &text));
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_to_json(graph, NULL));
    cnn_graph_destroy(graph);
    assert_status(CNN_ERROR_ARGUMENT, cnn_graph_to_json(NULL, &text));
}

static void no_memory_is_an_error_without_a_leak(void **state)
{
    (void)state;
    cnn_graph *graph = build_with_every_type();
    char *text;
    assert_ok(cnn_graph_to_json(graph, &text));
    cnn_graph_destroy(graph);
    scratch_memory memory = { 0 };
    cnn_context *context = scratch_context(&memory);
    cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
    for (memory.allowed = 0; status; memory.allowed++) {
        memory.taken = 0;
        status = cnn_graph_from_json(context, text, strlen(text), &graph);
        assert_true(!status || status == CNN_ERROR_OUT_OF_MEMORY);
        cnn_graph_destroy(graph);
        assert_int_equal(0, memory.held);
    }
    assert_true(memory.allowed > 20);
    cnn_context_destroy(context);
    cnn_text_free(text);
}

static void the_examples_in_the_documentation_work(void **state)
{
    (void)state;
    char path[1024];
    void *page;
    size_t size;
    snprintf(path, sizeof path, "%s/docs/net-json.md", source_root);
    assert_ok(cnn_file_read(NULL, path, 1 << 20, &page, &size));
    int found = 0;
    for (char *begin = page; (begin = strstr(begin, "```json\n")); found++) {
        begin += strlen("```json\n");
        char *end = strstr(begin, "```");
        assert_non_null(end);
        cnn_graph *graph;
        assert_ok(cnn_graph_from_json(NULL, begin, (size_t)(end - begin), &graph));
        assert_round_trip(graph);
        cnn_graph_destroy(graph);
        begin = end + 3;
    }
    assert_true(found >= 2);
    cnn_release(NULL, page);
}

static int json_left, json_failed;

static void *allocate_json(size_t size)
{
    json_failed |= json_left == 0;
    return json_left-- == 0 ? NULL : malloc(size);
}

/* jansson drops a byte for which there is no memory. */
static void parsing_without_memory_never_gives_another_value(void **state)
{
    (void)state;
    static const char text[] = "{\"key\":[1,\"a text that is too long for the first memory that it gets\",2.5,true],"
                               "\"another key, which is even longer than the text in the list was long, by some\":"
                               "{\"\":\"\",\"e\":\"\xc3\xa9\"}}";
    json_t *right, *value;
    assert_ok(cnn_json_parse("right", text, strlen(text), &right));
    json_set_alloc_funcs(allocate_json, free);
    json_failed = 1;
    for (int position = 0; json_failed; position++) {
        json_failed = 0;
        json_left = position;
        cnn_status status = cnn_json_parse("text", text, strlen(text), &value);
        json_left = -1;
        assert_true(status ? !value && json_failed : json_equal(right, value));
        json_decref(value);
    }
    json_set_alloc_funcs(malloc, free);
    assert_ok(cnn_json_parse("escapes", "[\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\n\\\"\\\\\"]", 40, &value));
    assert_string_equal("A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n\"\\", json_string_value(json_array_get(value, 0)));
    json_decref(value);
    json_decref(right);
}

int main(int argc, char **argv)
{
    source_root = argc > 1 ? argv[1] : ".";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graph_of_every_layer_type_comes_back_the_same),
        cmocka_unit_test(the_named_nets_come_back_the_same),
        cmocka_unit_test(what_is_written_is_readable_and_leaves_defaults_out),
        cmocka_unit_test(short_forms_mean_the_same_as_long_ones),
        cmocka_unit_test(what_is_wrong_with_a_layer_is_named),
        cmocka_unit_test(wrong_connections_are_named),
        cmocka_unit_test(texts_that_are_no_graph_are_refused),
        cmocka_unit_test(a_graph_that_failed_or_is_empty_is_not_written),
        cmocka_unit_test(parsing_without_memory_never_gives_another_value),
        cmocka_unit_test(no_memory_is_an_error_without_a_leak),
        cmocka_unit_test(the_examples_in_the_documentation_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
