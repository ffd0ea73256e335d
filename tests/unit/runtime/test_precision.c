/* Training in bfloat16: the gradients of floats but for rounding, the same whatever is shared or threaded. */
#include <math.h>
#include <stdatomic.h>

#include "../context_of_tier.h"
#include "compile/passes.h"
#include "models.h"

typedef struct setting {
    uint32_t threads;
    cnn_tier tier;
    cnn_precision precision;
    bool share_memory;
} setting;

static const setting usual = { 1, CNN_TIER_COUNT, CNN_PRECISION_BFLOAT16, true };

typedef struct trained {
    cnn_context *context;
    cnn_model *model;
} trained;

/* Wide enough for every way to compute a convolution, with layers that have no bfloat16 in between. */
static cnn_graph *wide_graph(void)
{
    cnn_graph *g;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_conv2d_options same = { .struct_size = sizeof same, .padding = CNN_PADDING_SAME };
    cnn_conv2d_options strided = { .struct_size = sizeof strided, .kernel = { 5, 5 }, .stride = { 2, 2 } };
    cnn_conv2d_options grouped = { .struct_size = sizeof grouped, .padding = CNN_PADDING_SAME, .groups = 20 };
    cnn_conv2d_options one = { .struct_size = sizeof one, .kernel = { 1, 1 } };
    cnn_node x = cnn_input(g, 21, 23, 3);
    x = cnn_max_pool2d(g, cnn_relu(g, cnn_conv2d(g, cnn_rescale(g, x, 0.5f, 0), 20, NULL)), NULL);
    cnn_node y = cnn_relu6(g, cnn_batch_norm(g, cnn_conv2d(g, x, 70, &same), NULL));
    y = cnn_conv2d(g, cnn_sigmoid(g, cnn_conv2d(g, y, 37, &same)), 20, &one);
    x = cnn_add(g, y, cnn_conv2d(g, x, 20, &grouped));
    x = cnn_concat(g,
                   (cnn_node[]){ x, cnn_avg_pool2d(g, x,
                                                   &(cnn_pool2d_options){ .struct_size = sizeof(cnn_pool2d_options),
                                                                          .kernel = { 3, 3 },
                                                                          .stride = { 1, 1 },
                                                                          .padding = CNN_PADDING_SAME }) },
                   2);
    x = cnn_dropout(g, cnn_conv2d(g, x, 24, &strided), 0.2f);
    x = cnn_concat(g, (cnn_node[]){ cnn_global_avg_pool(g, x), cnn_flatten(g, x) }, 2);
    cnn_dense(g, cnn_relu(g, cnn_dense(g, x, 11, NULL)), 2, NULL);
    assert_ok(cnn_graph_status(g));
    return g;
}

static trained open_model(cnn_graph *graph, uint64_t seed, setting s)
{
    trained t;
    assert_ok(context_of_tier(s.tier, s.threads, &t.context));
    assert_ok(cnn_model_create(t.context, graph, seed, &t.model));
    assert_ok(cnn_model_set_precision(t.model, s.precision));
    t.model->share_memory = s.share_memory;
    return t;
}

static void close_model(trained *t)
{
    cnn_model_destroy(t->model);
    cnn_context_destroy(t->context);
}

/* How far b's gradients are from a's, in proportion to a's. */
static double distance(const cnn_model *a, const cnn_model *b)
{
    double differences = 0, squares = 0;
    for (int32_t i = 0; i < a->weights_count; i++) {
        const cnn_tensor *x = a->weights[i].gradient, *y = b->weights[i].gradient;
        for (int64_t k = 0; x && k < x->count; k++) {
            double p = (double)((const float *)x->data)[k], q = (double)((const float *)y->data)[k];
            differences += (p - q) * (p - q);
            squares += p * p;
        }
    }
    return sqrt(differences / squares);
}

static double distance_from_floats(cnn_graph *graph, uint64_t seed, cnn_tier tier)
{
    trained wide = open_model(graph, seed, (setting){ 1, tier, CNN_PRECISION_FLOAT32, true });
    trained narrow = open_model(graph, seed, (setting){ 1, tier, CNN_PRECISION_BFLOAT16, true });
    step_of_training(wide.model, 3, seed);
    step_of_training(narrow.model, 3, seed);
    double found = distance(wide.model, narrow.model);
    close_model(&wide);
    close_model(&narrow);
    return found;
}

static void gradients_are_those_of_floats_but_for_rounding(void **state)
{
    (void)state;
    static const cnn_tier tiers[] = { CNN_TIER_GENERIC, CNN_TIER_AVX2, CNN_TIER_AVX512, CNN_TIER_COUNT };
    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0]; i++) {
        cnn_graph *wide = wide_graph();
        double found = distance_from_floats(wide, 1, tiers[i]);
        assert_true(found > 1e-6 && found < 0.03);
        cnn_graph_destroy(wide);
        for (uint64_t seed = 0; seed < 8; seed++) {
            cnn_graph *graph = random_graph(NULL, seed, true);
            assert_true(distance_from_floats(graph, seed, tiers[i]) < 0.05);
            cnn_graph_destroy(graph);
        }
    }
}

static void assert_same_bits(const cnn_tensor *a, const cnn_tensor *b)
{
    if (a)
        assert_memory_equal(a->data, b->data, cnn_tensor_bytes(a));
}

