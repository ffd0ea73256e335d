/* Programs that were compiled against an older or newer version of the headers, whose structs are shorter or longer. */
#include "../unit/test.h"

#include <string.h>

enum { KNOWN = 8, ROOM = 1024, UNTOUCHED = 0xa5 };

/* An older struct: `size` bytes are its own, what follows is other memory of its program's. */
typedef union older {
    uint32_t struct_size;
    unsigned char bytes[ROOM];
    void *aligned;
} older;

static older make_older(uint32_t size)
{
    older made;
    memset(made.bytes, UNTOUCHED, sizeof made.bytes);
    memset(made.bytes, 0, size);
    made.struct_size = size;
    return made;
}

static void assert_not_overrun(const older *given, uint32_t size)
{
    assert_int_equal(size, given->struct_size);
    for (size_t i = size; i < sizeof given->bytes; i++)
        if (given->bytes[i] != UNTOUCHED)
            fail_msg("a struct of %u bytes was written to at %zu", size, i);
}

static void set(older *given, size_t offset, uint32_t value)
{
    memcpy(given->bytes + offset, &value, sizeof value);
}

static cnn_model *make_model(void)
{
    cnn_graph *graph;
    cnn_model *model;
    assert_ok(cnn_graph_create(NULL, &graph));
    cnn_dense(graph, cnn_flatten(graph, cnn_input(graph, 2, 2, 3)), 1, NULL);
    assert_ok(cnn_model_create(NULL, graph, 1, &model));
    cnn_graph_destroy(graph);
    return model;
}

static void an_older_programs_results_are_not_overrun(void **state)
{
    (void)state;
    older augment = make_older(KNOWN);
    assert_ok(cnn_augment_parse("flip,rotation,erase", (cnn_augment *)&augment));
    assert_not_overrun(&augment, KNOWN);
    uint32_t flip;
    memcpy(&flip, augment.bytes + offsetof(cnn_augment, flip_horizontal), sizeof flip);
    assert_int_equal(1, flip);

    cnn_model *model = make_model();
    older parameter = make_older(KNOWN);
    assert_ok(cnn_model_parameter(model, 0, (cnn_parameter *)&parameter));
    assert_not_overrun(&parameter, KNOWN);
    cnn_model_destroy(model);

    cnn_metrics *metrics;
    assert_ok(cnn_metrics_create(NULL, 2, &metrics));
    older result = make_older(KNOWN);
    assert_ok(cnn_metrics_add(metrics, 0, (const float[]){ 1, 0 }, 0, 0));
    assert_ok(cnn_metrics_compute(metrics, (cnn_metrics_result *)&result));
    assert_not_overrun(&result, KNOWN);
    cnn_metrics_destroy(metrics);
}

static void what_an_older_program_does_not_know_has_its_default(void **state)
{
    (void)state;
    older net = make_older(KNOWN);
    set(&net, offsetof(cnn_net_options, size), 64);
    cnn_graph *graph;
    assert_ok(cnn_graph_create_net(NULL, "two_conv", (const cnn_net_options *)&net, &graph));
    cnn_node last = cnn_graph_node_count(graph) - 1;
    int64_t height = 0, logits = 0;
    assert_int_equal(3, cnn_graph_node_dims(graph, 0, &height, 1));
    assert_int_equal(1, cnn_graph_node_dims(graph, last, &logits, 1));
    assert_int_equal(64, height);
    assert_int_equal(1, logits);
    cnn_graph_destroy(graph);

    older threads = make_older(KNOWN); /* without the callbacks */
    set(&threads, offsetof(cnn_context_options, threads), 2);
    cnn_context *context;
    assert_ok(cnn_context_create((const cnn_context_options *)&threads, &context));
    assert_int_equal(2, cnn_context_threads(context));
    cnn_context_destroy(context);

    older size = make_older(offsetof(cnn_preprocess, mean));
    set(&size, offsetof(cnn_preprocess, width), 1);
    set(&size, offsetof(cnn_preprocess, height), 1);
    cnn_tensor *white;
    uint8_t pixel[] = { 255, 255, 255 };
    float input[3];
    assert_ok(cnn_tensor_wrap(NULL, CNN_UINT8, 3, (const int64_t[]){ 1, 1, 3 }, pixel, &white));
    assert_ok(cnn_image_preprocess(NULL, white, (const cnn_preprocess *)&size, input));
    assert_true(input[0] == 1 && input[2] == 1);
    cnn_tensor_destroy(white);
}

static void a_newer_program_may_not_set_what_the_library_lacks(void **state)
{
    (void)state;
    older newer = make_older(sizeof(cnn_context_options) + 8);
    cnn_context *context;
    assert_ok(cnn_context_create((const cnn_context_options *)&newer, &context));
    cnn_context_destroy(context);
    set(&newer, sizeof(cnn_context_options), 1);
    assert_status(CNN_ERROR_UNSUPPORTED, cnn_context_create((const cnn_context_options *)&newer, &context));
}

static void a_size_that_was_never_set_is_refused(void **state)
{
    (void)state;
    older unset = make_older(sizeof unset.struct_size);
    unset.struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_augment_parse("flip", (cnn_augment *)&unset));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_programs_results_are_not_overrun),
        cmocka_unit_test(what_an_older_program_does_not_know_has_its_default),
        cmocka_unit_test(a_newer_program_may_not_set_what_the_library_lacks),
        cmocka_unit_test(a_size_that_was_never_set_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
