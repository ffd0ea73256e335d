/* The fixtures are small models that hold what onnxruntime made of an input: tests/onnx/make_fixtures.py. */
#include "../../test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "../../scratch.h"
#include "core/file.h"
#include "core/memory.h"
#include "runtime/model_internal.h"

#ifdef CNN_HAVE_ONNX

static const char *const fixtures[] = { "residual", "channels_last", "traced" };
enum { FIXTURES = sizeof fixtures / sizeof *fixtures };

static const char *source_root;

static const char *fixture_path(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/tests/unit/formats/onnx/%s.onnx", source_root, name);
    return path;
}

static cnn_model *load(const char *path)
{
    cnn_model *model;
    assert_ok(cnn_model_load_onnx(NULL, path, NULL, &model));
    return model;
}

/* The numbers of a note, which is a JSON list; the caller frees them. */
static float *numbers_of(const cnn_model *model, const char *key, size_t *count)
{
    json_t *list = json_loads(cnn_model_metadata(model, key), 0, NULL);
    *count = json_array_size(list);
    float *numbers = malloc(*count * sizeof *numbers);
    assert_true(*count > 0 && numbers);
    for (size_t i = 0; i < *count; i++)
        numbers[i] = (float)json_number_value(json_array_get(list, i));
    json_decref(list);
    return numbers;
}

static void predict(const cnn_model *model, float *input, float *output)
{
    const cnn_shape in = cnn_model_input_shape(model), out = cnn_model_output_shape(model);
    cnn_tensor *from, *to;
    assert_int_equal(1, out.rank);
    assert_ok(
        cnn_tensor_wrap(NULL, CNN_FLOAT32, 4, (int64_t[]){ 1, in.dims[0], in.dims[1], in.dims[2] }, input, &from));
    assert_ok(cnn_tensor_wrap(NULL, CNN_FLOAT32, 2, (int64_t[]){ 1, out.dims[0] }, output, &to));
    assert_ok(cnn_model_predict(model, from, to));
    cnn_tensor_destroy(to);
    cnn_tensor_destroy(from);
}

static void assert_predicts_its_notes(const cnn_model *model)
{
    size_t in, out;
    float *input = numbers_of(model, "input", &in), *expected = numbers_of(model, "output", &out), output[16];
    const cnn_shape shape = cnn_model_input_shape(model);
    assert_int_equal(in, shape.dims[0] * shape.dims[1] * shape.dims[2]);
    assert_int_equal(out, cnn_model_output_shape(model).dims[0]);
    predict(model, input, output);
    for (size_t i = 0; i < out; i++)
        assert_float_equal(expected[i], output[i], 1e-4);
    free(expected);
    free(input);
}

static void models_predict_what_onnxruntime_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURES; i++) {
        cnn_model *model = load(fixture_path(fixtures[i]));
        assert_predicts_its_notes(model);
        cnn_model_destroy(model);
    }
}

static void an_onnx_file_is_known_by_its_content(void **state)
{
    const char *path = scratch_path(*state, "model.safetensors");
    void *bytes;
    size_t size;
    cnn_model *model;
    assert_ok(cnn_file_read(NULL, fixture_path("residual"), 1 << 20, &bytes, &size));
    assert_ok(cnn_file_write(path, &(cnn_chunk){ bytes, size }, 1));
    assert_ok(cnn_model_load(NULL, path, &model));
    assert_predicts_its_notes(model);
    cnn_model_destroy(model);
    cnn_release(NULL, bytes);
}

static void an_exported_model_comes_back_with_the_same_bits(void **state)
{
    const char *path = scratch_path(*state, "again.onnx");
    for (size_t i = 0; i < FIXTURES; i++) {
        size_t in;
        cnn_model *model = load(fixture_path(fixtures[i])), *again;
        float *input = numbers_of(model, "input", &in), before[16], after[16];
        assert_ok(cnn_model_save_onnx(model, path));
        again = load(path);
        predict(model, input, before);
        predict(again, input, after);
        assert_memory_equal(before, after, (size_t)cnn_model_output_shape(model).dims[0] * sizeof *before);
        assert_string_equal(cnn_model_metadata(model, "input"), cnn_model_metadata(again, "input"));
        cnn_model_destroy(again);
        cnn_model_destroy(model);
        free(input);
    }
}

