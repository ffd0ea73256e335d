/* Each pass, by the program before it and after it, as text. */
#include "../runtime/models.h"
#include "compile/passes.h"
#include "core/memory.h"
#include "runtime/quantize.h"

static const cnn_purpose predict = { .training = false },
                         train = { .training = true, .precision = CNN_PRECISION_FLOAT32 };

static cnn_graph *new_graph(cnn_node *input)
{
    cnn_graph *graph;
    assert_ok(cnn_graph_create(NULL, &graph));
    *input = cnn_graph_set_name(graph, cnn_input(graph, 8, 8, 3), "image");
    return graph;
}

static cnn_model *model_of(cnn_graph *graph)
{
    cnn_model *model;
    assert_ok(cnn_model_create(NULL, graph, 1, &model));
    cnn_graph_destroy(graph);
    return model;
}

/* Before the first pass. */
static cnn_program *start(const cnn_model *model, cnn_purpose purpose)
{
    cnn_program *program = cnn_allocate_zeroed(NULL, 1, sizeof *program);
    assert_non_null(program);
    program->source = cnn_model_source(model);
    program->purpose = purpose;
    return program;
}

static void assert_program(const cnn_program *program, const char *expected)
{
    char *text;
    assert_ok(cnn_program_print(program, &(const cnn_print_options){ .places = true }, &text));
    assert_string_equal(expected, text);
    cnn_release(NULL, text);
}

static void finish(cnn_program *program, cnn_model *model)
{
    cnn_program_destroy(program);
    cnn_model_destroy(model);
}

/* A convolution to be normalised and a shortcut around it. */
static cnn_graph *residual_net(void)
{
    cnn_conv2d_options same = { .struct_size = sizeof same, .padding = CNN_PADDING_SAME, .no_bias = 1 };
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    cnn_node branch = cnn_graph_set_name(g, cnn_conv2d(g, cnn_dropout(g, x, 0.5f), 3, &same), "conv");
    branch = cnn_graph_set_name(g, cnn_batch_norm(g, branch, NULL), "norm");
    cnn_graph_set_name(g, cnn_tanh(g, branch), "unused");
    x = cnn_graph_set_name(g, cnn_relu(g, cnn_graph_set_name(g, cnn_add(g, branch, x), "sum")), "relu");
    cnn_graph_set_output(g, cnn_graph_set_name(g, cnn_dense(g, cnn_global_avg_pool(g, x), 2, NULL), "logits"));
    return g;
}

