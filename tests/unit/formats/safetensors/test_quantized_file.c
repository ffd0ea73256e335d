#include "../../test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../scratch.h"
#include "core/file.h"
#include "core/memory.h"
#include "formats/safetensors/safetensors.h"
#include "runtime/model_internal.h"

enum { SIZE = 8, IMAGES = 5 };

static cnn_tensor *images_of(int64_t count)
{
    cnn_tensor *images;
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 4, (int64_t[]){ count, SIZE, SIZE, 3 }, &images));
    float *pixels = cnn_tensor_data(images);
    for (int64_t i = 0; i < cnn_tensor_count(images); i++)
        pixels[i] = (float)(i * 7919 % 255) / 127.5f - 1;
    return images;
}

static cnn_model *make_quantized(cnn_context *context)
{
    cnn_graph *g;
    cnn_model *model, *quantized;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_input(g, SIZE, SIZE, 3);
    x = cnn_max_pool2d(g, cnn_relu(g, cnn_batch_norm(g, cnn_conv2d(g, x, 4, NULL), NULL)), NULL);
    cnn_dense(g, cnn_flatten(g, x), 1, NULL);
    assert_ok(cnn_model_create(context, g, 7, &model));
    cnn_tensor *images = images_of(IMAGES);
    assert_ok(cnn_model_quantize(model, images, &quantized));
    cnn_tensor_destroy(images);
    cnn_model_destroy(model);
    cnn_graph_destroy(g);
    return quantized;
}

static void predict(const cnn_model *model, float logits[IMAGES])
{
    cnn_tensor *images = images_of(IMAGES), *output;
    assert_ok(cnn_tensor_wrap(NULL, CNN_FLOAT32, 2, (int64_t[]){ IMAGES, 1 }, logits, &output));
    assert_ok(cnn_model_predict(model, images, output));
    cnn_tensor_destroy(output);
    cnn_tensor_destroy(images);
}

static void a_loaded_quantized_model_predicts_the_same_bits(void **state)
{
    const char *path = scratch_path(*state, "quantized.safetensors");
    cnn_model *model = make_quantized(NULL), *loaded;
    float before[IMAGES], after[IMAGES];
    assert_ok(cnn_model_set_metadata(model, "author", "somebody"));
    assert_ok(cnn_model_save(model, path));
    assert_ok(cnn_model_load(NULL, path, &loaded));
    predict(model, before);
    predict(loaded, after);
    assert_memory_equal(before, after, sizeof before);
    assert_true(cnn_model_is_quantized(loaded));
    assert_string_equal("somebody", cnn_model_metadata(loaded, "author"));
    uint64_t trainable;
    assert_int_equal(cnn_model_weight_count(model, NULL), cnn_model_weight_count(loaded, &trainable));
    assert_int_equal(0, trainable);
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_save_as(model, path, CNN_BFLOAT16));
    cnn_model_destroy(loaded);
    cnn_model_destroy(model);
}

static void a_quantized_model_is_not_written_to_onnx(void **state)
{
    const char *path = scratch_path(*state, "quantized.onnx");
    cnn_model *model = make_quantized(NULL);
    cnn_status status = cnn_model_save_onnx(model, path);
    assert_string_equal("CNN_ERROR_UNSUPPORTED", cnn_status_name(status));
#ifdef CNN_HAVE_ONNX
    assert_non_null(strstr(cnn_last_error(), "export the model that it was made from"));
#endif
    assert_int_not_equal(0, access(path, F_OK));
    cnn_model_destroy(model);
}