static void a_model_that_is_not_finite_is_not_written(void **state)
{
    const char *path = scratch_path(*state, "infinite.onnx");
    cnn_graph *graph;
    cnn_model *model;
    cnn_parameter parameter = { .struct_size = sizeof parameter };
    assert_ok(cnn_graph_create(NULL, &graph));
    cnn_dense(graph, cnn_flatten(graph, cnn_input(graph, 2, 2, 1)), 2, NULL);
    assert_ok(cnn_model_create(NULL, graph, 1, &model));
    assert_ok(cnn_model_parameter(model, 0, &parameter));
    ((float *)cnn_tensor_data(parameter.value))[0] = INFINITY;
    assert_status(CNN_ERROR_NOT_FINITE, cnn_model_save_onnx(model, path));
    assert_non_null(strstr(cnn_last_error(), "is not written"));
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
}

static void assert_same_shape(const cnn_shape *a, const cnn_shape *b)
{
    assert_int_equal(a->rank, b->rank);
    assert_memory_equal(a->dims, b->dims, sizeof a->dims);
}

/* For the same image; the outputs have the same shape. */
static void assert_same_predictions(const cnn_model *a, const cnn_model *b)
{
    const cnn_shape in = cnn_model_input_shape(a), out = cnn_model_output_shape(a);
    const cnn_shape other_in = cnn_model_input_shape(b), other_out = cnn_model_output_shape(b);
    assert_same_shape(&in, &other_in);
    assert_same_shape(&out, &other_out);
    cnn_tensor *image, *outputs[2];
    assert_ok(
        cnn_tensor_create(NULL, CNN_FLOAT32, 4, (const int64_t[]){ 1, in.dims[0], in.dims[1], in.dims[2] }, &image));
    for (int64_t i = 0; i < cnn_tensor_count(image); i++)
        ((float *)cnn_tensor_data(image))[i] = (float)(i * 7919 % 255) / 127.5f - 1;
    for (int k = 0; k < 2; k++) {
        const int64_t dims[] = { 1, out.dims[0], out.dims[1], out.dims[2] };
        assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, out.rank + 1, dims, &outputs[k]));
        assert_ok(cnn_model_predict(k ? b : a, image, outputs[k]));
    }
    for (int64_t i = 0; i < cnn_tensor_count(outputs[0]); i++)
        assert_float_equal(((float *)cnn_tensor_data(outputs[0]))[i], ((float *)cnn_tensor_data(outputs[1]))[i], 1e-5f);
    cnn_tensor_destroy(outputs[0]);
    cnn_tensor_destroy(outputs[1]);
    cnn_tensor_destroy(image);
}

static cnn_node convolve(cnn_graph *g, cnn_node x)
{
    const cnn_conv2d_options options = {
        .struct_size = sizeof options, .kernel = { 4, 4 }, .padding = CNN_PADDING_EXPLICIT, .pads = { 4, 2, 5, 0 }
    };
    x = cnn_concat(g, (const cnn_node[]){ x, x, x }, 3);
    return cnn_conv2d(g, cnn_leaky_relu(g, cnn_relu(g, x), 0.1f), 11, &options);
}

static cnn_node scale_each(cnn_graph *g, cnn_node x)
{
    static const float mean[] = { 0.1f, -0.2f, 0.3f, 0 }, deviation[] = { 2, 0.5f, 3, 1 };
    return cnn_normalize(g, x, mean, deviation);
}

static cnn_node keep(cnn_graph *g, cnn_node x)
{
    return cnn_rescale(g, x, 1, 0);
}

static cnn_node drop(cnn_graph *g, cnn_node x)
{
    return cnn_dropout(g, x, 0.5f);
}

