/* When memory is allocated, and what happens when there is none. */
#include <stdatomic.h>

#include "models.h"
#include "runtime/model_state.h"

typedef struct ledger {
    atomic_long allocations, held;
    atomic_long fails_from; /* allocations from that number on fail; negative: none do */
} ledger;

static void *allocate(size_t size, void *user)
{
    ledger *l = user;
    long number = atomic_fetch_add(&l->allocations, 1);
    if (l->fails_from >= 0 && number >= l->fails_from)
        return NULL;
    atomic_fetch_add(&l->held, 1);
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void release(void *memory, void *user)
{
    atomic_fetch_sub(&((ledger *)user)->held, 1);
    free(memory);
}

static cnn_context *counting_context(ledger *l)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 2;
    options.allocate = allocate;
    options.release = release;
    options.allocator_user = l;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    return context;
}

static cnn_model *model_of(cnn_context *context, uint64_t seed)
{
    cnn_graph *graph = random_graph(context, seed, false);
    cnn_model *model;
    assert_ok(cnn_model_create(context, graph, seed, &model));
    cnn_graph_destroy(graph);
    return model;
}

static void nothing_is_allocated_after_the_first_step(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        ledger l = { .fails_from = -1 };
        cnn_context *context = counting_context(&l);
        cnn_model *model = model_of(context, seed);
        step_of_training(model, 4, 1);
        long before = l.allocations;
        for (uint64_t i = 0; i < 8; i++)
            step_of_training(model, 4 - (int64_t)(i % 4), i);
        assert_int_equal(before, l.allocations);
        cnn_model_destroy(model);
        assert_int_equal(0, l.held);
        cnn_context_destroy(context);
    }
}

static void predict(const cnn_model *model, int64_t images)
{
    cnn_tensor *input = batch_of(images, cnn_model_input_shape(model), 1);
    cnn_tensor *output = batch_of(images, cnn_model_output_shape(model), 1);
    assert_ok(cnn_model_predict(model, input, output));
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(output);
}

/* Not for other weights, and not for other numbers of images. */
static void nothing_is_allocated_after_the_first_prediction(void **state)
{
    (void)state;
    ledger l = { .fails_from = -1 };
    cnn_context *context = counting_context(&l);
    cnn_model *model = model_of(context, 3);
    predict(model, 9);
    long before = l.allocations;
    cnn_model_changed(model);
    for (int64_t images = 1; images <= 70; images++)
        predict(model, images);
    assert_int_equal(before, l.allocations);
    cnn_model_destroy(model);
    assert_int_equal(0, l.held);
    cnn_context_destroy(context);
}

/* What the context of a copy of the model holds after it has predicted a batch. */
static uint64_t memory_of_prediction(const cnn_model *model)
{
    void *bytes;
    size_t size;
    cnn_model *copy;
    cnn_context *context = context_of(2);
    assert_ok(cnn_model_save_to_memory(model, CNN_FLOAT32, &bytes, &size));
    assert_ok(cnn_model_load_from_memory(context, bytes, size, &copy));
    predict(copy, 8);
    uint64_t held = cnn_context_memory_in_use(context);
    cnn_model_destroy(copy);
    cnn_bytes_free(bytes);
    cnn_context_destroy(context);
    return held;
}

/* four_conv is mostly a dense layer, whose weights int8 packs, and floats don't: as bytes they are there twice. Where
 * an instruction set multiplies no bytes, Winograd's 16-bit weights and its workspace add a thirtieth. */