static void weights_are_int8_in_the_file(void **state)
{
    const char *path = scratch_path(*state, "types.safetensors");
    cnn_model *model = make_quantized(NULL);
    cnn_safetensors *file;
    assert_ok(cnn_model_save(model, path));
    assert_ok(cnn_safetensors_open(NULL, path, &file));
    static const struct {
        const char *name;
        cnn_dtype type;
        size_t bytes;
    } expected[] = { { "conv2d_1.weight", CNN_INT8, 3 * 3 * 3 * 4 }, { "conv2d_1.weight_scale", CNN_FLOAT32, 16 },
                     { "conv2d_1.bias", CNN_FLOAT32, 16 },           { "dense_1.weight", CNN_INT8, 36 },
                     { "dense_1.weight_scale", CNN_FLOAT32, 4 },     { "dense_1.bias", CNN_FLOAT32, 4 },
                     { "input_1.quantization", CNN_FLOAT32, 8 },     { "max_pool2d_1.quantization", CNN_FLOAT32, 8 } };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const cnn_safetensors_array *array = cnn_safetensors_find(file, expected[i].name);
        assert_non_null(array);
        assert_int_equal(expected[i].type, array->dtype);
        assert_int_equal(expected[i].bytes, array->bytes);
    }
    cnn_safetensors_close(file);
    cnn_model_destroy(model);
}

enum { MOST = 32 };

/* A file's arrays and notes, to be changed and written again. */
typedef struct contents {
    cnn_safetensors *file;
    cnn_safetensors_array arrays[MOST];
    cnn_safetensors_metadata notes[MOST];
    size_t count, note_count;
} contents;

static void read_contents(contents *c, const char *path)
{
    assert_ok(cnn_safetensors_open(NULL, path, &c->file));
    c->count = cnn_safetensors_count(c->file);
    c->note_count = cnn_safetensors_metadata_count(c->file);
    assert_true(c->count <= MOST && c->note_count <= MOST);
    for (size_t i = 0; i < c->count; i++)
        c->arrays[i] = *cnn_safetensors_array_at(c->file, i);
    for (size_t i = 0; i < c->note_count; i++)
        c->notes[i] = *cnn_safetensors_metadata_at(c->file, i);
}

static size_t index_of(const contents *c, const char *name)
{
    size_t i = 0;
    while (i < c->count && strcmp(c->arrays[i].name, name) != 0)
        i++;
    assert_true(i < c->count);
    return i;
}

/* Loading is an error that says `words`. */
static void assert_refused(void **state, const contents *c, const char *words)
{
    const char *path = scratch_path(*state, "damaged.safetensors");
    cnn_model *model;
    assert_ok(cnn_safetensors_write(NULL, path, c->arrays, c->count, c->notes, c->note_count));
    assert_status(CNN_ERROR_FORMAT, cnn_model_load(NULL, path, &model));
    assert_null(model);
    assert_non_null(strstr(cnn_last_error(), "damaged.safetensors: "));
    assert_non_null(strstr(cnn_last_error(), words));
}

static void assert_refused_without(void **state, const contents *sound, const char *name, const char *words)
{
    contents c = *sound;
    size_t i = index_of(&c, name);
    c.arrays[i] = c.arrays[--c.count];
    assert_refused(state, &c, words);
}

/* With `first` and `second` as the array's values. */
static void assert_refused_with(void **state, const contents *sound, const char *name, float first, float second,
                                const char *words)
{
    contents c = *sound;
    size_t i = index_of(&c, name);
    float values[4] = { 1, 1, 1, 1 };
    values[0] = first;
    if (c.arrays[i].bytes > sizeof(float))
        values[1] = second;
    c.arrays[i].data = values;
    assert_refused(state, &c, words);
}