static cnn_node flatten_and_join(cnn_graph *g, cnn_node x)
{
    x = cnn_flatten(g, x);
    return cnn_dense(g, cnn_concat(g, (const cnn_node[]){ x, cnn_tanh(g, x) }, 2), 3, NULL);
}

static cnn_node pool_all(cnn_graph *g, cnn_node x)
{
    return cnn_softmax(g, cnn_global_avg_pool(g, cnn_batch_norm(g, x, NULL)));
}

/* Sizes that could be taken for channels, of both; and images of one pixel. */
static void what_is_written_is_read_back(void **state)
{
    static const int64_t shapes[][3] = {
        { 4, 4, 33 }, { 3, 2, 7 }, { 2, 9, 4 }, { 9, 3, 5 }, { 1, 1, 6 }, { 4, 4, 4 }
    };
    static cnn_node (*const nets[])(cnn_graph *, cnn_node) = { convolve, scale_each,       keep,    drop,
                                                               cnn_relu, flatten_and_join, pool_all };
    const char *path = scratch_path(*state, "own.onnx");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes * (sizeof nets / sizeof *nets); i++) {
        const int64_t *dims = shapes[i / (sizeof nets / sizeof *nets)];
        cnn_node (*net)(cnn_graph *, cnn_node) = nets[i % (sizeof nets / sizeof *nets)];
        if ((net == scale_each && dims[2] > 4) || (net == convolve && dims[1] < 2))
            continue;
        cnn_graph *graph;
        cnn_model *model, *again;
        assert_ok(cnn_graph_create(NULL, &graph));
        cnn_graph_set_name(graph, net(graph, cnn_input(graph, dims[0], dims[1], dims[2])), "the last");
        assert_ok(cnn_model_create(NULL, graph, 3, &model));
        assert_ok(cnn_model_save_onnx(model, path));
        assert_ok(cnn_model_load_onnx(NULL, path, NULL, &again));
        assert_same_predictions(model, again);
        cnn_model_destroy(again);
        cnn_model_destroy(model);
        cnn_graph_destroy(graph);
    }
}

static void layers_keep_their_names(void **state)
{
    const char *path = scratch_path(*state, "names.onnx");
    cnn_graph *graph;
    cnn_model *model, *again;
    assert_ok(cnn_graph_create(NULL, &graph));
    cnn_node x = cnn_graph_set_name(graph, cnn_conv2d(graph, cnn_input(graph, 5, 5, 3), 4, NULL), "stem");
    cnn_graph_set_name(graph, cnn_dense(graph, cnn_global_avg_pool(graph, x), 2, NULL), "head");
    assert_ok(cnn_model_create(NULL, graph, 3, &model));
    assert_ok(cnn_model_save_onnx(model, path));
    assert_ok(cnn_model_load_onnx(NULL, path, NULL, &again));
    assert_string_equal("conv2d",
                        cnn_graph_node_type(cnn_model_graph(again), cnn_graph_find(cnn_model_graph(again), "stem")));
    assert_string_equal("dense",
                        cnn_graph_node_type(cnn_model_graph(again), cnn_graph_find(cnn_model_graph(again), "head")));
    cnn_model_destroy(again);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
}

static void the_size_of_an_input_that_is_left_open_is_an_option(void **state)
{
    (void)state;
    cnn_onnx_options options;
    cnn_model *model;
    cnn_onnx_options_init(&options);
    assert_status(CNN_ERROR_UNSUPPORTED, cnn_model_load_onnx(NULL, fixture_path("open_size"), &options, &model));
    assert_null(model);
    options.height = 9;
    options.width = 7;
    assert_ok(cnn_model_load_onnx(NULL, fixture_path("open_size"), &options, &model));
    assert_int_equal(9, cnn_model_input_shape(model).dims[0]);
    assert_int_equal(7, cnn_model_input_shape(model).dims[1]);
    assert_int_equal(1, cnn_model_output_shape(model).dims[0]);
    cnn_model_destroy(model);
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_load_onnx(NULL, fixture_path("residual"), &options, &model));
    assert_non_null(strstr(cnn_last_error(), "height of 6; 9"));
    options.struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_load_onnx(NULL, fixture_path("open_size"), &options, &model));
}