/* One step of training each, of two sizes, leaves the same bits. */
static void compare(cnn_graph *graph, uint64_t seed, setting first, setting second)
{
    trained a = open_model(graph, seed, first), b = open_model(graph, seed, second);
    for (int64_t batch = 3; batch > 0; batch -= 2) {
        step_of_training(a.model, batch, seed);
        step_of_training(b.model, batch, seed);
        for (int32_t i = 0; i < a.model->weights_count; i++) {
            assert_same_bits(a.model->weights[i].value, b.model->weights[i].value);
            assert_same_bits(a.model->weights[i].gradient, b.model->weights[i].gradient);
        }
    }
    close_model(&a);
    close_model(&b);
}

static void threads_and_shared_memory_change_no_bit(void **state)
{
    (void)state;
    setting two = usual, four = usual, apart = usual;
    two.threads = 2;
    four.threads = 4;
    apart.share_memory = false;
    for (uint64_t seed = 0; seed < 20; seed++) {
        cnn_graph *graph = seed ? random_graph(NULL, seed, false) : wide_graph();
        compare(graph, seed, usual, two);
        compare(graph, seed, usual, four);
        compare(graph, seed, usual, apart);
        cnn_graph_destroy(graph);
    }
}

static void back_in_floats_it_is_as_it_was(void **state)
{
    (void)state;
    cnn_graph *graph = wide_graph();
    trained a = open_model(graph, 1, (setting){ 1, CNN_TIER_COUNT, CNN_PRECISION_FLOAT32, true });
    trained b = open_model(graph, 1, usual);
    for (int i = 0; i < 2; i++) {
        fill_parameters(a.model, 5); /* running statistics too */
        fill_parameters(b.model, 5);
        step_of_training(a.model, 2, 1);
        step_of_training(b.model, 2, 1);
        assert_true((distance(a.model, b.model) > 0) == (i == 0));
        assert_ok(cnn_model_set_precision(b.model, CNN_PRECISION_FLOAT32));
    }
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_set_precision(a.model, (cnn_precision)3));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_set_precision(NULL, CNN_PRECISION_FLOAT32));
    close_model(&a);
    close_model(&b);
    cnn_graph_destroy(graph);
}

static void auto_is_bfloat16_where_the_processor_has_it(void **state)
{
    (void)state;
    cnn_graph *graph = wide_graph();
    for (cnn_tier tier = CNN_TIER_GENERIC; tier < CNN_TIER_COUNT; tier++) {
        trained t = open_model(graph, 1, (setting){ 1, tier, CNN_PRECISION_FLOAT32, true });
        cnn_precision expected =
            strstr(cnn_context_instruction_set(t.context), "bf16") ? CNN_PRECISION_BFLOAT16 : CNN_PRECISION_FLOAT32;
        assert_ok(cnn_model_set_precision(t.model, CNN_PRECISION_AUTO));
        assert_int_equal(expected, t.model->precision);
        close_model(&t);
    }
    cnn_graph_destroy(graph);
}

static void only_layers_without_bfloat16_get_conversions(void **state)
{
    (void)state;
    cnn_graph *g;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_relu(g, cnn_conv2d(g, cnn_input(g, 8, 8, 3), 4, NULL));
    x = cnn_batch_norm(g, cnn_conv2d(g, x, 4, NULL), NULL);
    x = cnn_dropout(g, cnn_flatten(g, cnn_tanh(g, x)), 0.5f);
    cnn_dense(g, x, 1, NULL);
    trained t = open_model(g, 1, usual);
    cnn_program_source source = cnn_model_source(t.model);
    cnn_program *program, *narrow;
    assert_ok(cnn_program_create(&source, (cnn_purpose){ true, CNN_PRECISION_FLOAT32 }, &program));
    assert_ok(cnn_program_create(&source, (cnn_purpose){ true, CNN_PRECISION_BFLOAT16 }, &narrow));
    assert_int_equal(program->count + 1, narrow->count); /* before tanh; what comes after it takes floats as they are */
    for (int32_t i = 0; i < narrow->count; i++) {
        const cnn_layer *layer = &narrow->operations[i].layer;
        bool floats = i == 0 || i == narrow->count - 1 || layer->type == &cnn_layer_convert ||
                      layer->type == &cnn_layer_tanh || layer->type == &cnn_layer_flatten ||
                      layer->type == &cnn_layer_dropout;
        assert_int_equal(floats ? CNN_FLOAT32 : CNN_BFLOAT16, layer->output_type);
    }
    cnn_program_destroy(program);
    cnn_program_destroy(narrow);
    close_model(&t);
    cnn_graph_destroy(g);
}

static atomic_long allocations;

static void *allocate(size_t size, void *user)
{
    (void)user;
    atomic_fetch_add(&allocations, 1);
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void release(void *memory, void *user)
{
    (void)user;
    free(memory);
}

static void nothing_is_allocated_after_the_first_step_of_a_shape(void **state)
{
    (void)state;
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 2;
    options.allocate = allocate;
    options.release = release;
    trained t;
    cnn_graph *graph = wide_graph();
    assert_ok(cnn_context_create(&options, &t.context));
    assert_ok(cnn_model_create(t.context, graph, 1, &t.model));
    assert_ok(cnn_model_set_precision(t.model, CNN_PRECISION_BFLOAT16));
    step_of_training(t.model, 4, 1);
    long before = allocations;
    for (uint64_t i = 0; i < 3; i++)
        step_of_training(t.model, 4, i);
    assert_int_equal(before, allocations);
    close_model(&t);
    cnn_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_floats_but_for_rounding),
        cmocka_unit_test(threads_and_shared_memory_change_no_bit),
        cmocka_unit_test(back_in_floats_it_is_as_it_was),
        cmocka_unit_test(auto_is_bfloat16_where_the_processor_has_it),
        cmocka_unit_test(only_layers_without_bfloat16_get_conversions),
        cmocka_unit_test(nothing_is_allocated_after_the_first_step_of_a_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