static void damaged_quantization_is_refused(void **state)
{
    const char *path = scratch_path(*state, "sound.safetensors");
    cnn_model *model = make_quantized(NULL);
    assert_ok(cnn_model_save(model, path));
    contents sound = { 0 };
    read_contents(&sound, path);
    assert_refused_without(state, &sound, "conv2d_1.weight_scale", "conv2d_1.weight_scale is missing");
    assert_refused_without(state, &sound, "input_1.quantization", "nothing says how its input is as bytes");
    assert_refused_without(state, &sound, "dense_1.quantization", "nothing says how its value is as bytes");
    assert_refused_without(state, &sound, "dense_1.weight", "dense_1.weight is missing");
    static const float bad[] = { 0, -1, NAN, INFINITY };
    for (size_t i = 0; i < 4; i++) {
        assert_refused_with(state, &sound, "conv2d_1.weight_scale", 1, bad[i], "no scale");
        assert_refused_with(state, &sound, "input_1.quantization", bad[i], 3, "no scale and zero");
    }
    static const float bad_zeros[] = { -1, 256, 3.5f, NAN, INFINITY };
    for (size_t i = 0; i < 5; i++)
        assert_refused_with(state, &sound, "max_pool2d_1.quantization", 1, bad_zeros[i], "no scale and zero");
    contents c = sound;
    size_t bias = index_of(&c, "conv2d_1.bias");
    c.arrays[bias] = (cnn_safetensors_array){ "conv2d_1.bias", CNN_INT8, 1, { 4 }, c.arrays[bias].data, 4 };
    assert_refused(state, &c, "conv2d_1.bias can't be of type I8");
    c = sound;
    size_t scales = index_of(&c, "conv2d_1.weight_scale");
    c.arrays[scales].dims[0] = 3;
    c.arrays[scales].bytes = 12;
    assert_refused(state, &c, "is not 4 values");
    cnn_safetensors_close(sound.file);
    cnn_model_destroy(model);
}

static void load_and_predict(const char *path, void *refused)
{
    cnn_model *loaded;
    float logits[IMAGES];
    if (cnn_model_load(NULL, path, &loaded))
        ++*(int *)refused;
    else if (cnn_model_output_shape(loaded).dims[0] == 1 && cnn_model_input_shape(loaded).dims[0] == SIZE)
        predict(loaded, logits);
    cnn_model_destroy(loaded);
}

static void a_quantized_file_with_any_byte_changed_gives_at_worst_an_error(void **state)
{
    const char *path = scratch_path(*state, "changed.safetensors");
    cnn_model *model = make_quantized(NULL);
    assert_ok(cnn_model_save(model, path));
    int refused = 0;
    assert_true(scratch_change_each_byte(path, load_and_predict, &refused));
    assert_true(refused > 300);
    cnn_model_destroy(model);
}

static void no_memory_is_an_error_without_a_leak(void **state)
{
    const char *path = scratch_path(*state, "memory.safetensors");
    cnn_model *model = make_quantized(NULL), *loaded, *again;
    cnn_graph *graph;
    assert_ok(cnn_model_save(model, path));
    assert_ok(cnn_graph_create_net(NULL, "two_conv", NULL, &graph));
    scratch_memory memory = { 0 };
    cnn_context *context = scratch_context(&memory);
    cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
    for (memory.allowed = 0; status; memory.allowed++) {
        memory.taken = 0;
        status = cnn_model_load(context, path, &loaded);
        assert_true(!status || status == CNN_ERROR_OUT_OF_MEMORY);
        cnn_model_destroy(loaded);
        assert_int_equal(0, memory.held);
    }
    memory.allowed = 1 << 30;
    cnn_model *floats;
    cnn_tensor *images;
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 4, (int64_t[]){ 1, 64, 64, 3 }, &images));
    assert_ok(cnn_model_create(context, graph, 0, &floats));
    int held = memory.held;
    status = CNN_ERROR_OUT_OF_MEMORY;
    for (memory.allowed = 0; status; memory.allowed++) {
        memory.taken = 0;
        status = cnn_model_quantize(floats, images, &again);
        assert_true(!status || status == CNN_ERROR_OUT_OF_MEMORY);
        cnn_model_destroy(again);
        assert_int_equal(held, memory.held);
    }
    cnn_tensor_destroy(images);
    cnn_model_destroy(floats);
    cnn_graph_destroy(graph);
    cnn_context_destroy(context);
    cnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loaded_quantized_model_predicts_the_same_bits),
        cmocka_unit_test(a_quantized_model_is_not_written_to_onnx),
        cmocka_unit_test(weights_are_int8_in_the_file),
        cmocka_unit_test(damaged_quantization_is_refused),
        cmocka_unit_test(a_quantized_file_with_any_byte_changed_gives_at_worst_an_error),
        cmocka_unit_test(no_memory_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