/* Loads those bytes, and expects a model, or an error with a sentence. */
static void load_bytes(const char *path, const void *bytes, size_t size)
{
    cnn_model *model;
    remove(path); /* some file systems write at once what is overwritten */
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(size, fwrite(bytes, 1, size, file));
    fclose(file);
    cnn_status status = cnn_model_load_onnx(NULL, path, NULL, &model);
    if (status) {
        assert_null(model);
        assert_int_not_equal(CNN_ERROR_ARGUMENT, status); /* no argument is at fault */
        assert_non_null(strstr(cnn_last_error(), "broken.onnx"));
    }
    cnn_model_destroy(model);
}

static void a_broken_file_is_at_worst_refused(void **state)
{
    const char *path = scratch_path(*state, "broken.onnx");
    for (size_t i = 0; i < FIXTURES; i++) {
        unsigned char *bytes;
        void *read;
        size_t size;
        assert_ok(cnn_file_read(NULL, fixture_path(fixtures[i]), 1 << 20, &read, &size));
        bytes = read;
        for (size_t cut = 0; cut < size; cut += 3)
            load_bytes(path, bytes, cut);
        for (size_t at = 0; at < size; at++) {
            unsigned char kept = bytes[at];
            bytes[at] = (unsigned char)(kept ^ (1u << at % 8 | (at & 1)));
            load_bytes(path, bytes, size);
            bytes[at] = kept;
        }
        cnn_release(NULL, read);
    }
}

static void a_constant_without_its_data_is_refused(void **state)
{
    (void)state;
    cnn_model *model;
    assert_status(CNN_ERROR_FORMAT, cnn_model_load_onnx(NULL, fixture_path("without_data"), NULL, &model));
    assert_non_null(strstr(cnn_last_error(), "a constant has 0 bytes"));
}

/* A slope below 0, which a file may have and the library hasn't. */
static void a_value_that_a_layer_does_not_take_is_not_supported(void **state)
{
    const char *path = scratch_path(*state, "slope.onnx");
    static const unsigned char positive[] = { 0x00, 0x00, 0xC0, 0x3E }, negative[] = { 0x00, 0x00, 0xC0, 0xBE };
    cnn_graph *graph;
    cnn_model *model;
    void *bytes;
    size_t size;
    assert_ok(cnn_graph_create(NULL, &graph));
    cnn_dense(graph, cnn_flatten(graph, cnn_leaky_relu(graph, cnn_input(graph, 4, 4, 3), 0.375f)), 1, NULL);
    assert_ok(cnn_model_create(NULL, graph, 1, &model));
    cnn_graph_destroy(graph);
    assert_ok(cnn_model_save_onnx(model, path));
    cnn_model_destroy(model);
    assert_ok(cnn_file_read(NULL, path, 1 << 20, &bytes, &size));
    size_t at = 0;
    while (at + sizeof positive < size && memcmp((char *)bytes + at, &positive, sizeof positive) != 0)
        at++;
    memcpy((char *)bytes + at, &negative, sizeof negative);
    assert_ok(cnn_file_write(path, &(cnn_chunk){ bytes, size }, 1));
    cnn_release(NULL, bytes);
    assert_status(CNN_ERROR_UNSUPPORTED, cnn_model_load_onnx(NULL, path, NULL, &model));
    assert_non_null(strstr(cnn_last_error(), "a slope of -0.375 is not possible"));
}