static void int8_predicts_in_a_quarter_of_the_memory(void **state)
{
    (void)state;
    const struct {
        const char *net;
        double part;
    } cases[] = { { "resnet18", 0.22 }, { "efficientnet_lite0", 0.24 }, { "four_conv", 0.34 } };
    cnn_context *context;
    assert_ok(cnn_context_create(NULL, &context));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cnn_graph *graph;
        cnn_model *model, *quantized;
        assert_ok(cnn_graph_create_net(context, cases[i].net, NULL, &graph));
        assert_ok(cnn_model_create(context, graph, 1, &model));
        cnn_tensor *images = batch_of(1, cnn_model_input_shape(model), 1);
        assert_ok(cnn_model_quantize(model, images, &quantized));
        uint64_t floats = memory_of_prediction(model), bytes = memory_of_prediction(quantized);
        if ((double)bytes > cases[i].part * (double)floats)
            fail_msg("%s: int8 holds %.1f MB, floats hold %.1f MB", cases[i].net, (double)bytes / 1e6,
                     (double)floats / 1e6);
        cnn_tensor_destroy(images);
        cnn_model_destroy(quantized);
        cnn_model_destroy(model);
        cnn_graph_destroy(graph);
    }
    cnn_context_destroy(context);
}

/* For each image, in MB: values, and gradients by them, where no memory is shared that is in use. */
static void training_keeps_no_more_values_than_it_did(void **state)
{
    (void)state;
    const struct {
        const char *net;
        double most;
    } cases[] = { { "two_conv", 0.68 },      { "three_conv", 1.78 },         { "four_conv", 2.33 },
                  { "resnet18", 5.72 },      { "resnet50", 81.91 },          { "vgg16", 39.15 },
                  { "mobilenet_v2", 53.58 }, { "efficientnet_lite0", 54.11 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cnn_graph *graph;
        cnn_model *model;
        cnn_program *program;
        assert_ok(cnn_graph_create_net(NULL, cases[i].net, NULL, &graph));
        assert_ok(cnn_model_create_blank(NULL, graph, &model));
        cnn_program_source source = cnn_model_source(model);
        assert_ok(cnn_program_create(&source, (cnn_purpose){ .training = true }, &program));
        double held = (double)program->image_bytes / 1e6;
        if (held > cases[i].most)
            fail_msg("%s: training holds %.2f MB for each image, not %.2f", cases[i].net, held, cases[i].most);
        cnn_program_destroy(program);
        cnn_model_destroy(model);
        cnn_graph_destroy(graph);
    }
}

static cnn_status use_all(cnn_context *context, const cnn_graph *graph, const cnn_tensor *input, cnn_tensor *output)
{
    cnn_model *model = NULL;
    const cnn_tensor *forward_output;
    cnn_status status = cnn_model_create(context, graph, 1, &model);
    if (!status)
        status = cnn_model_set_metadata(model, "key", "text");
    if (!status)
        status = cnn_model_forward(model, input, 1, 1, &forward_output);
    if (!status)
        status = cnn_model_backward(model, output);
    if (!status)
        status = cnn_model_predict(model, input, output);
    cnn_model_destroy(model);
    return status;
}

static void failing_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    ledger l = { .fails_from = -1 };
    cnn_context *context = counting_context(&l);
    cnn_graph *graph = random_graph(NULL, 4, false);
    cnn_tensor *input = batch_of(2, cnn_graph_node_shape(graph, 0), 1);
    cnn_tensor *output = batch_of(2, (cnn_shape){ 1, { 3 } }, 1);
    cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
    int tries = 0;
    for (; status == CNN_ERROR_OUT_OF_MEMORY; tries++) {
        l.allocations = 0;
        l.fails_from = tries;
        status = use_all(context, graph, input, output);
        assert_int_equal(0, l.held);
    }
    assert_ok(status);
    assert_in_range(tries, 20, 1000);
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(output);
    cnn_graph_destroy(graph);
    cnn_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_allocated_after_the_first_step),
        cmocka_unit_test(nothing_is_allocated_after_the_first_prediction),
        cmocka_unit_test(failing_memory_is_reported_and_nothing_leaks),
        cmocka_unit_test(int8_predicts_in_a_quarter_of_the_memory),
        cmocka_unit_test(training_keeps_no_more_values_than_it_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