static void lowering_leaves_out_what_is_not_needed(void **state)
{
    (void)state;
    cnn_model *model = model_of(residual_net());
    cnn_program *program = start(model, predict);
    assert_program(program, "");
    assert_ok(cnn_lower_graph(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 conv2d(0) = conv: 8×8×3 float32\n"
                            "2 batch_norm(1) = norm: 8×8×3 float32\n"
                            "3 add(2, 0) = sum: 8×8×3 float32\n"
                            "4 relu(3) = relu: 8×8×3 float32\n"
                            "5 global_avg_pool(4) = global_avg_pool_1: 3 float32\n"
                            "6 dense(5) = logits: 2 float32\n");
    finish(program, model);
}

static void fusing_makes_one_operation_of_a_pattern(void **state)
{
    (void)state;
    cnn_model *model = model_of(residual_net());
    cnn_program *program = start(model, predict);
    assert_ok(cnn_lower_graph(program));
    assert_ok(cnn_fuse_operations(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 fused_conv2d(0, 0) = relu: 8×8×3 float32\n"
                            "2 global_avg_pool(1) = global_avg_pool_1: 3 float32\n"
                            "3 dense(2) = logits: 2 float32\n");
    finish(program, model);
}

static void fusing_for_training_begins_with_batch_normalisation(void **state)
{
    (void)state;
    cnn_model *model = model_of(residual_net());
    cnn_program *program = start(model, train);
    assert_ok(cnn_lower_graph(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 dropout(0) = dropout_1: 8×8×3 float32\n"
                            "2 conv2d(1) = conv: 8×8×3 float32\n"
                            "3 batch_norm(2) = norm: 8×8×3 float32\n"
                            "4 add(3, 0) = sum: 8×8×3 float32\n"
                            "5 relu(4) = relu: 8×8×3 float32\n"
                            "6 global_avg_pool(5) = global_avg_pool_1: 3 float32\n"
                            "7 dense(6) = logits: 2 float32\n");
    assert_ok(cnn_fuse_operations(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 dropout(0) = dropout_1: 8×8×3 float32\n"
                            "2 conv2d(1) = conv: 8×8×3 float32\n"
                            "3 fused_batch_norm_add(0, 2) = relu: 8×8×3 float32\n"
                            "4 global_avg_pool(3) = global_avg_pool_1: 3 float32\n"
                            "5 dense(4) = logits: 2 float32\n");
    finish(program, model);
}

static void what_is_frozen_is_fused_as_in_prediction(void **state)
{
    (void)state;
    cnn_model *model = model_of(residual_net());
    model->nodes[cnn_graph_find(model->graph, "conv")].frozen = true;
    model->nodes[cnn_graph_find(model->graph, "norm")].frozen = true;
    cnn_program *program = start(model, train);
    assert_ok(cnn_lower_graph(program));
    assert_ok(cnn_fuse_operations(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 dropout(0) = dropout_1: 8×8×3 float32\n"
                            "2 fused_conv2d(1) = norm: 8×8×3 float32, frozen\n"
                            "3 add(2, 0) = sum: 8×8×3 float32\n"
                            "4 relu(3) = relu: 8×8×3 float32\n"
                            "5 global_avg_pool(4) = global_avg_pool_1: 3 float32\n"
                            "6 dense(5) = logits: 2 float32\n");
    finish(program, model);
}

static void quantising_computes_with_bytes_between_convolutions(void **state)
{
    (void)state;
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = cnn_graph_set_name(g, cnn_relu(g, cnn_conv2d(g, x, 4, NULL)), "first");
    x = cnn_graph_set_name(g, cnn_tanh(g, x), "tanh");
    cnn_graph_set_name(g, cnn_dense(g, cnn_graph_set_name(g, cnn_flatten(g, x), "flat"), 2, NULL), "logits");
    cnn_model *model = model_of(g), *quantized;
    cnn_tensor *images = batch_of(4, cnn_model_input_shape(model), 1);
    assert_ok(cnn_model_quantize(model, images, &quantized));
    cnn_program *program = start(quantized, predict);
    assert_ok(cnn_lower_graph(program));
    assert_ok(cnn_fuse_operations(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 fused_conv2d(0) = first: 6×6×4 float32\n"
                            "2 tanh(1) = tanh: 6×6×4 float32\n"
                            "3 flatten(2) = flat: 144 float32\n"
                            "4 dense(3) = logits: 2 float32\n");
    assert_ok(cnn_quantize_operations(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 quantize(0) = image: 8×8×3 uint8\n"
                            "2 int8_conv2d(1) = first: 6×6×4 uint8\n"
                            "3 dequantize(2) = first: 6×6×4 float32\n"
                            "4 tanh(3) = tanh: 6×6×4 float32\n"
                            "5 flatten(4) = flat: 144 float32\n"
                            "6 quantize(5) = flat: 144 uint8\n"
                            "7 int8_conv2d(6) = logits: 2 float32\n");
    cnn_tensor_destroy(images);
    cnn_model_destroy(quantized);
    finish(program, model);
}

/* Starts a program that gives the values of these layers. */
static cnn_program *start_for(const cnn_model *model, const char *const *names, int32_t count, cnn_node *nodes)
{
    cnn_program *program = start(model, predict);
    for (int32_t i = 0; i < count; i++)
        nodes[i] = cnn_graph_find(model->graph, names[i]);
    program->source.outputs = nodes;
    program->source.output_count = count;
    return program;
}

static void outputs_are_not_fused_away(void **state)
{
    (void)state;
    static const char *const names[] = { "logits", "sum", "unused", "norm", "sum" };
    cnn_node nodes[5];
    cnn_model *model = model_of(residual_net());
    cnn_program *program = start_for(model, names, 5, nodes);
    assert_ok(cnn_lower_graph(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 conv2d(0) = conv: 8×8×3 float32\n"
                            "2 batch_norm(1) = norm: 8×8×3 float32, output\n"
                            "3 tanh(2) = unused: 8×8×3 float32, output\n"
                            "4 add(2, 0) = sum: 8×8×3 float32, output\n"
                            "5 relu(4) = relu: 8×8×3 float32\n"
                            "6 global_avg_pool(5) = global_avg_pool_1: 3 float32\n"
                            "7 dense(6) = logits: 2 float32\n");
    assert_ok(cnn_fuse_operations(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 fused_conv2d(0) = norm: 8×8×3 float32, output\n"
                            "2 tanh(1) = unused: 8×8×3 float32, output\n"
                            "3 add(1, 0) = sum: 8×8×3 float32, output\n"
                            "4 relu(3) = relu: 8×8×3 float32\n"
                            "5 global_avg_pool(4) = global_avg_pool_1: 3 float32\n"
                            "6 dense(5) = logits: 2 float32\n");
    static const int32_t outputs[] = { 6, 3, 2, 1, 3 };
    assert_memory_equal(outputs, program->outputs, sizeof outputs);
    finish(program, model);
}

/* tanh would write over its input's value, and the dense layer's could lie where that was. */
static void outputs_are_not_overwritten(void **state)
{
    (void)state;
    static const char *const names[] = { "second", "logits" };
    cnn_node x, nodes[2];
    cnn_graph *g = new_graph(&x);
    x = cnn_graph_set_name(g, cnn_conv2d(g, x, 4, NULL), "first");
    x = cnn_graph_set_name(g, cnn_conv2d(g, x, 2, NULL), "second");
    x = cnn_graph_set_name(g, cnn_tanh(g, x), "tanh");
    cnn_graph_set_name(g, cnn_dense(g, cnn_graph_set_name(g, cnn_flatten(g, x), "flat"), 2, NULL), "logits");
    cnn_model *model = model_of(g);
    cnn_program *program = start_for(model, names, 2, nodes);
    assert_ok(cnn_lower_graph(program));
    assert_ok(cnn_find_liveness(program));
    assert_program(program, "0 input = image: 8×8×3 float32, value the caller's\n"
                            "1 conv2d(0) = first: 6×6×4 float32, value in 2\n"
                            "2 conv2d(1) = second: 4×4×2 float32, output, value in 3\n"
                            "3 tanh(2) = tanh: 4×4×2 float32, value in 4\n"
                            "4 flatten(3) = flat: 32 float32, value in 4\n"
                            "5 dense(4) = logits: 2 float32, value in 5\n"
                            "buffer 2: 576 bytes at 0, from 1 to 2\n"
                            "buffer 3: 128 bytes at 0, from 2 to 6\n"
                            "buffer 4: 128 bytes at 0, from 3 to 5\n"
                            "buffer 5: 8 bytes at 0, from 5 to 6\n");
    finish(program, model);
}

/* The convolution's own value has no range, as its model's output is computed without it: it gives floats. What has one
 * is converted from bytes. */
static void outputs_of_a_quantised_model_are_floats(void **state)
{
    (void)state;
    static const char *const names[] = { "conv", "pool" };
    cnn_node x, nodes[2];
    cnn_graph *g = new_graph(&x);
    x = cnn_graph_set_name(g, cnn_conv2d(g, x, 4, NULL), "conv");
    x = cnn_graph_set_name(g, cnn_relu(g, x), "relu");
    x = cnn_graph_set_name(g, cnn_max_pool2d(g, x, NULL), "pool");
    cnn_graph_set_name(g, cnn_dense(g, cnn_graph_set_name(g, cnn_flatten(g, x), "flat"), 2, NULL), "logits");
    cnn_model *model = model_of(g), *quantized;
    cnn_tensor *images = batch_of(4, cnn_model_input_shape(model), 1);
    assert_ok(cnn_model_quantize(model, images, &quantized));
    cnn_program *program = start_for(quantized, &names[1], 1, nodes);
    assert_ok(cnn_lower_graph(program));
    assert_ok(cnn_fuse_operations(program));
    assert_ok(cnn_quantize_operations(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 quantize(0) = image: 8×8×3 uint8\n"
                            "2 int8_conv2d(1) = pool: 3×3×4 uint8\n"
                            "3 dequantize(2) = pool: 3×3×4 float32\n");
    cnn_program_destroy(program);
    program = start_for(quantized, names, 2, nodes);
    assert_ok(cnn_lower_graph(program));
    assert_ok(cnn_fuse_operations(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 conv2d(0) = conv: 6×6×4 float32, output\n"
                            "2 relu(1) = relu: 6×6×4 float32\n"
                            "3 max_pool2d(2) = pool: 3×3×4 float32\n");
    assert_ok(cnn_quantize_operations(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 quantize(0) = image: 8×8×3 uint8\n"
                            "2 int8_conv2d(1) = conv: 6×6×4 float32, output\n"
                            "3 relu(2) = relu: 6×6×4 float32\n"
                            "4 max_pool2d(3) = pool: 3×3×4 float32\n");
    cnn_tensor_destroy(images);
    cnn_model_destroy(quantized);
    finish(program, model);
}

static void types_are_bfloat16_where_layers_take_them(void **state)
{
    (void)state;
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = cnn_graph_set_name(g, cnn_relu(g, cnn_conv2d(g, x, 4, NULL)), "first");
    x = cnn_graph_set_name(g, cnn_tanh(g, x), "tanh");
    cnn_graph_set_name(g, cnn_dense(g, cnn_graph_set_name(g, cnn_flatten(g, x), "flat"), 2, NULL), "logits");
    cnn_model *model = model_of(g);
    cnn_program *program = start(model, train);
    assert_ok(cnn_lower_graph(program));
    assert_ok(cnn_fuse_operations(program));
    assert_ok(cnn_choose_types(program));
    assert_program(program, "0 input = image: 8×8×3 float32\n"
                            "1 fused_conv2d(0) = first: 6×6×4 bfloat16\n"
                            "2 convert(1) = first: 6×6×4 float32\n"
                            "3 tanh(2) = tanh: 6×6×4 float32\n"
                            "4 flatten(3) = flat: 144 float32\n"
                            "5 dense(4) = logits: 2 float32\n");
    finish(program, model);
}

/* Values are in use from the operation that gives them to the last that takes them; flattening is a view, tanh writes
 * over its input. */
static void liveness_and_arena_let_values_share_places(void **state)
{
    (void)state;
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = cnn_graph_set_name(g, cnn_conv2d(g, x, 4, NULL), "first");
    x = cnn_graph_set_name(g, cnn_conv2d(g, x, 2, NULL), "second");
    x = cnn_graph_set_name(g, cnn_tanh(g, x), "tanh");
    cnn_graph_set_name(g, cnn_dense(g, cnn_graph_set_name(g, cnn_flatten(g, x), "flat"), 2, NULL), "logits");
    cnn_model *model = model_of(g);
    cnn_program *program = start(model, predict);
    assert_ok(cnn_lower_graph(program));
    assert_ok(cnn_find_liveness(program));
    assert_program(program, "0 input = image: 8×8×3 float32, value the caller's\n"
                            "1 conv2d(0) = first: 6×6×4 float32, value in 2\n"
                            "2 conv2d(1) = second: 4×4×2 float32, value in 3\n"
                            "3 tanh(2) = tanh: 4×4×2 float32, value in 3\n"
                            "4 flatten(3) = flat: 32 float32, value in 3\n"
                            "5 dense(4) = logits: 2 float32, value in 4\n"
                            "buffer 2: 576 bytes at 0, from 1 to 2\n"
                            "buffer 3: 128 bytes at 0, from 2 to 5\n"
                            "buffer 4: 8 bytes at 0, from 5 to 6\n");
    assert_ok(cnn_assign_arena(program));
    assert_program(program, "0 input = image: 8×8×3 float32, value the caller's\n"
                            "1 conv2d(0) = first: 6×6×4 float32, value in 2\n"
                            "2 conv2d(1) = second: 4×4×2 float32, value in 3\n"
                            "3 tanh(2) = tanh: 4×4×2 float32, value in 3\n"
                            "4 flatten(3) = flat: 32 float32, value in 3\n"
                            "5 dense(4) = logits: 2 float32, value in 4\n"
                            "buffer 2: 576 bytes at 0, from 1 to 2\n"
                            "buffer 3: 128 bytes at 576, from 2 to 5\n"
                            "buffer 4: 64 bytes at 0, from 5 to 6\n");
    assert_int_equal(704, program->image_bytes);
    finish(program, model);
}

/* What backward needs is in use until then: of the dense layer its input, of max pooling where the maxima were. */
static void liveness_of_training_goes_on_backward(void **state)
{
    (void)state;
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    x = cnn_graph_set_name(g, cnn_conv2d(g, x, 4, NULL), "conv");
    x = cnn_graph_set_name(g, cnn_max_pool2d(g, x, NULL), "pool");
    cnn_graph_set_name(g, cnn_dense(g, cnn_graph_set_name(g, cnn_flatten(g, x), "flat"), 2, NULL), "logits");
    cnn_model *model = model_of(g);
    cnn_program *program = start(model, train);
    assert_ok(cnn_lower_graph(program));
    assert_ok(cnn_find_liveness(program));
    assert_program(program, "0 input = image: 8×8×3 float32, value the caller's\n"
                            "1 conv2d(0) = conv: 6×6×4 float32, value in 2, gradient in 7\n"
                            "2 max_pool2d(1) = pool: 3×3×4 float32, value in 3, saved in 4, gradient in 6\n"
                            "3 flatten(2) = flat: 36 float32, value in 3, gradient in 6\n"
                            "4 dense(3) = logits: 2 float32, value in 5, gradient the caller's\n"
                            "buffer 2: 576 bytes at 0, from 1 to 2\n"
                            "buffer 3: 144 bytes at 0, from 2 to 5\n"
                            "buffer 4: 72 bytes at 0, from 2 to 7\n"
                            "buffer 5: 8 bytes at 0, from 4 to 10\n"
                            "buffer 6: 144 bytes at 0, from 5 to 7\n"
                            "buffer 7: 576 bytes at 0, from 7 to 8\n");
    finish(program, model);
}

static void packing_gives_each_operation_a_place(void **state)
{
    (void)state;
    cnn_node x;
    cnn_graph *g = new_graph(&x);
    cnn_conv2d(g, cnn_conv2d(g, x, 4, NULL), 2, NULL);
    cnn_model *model = model_of(g);
    for (int training = 0; training < 2; training++) {
        cnn_program *program = start(model, training ? train : predict);
        assert_ok(cnn_lower_graph(program));
        assert_ok(cnn_find_liveness(program));
        assert_ok(cnn_pack_weights(program));
        const cnn_operation *operations = program->operations;
        assert_true(operations[1].packed_bytes >= 9 * 3 * 4 * sizeof(float));
        assert_true(operations[2].packed_bytes >= 9 * 4 * 2 * sizeof(float));
        assert_true(operations[2].packed_offset >= operations[1].packed_offset + operations[1].packed_bytes);
        assert_int_equal(training, !program->packed);
        assert_int_equal(training, operations[2].packed_backward_bytes > 0);
        cnn_program_destroy(program);
    }
    cnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lowering_leaves_out_what_is_not_needed),
        cmocka_unit_test(fusing_makes_one_operation_of_a_pattern),
        cmocka_unit_test(fusing_for_training_begins_with_batch_normalisation),
        cmocka_unit_test(what_is_frozen_is_fused_as_in_prediction),
        cmocka_unit_test(quantising_computes_with_bytes_between_convolutions),
        cmocka_unit_test(outputs_are_not_fused_away),
        cmocka_unit_test(outputs_are_not_overwritten),
        cmocka_unit_test(outputs_of_a_quantised_model_are_floats),
        cmocka_unit_test(types_are_bfloat16_where_layers_take_them),
        cmocka_unit_test(liveness_and_arena_let_values_share_places),
        cmocka_unit_test(liveness_of_training_goes_on_backward),
        cmocka_unit_test(packing_gives_each_operation_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