/* Four million nodes of two bytes each. */
static void a_file_that_would_grow_in_memory_is_refused(void **state)
{
    enum { NODES = 4 << 20, HEAD = 5 };
    const char *path = scratch_path(*state, "grows.onnx");
    unsigned char *bytes = calloc(1, HEAD + 2 * NODES);
    uint32_t length = 2 * NODES;
    size_t at = 0;
    cnn_model *model;
    assert_non_null(bytes);
    bytes[at++] = 7 << 3 | 2; /* the graph */
    for (; length > 127; length >>= 7)
        bytes[at++] = (unsigned char)(length | 128);
    bytes[at++] = (unsigned char)length;
    assert_int_equal(HEAD, at);
    for (size_t i = 0; i < NODES; i++)
        bytes[HEAD + 2 * i] = 1 << 3 | 2;
    assert_ok(cnn_file_write(path, &(cnn_chunk){ bytes, HEAD + 2 * NODES }, 1));
    assert_status(CNN_ERROR_LIMIT, cnn_model_load_onnx(NULL, path, NULL, &model));
    assert_non_null(strstr(cnn_last_error(), "its parts take much more memory"));
    free(bytes);
}

static void no_memory_is_an_error_without_a_leak(void **state)
{
    const char *path = scratch_path(*state, "memory.onnx");
    for (size_t i = 0; i < FIXTURES; i++) {
        scratch_memory memory = { 0 };
        cnn_context *context = scratch_context(&memory);
        cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
        cnn_model *model;
        for (memory.allowed = 0; status; memory.allowed++) {
            memory.taken = 0;
            status = cnn_model_load_onnx(context, fixture_path(fixtures[i]), NULL, &model);
            assert_true(!status || status == CNN_ERROR_OUT_OF_MEMORY);
            if (status)
                assert_int_equal(0, memory.held);
        }
        int held = memory.held;
        status = CNN_ERROR_OUT_OF_MEMORY;
        for (memory.allowed = 0; status; memory.allowed++) {
            memory.taken = 0;
            status = cnn_model_save_onnx(model, path);
            assert_true(!status || status == CNN_ERROR_OUT_OF_MEMORY);
            assert_int_equal(held, memory.held);
        }
        cnn_model_destroy(model);
        cnn_context_destroy(context);
    }
}

static void arguments_that_are_missing_are_errors(void **state)
{
    cnn_model *model = load(fixture_path("residual")), *none;
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_load_onnx(NULL, NULL, NULL, &none));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_load_onnx(NULL, "x.onnx", NULL, NULL));
    assert_status(CNN_ERROR_IO, cnn_model_load_onnx(NULL, "no such.onnx", NULL, &none));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_save_onnx(NULL, "x.onnx"));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_save_onnx(model, NULL));
    assert_status(CNN_ERROR_IO, cnn_model_save_onnx(model, scratch_path(*state, "no/such/folder.onnx")));
    cnn_model_destroy(model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_predict_what_onnxruntime_does),
        cmocka_unit_test(an_onnx_file_is_known_by_its_content),
        cmocka_unit_test(an_exported_model_comes_back_with_the_same_bits),
        cmocka_unit_test(a_model_that_is_not_finite_is_not_written),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(layers_keep_their_names),
        cmocka_unit_test(the_size_of_an_input_that_is_left_open_is_an_option),
        cmocka_unit_test(a_broken_file_is_at_worst_refused),
        cmocka_unit_test(a_constant_without_its_data_is_refused),
        cmocka_unit_test(a_value_that_a_layer_does_not_take_is_not_supported),
        cmocka_unit_test(a_file_that_would_grow_in_memory_is_refused),
        cmocka_unit_test(no_memory_is_an_error_without_a_leak),
        cmocka_unit_test(arguments_that_are_missing_are_errors),
    };
    source_root = argc > 1 ? argv[1] : ".";
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}

#else

static void a_build_without_protobuf_c_says_so(void **state)
{
    (void)state;
    cnn_model *model;
    assert_status(CNN_ERROR_UNSUPPORTED, cnn_model_load_onnx(NULL, "x.onnx", NULL, &model));
    assert_null(model);
    assert_non_null(strstr(cnn_last_error(), "x.onnx: this build"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_build_without_protobuf_c_says_so) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
