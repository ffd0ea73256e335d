#define _GNU_SOURCE /* seteuid */
#include "../../test.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "../../scratch.h"
#include "core/file.h"
#include "core/memory.h"
#include "formats/safetensors/safetensors.h"
#include "runtime/model_internal.h"

static cnn_model *make_small(uint64_t seed)
{
    cnn_graph *g;
    cnn_model *model;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_input(g, 8, 8, 3);
    x = cnn_max_pool2d(g, cnn_relu(g, cnn_batch_norm(g, cnn_conv2d(g, x, 4, NULL), NULL)), NULL);
    cnn_dense(g, cnn_flatten(g, x), 1, NULL);
    assert_ok(cnn_model_create(NULL, g, seed, &model));
    cnn_graph_destroy(g);
    return model;
}

static void assert_same_weights(const cnn_model *a, const cnn_model *b)
{
    assert_int_equal(cnn_model_parameter_count(a), cnn_model_parameter_count(b));
    for (int32_t i = 0; i < cnn_model_parameter_count(a); i++) {
        cnn_parameter x = { .struct_size = sizeof x }, y = { .struct_size = sizeof y };
        assert_ok(cnn_model_parameter(a, i, &x));
        assert_ok(cnn_model_parameter(b, i, &y));
        assert_string_equal(x.name, y.name);
        assert_int_equal(cnn_tensor_bytes(x.value), cnn_tensor_bytes(y.value));
        assert_memory_equal(cnn_tensor_data(x.value), cnn_tensor_data(y.value), cnn_tensor_bytes(x.value));
    }
}

static float *predict(const cnn_model *model, int64_t count)
{
    const cnn_shape shape = cnn_model_input_shape(model);
    cnn_tensor *input, *output;
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 4, (int64_t[]){ count, shape.dims[0], shape.dims[1], shape.dims[2] },
                                &input));
    float *pixels = cnn_tensor_data(input);
    for (int64_t i = 0; i < cnn_tensor_count(input); i++)
        pixels[i] = (float)(i * 7919 % 255) / 127.5f - 1;
    float *logits = malloc((size_t)count * sizeof *logits);
    assert_non_null(logits);
    assert_ok(cnn_tensor_wrap(NULL, CNN_FLOAT32, 2, (int64_t[]){ count, 1 }, logits, &output));
    assert_ok(cnn_model_predict(model, input, output));
    cnn_tensor_destroy(output);
    cnn_tensor_destroy(input);
    return logits;
}

static void assert_comes_back(const cnn_model *model, const char *path)
{
    cnn_model *loaded;
    assert_ok(cnn_model_save(model, path));
    assert_ok(cnn_model_load(NULL, path, &loaded));
    assert_same_weights(model, loaded);
    float *before = predict(model, 2), *after = predict(loaded, 2);
    assert_memory_equal(before, after, 2 * sizeof *before);
    free(before);
    free(after);
    cnn_model_destroy(loaded);
}

static void a_loaded_model_predicts_the_same_bits(void **state)
{
    const char *path = scratch_path(*state, "net.safetensors");
    cnn_model *model = make_small(7);
    assert_comes_back(model, path);
    cnn_model_destroy(model);
    for (uint32_t i = 0; cnn_net_name(i); i++) {
        cnn_net_options options;
        cnn_graph *graph;
        cnn_net_options_init(&options);
        options.size = i == 2 ? 80 : 48;
        options.batch_norm = i == 1;
        assert_ok(cnn_graph_create_net(NULL, cnn_net_name(i), &options, &graph));
        assert_ok(cnn_model_create(NULL, graph, i, &model));
        assert_comes_back(model, path);
        cnn_model_destroy(model);
        cnn_graph_destroy(graph);
    }
}

static void changing_a_loaded_model_or_saving_it_in_its_place_leaves_others_as_they_are(void **state)
{
    const char *path = scratch_path(*state, "mapped.safetensors");
    cnn_model *model = make_small(7), *loaded, *other;
    assert_ok(cnn_model_save(model, path));
    assert_ok(cnn_model_load(NULL, path, &loaded));
    assert_ok(cnn_model_load(NULL, path, &other));
    for (int32_t i = 0; i < cnn_model_parameter_count(loaded); i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        assert_ok(cnn_model_parameter(loaded, i, &parameter));
        memset(cnn_tensor_data(parameter.value), 0, cnn_tensor_bytes(parameter.value));
    }
    assert_same_weights(model, other);
    assert_ok(cnn_model_save(loaded, path));
    assert_same_weights(model, other);
    cnn_model_destroy(other);
    assert_ok(cnn_model_load(NULL, path, &other));
    assert_same_weights(loaded, other);
    cnn_model_destroy(model);
    cnn_model_destroy(loaded);
    cnn_model_destroy(other);
}

/* As `cp` does, while a program uses the model. */
static void a_loaded_model_outlives_what_happens_to_its_file(void **state)
{
    const char *path = scratch_path(*state, "overwritten.safetensors");
    cnn_model *saved = make_small(1), *loaded;
    assert_ok(cnn_model_save(saved, path));
    assert_ok(cnn_model_load(NULL, path, &loaded));
    assert_int_equal(0, truncate(path, 0));
    assert_same_weights(saved, loaded);
    cnn_model_destroy(loaded);
    cnn_model_destroy(saved);
}

static void weights_kept_in_bfloat16_come_back_rounded(void **state)
{
    const char *path = scratch_path(*state, "rounded.safetensors");
    cnn_model *model = make_small(7), *loaded;
    assert_ok(cnn_model_save_as(model, path, CNN_BFLOAT16));
    assert_ok(cnn_model_load(NULL, path, &loaded));
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter x = { .struct_size = sizeof x }, y = { .struct_size = sizeof y };
        assert_ok(cnn_model_parameter(model, i, &x));
        assert_ok(cnn_model_parameter(loaded, i, &y));
        const float *a = cnn_tensor_data(x.value), *b = cnn_tensor_data(y.value);
        bool rounded = cnn_tensor_rank(x.value) > 1, changed = false;
        for (int64_t k = 0; k < cnn_tensor_count(x.value); k++) {
            assert_true(fabsf(a[k] - b[k]) <= fabsf(a[k]) / 256);
            changed = changed || a[k] != b[k];
        }
        assert_int_equal(rounded, changed);
    }
    assert_int_equal(CNN_ERROR_ARGUMENT, cnn_model_save_as(model, path, CNN_INT8));
    cnn_model_destroy(loaded);
    cnn_model_destroy(model);
}

static void notes_are_kept_and_the_files_own_are_not_among_them(void **state)
{
    const char *path = scratch_path(*state, "notes.safetensors");
    cnn_model *model = make_small(1), *loaded;
    assert_ok(cnn_model_set_metadata(model, "author", "\xC3\x89mile \"the\" author\n"));
    assert_ok(cnn_model_set_metadata(model, "cnn.classes", "[\"Cat\", \"Dog\"]"));
    assert_ok(cnn_model_set_metadata(model, "empty", ""));
    assert_ok(cnn_model_set_metadata(model, "format", "spoofed"));
    assert_ok(cnn_model_save(model, path));
    assert_ok(cnn_model_load(NULL, path, &loaded));
    assert_string_equal("\xC3\x89mile \"the\" author\n", cnn_model_metadata(loaded, "author"));
    assert_string_equal("[\"Cat\", \"Dog\"]", cnn_model_metadata(loaded, "cnn.classes"));
    assert_string_equal("", cnn_model_metadata(loaded, "empty"));
    assert_null(cnn_model_metadata(loaded, "format"));
    assert_null(cnn_model_metadata(loaded, "cnn.graph"));
    cnn_model_destroy(loaded);
    cnn_model_destroy(model);
}

static void a_model_file_cut_off_anywhere_is_refused(void **state)
{
    const char *path = scratch_path(*state, "whole.safetensors"), *cut = scratch_path(*state, "cut.safetensors");
    cnn_model *model = make_small(1);
    assert_ok(cnn_model_save(model, path));
    void *image;
    size_t size;
    assert_ok(cnn_file_read(NULL, path, 1 << 20, &image, &size));
    assert_int_equal(0, rename(path, cut));
    for (size_t length = size; length--;) {
        cnn_model *loaded;
        assert_int_equal(0, truncate(cut, (off_t)length));
        assert_status(CNN_ERROR_FORMAT, cnn_model_load(NULL, cut, &loaded));
        assert_null(loaded);
        assert_non_null(strstr(cnn_last_error(), "cut.safetensors: "));
    }
    cnn_release(NULL, image);
    cnn_model_destroy(model);
}

static void load(const char *path, void *refused)
{
    cnn_model *loaded;
    *(int *)refused += cnn_model_load(NULL, path, &loaded) != CNN_OK;
    cnn_model_destroy(loaded);
}

static void a_model_file_with_any_byte_changed_gives_at_worst_an_error(void **state)
{
    const char *path = scratch_path(*state, "changed.safetensors");
    cnn_model *model = make_small(1);
    assert_ok(cnn_model_save(model, path));
    int refused = 0;
    assert_true(scratch_change_each_byte(path, load, &refused));
    assert_true(refused > 300);
    cnn_model_destroy(model);
}

#define GRAPH                                                                                         \
    "{\"layers\":[{\"type\":\"input\",\"shape\":[2,2,3]},{\"type\":\"flatten\"},{\"name\":\"dense\"," \
    "\"type\":\"dense\",\"units\":1}]}"

/* Writes a file of these arrays and notes, and returns the sentence with which it is refused. */
static const char *refusal(void **state, cnn_status expected, const cnn_safetensors_array *arrays, size_t count,
                           const cnn_safetensors_metadata *notes, size_t note_count)
{
    const char *path = scratch_path(*state, "other.safetensors");
    assert_ok(cnn_safetensors_write(NULL, path, arrays, count, notes, note_count));
    cnn_model *model;
    assert_status(expected, cnn_model_load(NULL, path, &model));
    assert_null(model);
    return cnn_last_error();
}

#define assert_refused(status, arrays, count, notes, words) \
    assert_non_null(strstr(refusal(state, status, arrays, count, notes, sizeof(notes) / sizeof *(notes)), words))

static void files_that_are_no_models_are_refused(void **state)
{
    static const float zeros[13];
    const cnn_safetensors_array weight = { "dense.weight", CNN_FLOAT32, 2, { 12, 1 }, zeros, 48 };
    const cnn_safetensors_array bias = { "dense.bias", CNN_FLOAT32, 1, { 1 }, zeros, 4 };
    const cnn_safetensors_array sound[] = { weight, bias };
    const cnn_safetensors_metadata notes[] = { { "format", "cnn" }, { "cnn.version", "1" }, { "cnn.graph", GRAPH } };
    const cnn_safetensors_metadata foreign[] = { { "format", "pt" } };
    const cnn_safetensors_metadata later[] = { { "format", "cnn" }, { "cnn.version", "2" }, { "cnn.graph", "?" } };
    const cnn_safetensors_metadata sloping[] = {
        { "format", "cnn" },
        { "cnn.version", "1" },
        { "cnn.graph",
          "{\"layers\":[{\"type\":\"input\",\"shape\":[2,2,3]},{\"type\":\"leaky_relu\",\"slope\":-1}]}" }
    };
    const cnn_safetensors_metadata broken[] = { { "format", "cnn" }, { "cnn.version", "1" }, { "cnn.graph", "{}" } };
    assert_refused(CNN_ERROR_FORMAT, sound, 2, foreign, "no model of this library");
    assert_refused(CNN_ERROR_UNSUPPORTED, sound, 2, later, "version 2");
    assert_refused(CNN_ERROR_FORMAT, sound, 2, sloping, "a slope of -1 is not possible");
    assert_refused(CNN_ERROR_FORMAT, sound, 2, broken, "other.safetensors: graph: \"layers\"");
    assert_refused(CNN_ERROR_FORMAT, sound, 1, notes, "the array dense.bias is missing");

    const cnn_safetensors_array extra[] = { weight, bias, { "x", CNN_FLOAT32, 1, { 1 }, zeros, 4 } };
    assert_refused(CNN_ERROR_FORMAT, extra, 3, notes, "it has 3 arrays; its graph has 2");
    const cnn_safetensors_array shaped[] = { { "dense.weight", CNN_FLOAT32, 2, { 6, 2 }, zeros, 48 }, bias };
    assert_refused(CNN_ERROR_SHAPE, shaped, 2, notes,
                   "dense.weight is 6\xC3\x97"
                   "2; the graph has it as 12\xC3\x97"
                   "1");
    const cnn_safetensors_array typed[] = { weight, { "dense.bias", CNN_INT32, 1, { 1 }, zeros, 4 } };
    assert_refused(CNN_ERROR_UNSUPPORTED, typed, 2, notes, "dense.bias is not of type F32");
    const float infinite = 1e38f * 10;
    const cnn_safetensors_array bad[] = { weight, { "dense.bias", CNN_FLOAT32, 1, { 1 }, &infinite, 4 } };
    assert_refused(CNN_ERROR_NOT_FINITE, bad, 2, notes, "dense.bias holds a value that is not finite");
}

static void a_graph_that_asks_for_more_than_the_file_holds_is_refused(void **state)
{
    const cnn_safetensors_metadata notes[] = {
        { "format", "cnn" },
        { "cnn.version", "1" },
        { "cnn.graph", "{\"layers\":[{\"type\":\"input\",\"shape\":[100,100,3]},{\"type\":\"flatten\"},"
                       "{\"name\":\"dense\",\"type\":\"dense\",\"units\":4000}]}" },
    };
    assert_refused(CNN_ERROR_FORMAT, NULL, 0, notes, "the array dense.weight is missing");
}

static void a_model_that_is_not_finite_is_not_saved(void **state)
{
    const char *path = scratch_path(*state, "nan.safetensors");
    cnn_model *model = make_small(1);
    cnn_parameter parameter = { .struct_size = sizeof parameter };
    assert_ok(cnn_model_parameter(model, 0, &parameter));
    ((float *)cnn_tensor_data(parameter.value))[5] = 0.0f / 0.0f;
    assert_status(CNN_ERROR_NOT_FINITE, cnn_model_save(model, path));
    assert_non_null(strstr(cnn_last_error(), parameter.name));
    assert_int_equal(-1, access(path, F_OK));
    cnn_model_destroy(model);
}

static int count_entries(const char *folder)
{
    DIR *stream = opendir(folder);
    int count = 0;
    assert_non_null(stream);
    while (readdir(stream))
        count++;
    closedir(stream);
    return count - 2; /* . and .. */
}

/* A failed save leaves the older file, and nothing beside it. */
static void assert_older_file_is_whole(const char *folder, const char *path, const cnn_model *older)
{
    cnn_model *loaded;
    assert_int_equal(1, count_entries(folder));
    assert_ok(cnn_model_load(NULL, path, &loaded));
    assert_same_weights(older, loaded);
    cnn_model_destroy(loaded);
}

static void a_full_disk_leaves_the_older_file(void **state)
{
    const char *folder = scratch_path(*state, "full"), *path = scratch_path(*state, "full/m.safetensors");
    assert_int_equal(0, mkdir(folder, 0755));
    cnn_model *older = make_small(1), *newer = make_small(2);
    assert_ok(cnn_model_save(older, path));
    struct rlimit unlimited, limited;
    getrlimit(RLIMIT_FSIZE, &unlimited);
    limited = unlimited;
    limited.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limited);
    cnn_status status = cnn_model_save(newer, path);
    setrlimit(RLIMIT_FSIZE, &unlimited);
    assert_status(CNN_ERROR_IO, status);
    assert_non_null(strstr(cnn_last_error(), "full/m.safetensors: can't be written"));
    assert_older_file_is_whole(folder, path, older);
    cnn_model_destroy(newer);
    cnn_model_destroy(older);
}

static void a_read_only_folder_leaves_the_older_file(void **state)
{
    const char *folder = scratch_path(*state, "closed"), *path = scratch_path(*state, "closed/m.safetensors");
    assert_int_equal(0, mkdir(folder, 0755));
    cnn_model *older = make_small(1), *newer = make_small(2);
    assert_ok(cnn_model_save(older, path));
    assert_int_equal(0, chmod(folder, 0555));
    const uid_t user = geteuid();
    if (user == 0) /* whom no permission stops */
        assert_int_equal(0, seteuid(65534));
    cnn_status status = cnn_model_save(newer, path);
    if (user == 0)
        assert_int_equal(0, seteuid(user));
    chmod(folder, 0755);
    assert_status(CNN_ERROR_IO, status);
    assert_older_file_is_whole(folder, path, older);
    cnn_model_destroy(newer);
    cnn_model_destroy(older);
}

static void a_path_that_can_not_be_is_an_error(void **state)
{
    cnn_model *model = make_small(1), *loaded;
    assert_status(CNN_ERROR_IO, cnn_model_save(model, scratch_path(*state, "no/such/folder/m.safetensors")));
    assert_status(CNN_ERROR_IO, cnn_model_save(model, *state));
    assert_status(CNN_ERROR_IO, cnn_model_load(NULL, scratch_path(*state, "no.safetensors"), &loaded));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_save(NULL, "x"));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_save(model, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_load(NULL, NULL, &loaded));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_load(NULL, "x", NULL));
    cnn_model_destroy(model);
}

static void no_memory_is_an_error_without_a_leak(void **state)
{
    const char *path = scratch_path(*state, "memory.safetensors");
    cnn_model *model = make_small(1), *loaded;
    assert_ok(cnn_model_set_metadata(model, "key", "text"));
    assert_ok(cnn_model_save(model, path));
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
    cnn_context_destroy(context);
    cnn_model_destroy(model);
}

/* jansson's allocations, of which one fails. */
static int json_left, json_failed;

static void *allocate_json(size_t size)
{
    if (json_left-- == 0) {
        json_failed = 1;
        return NULL;
    }
    return malloc(size);
}

static void saving_without_memory_for_json_leaves_the_older_file(void **state)
{
    const char *path = scratch_path(*state, "json.safetensors");
    cnn_model *older = make_small(1), *newer = make_small(2), *loaded;
    assert_ok(cnn_model_set_metadata(newer, "key", "text"));
    assert_ok(cnn_model_save(older, path));
    json_set_alloc_funcs(allocate_json, free);
    int positions = 0;
    for (json_failed = 1; json_failed; positions++) {
        json_failed = 0;
        json_left = positions;
        cnn_status status = cnn_model_save(newer, path);
        json_left = -1;
        assert_int_equal(json_failed, status != CNN_OK);
        assert_ok(cnn_model_load(NULL, path, &loaded));
        assert_same_weights(status ? older : newer, loaded);
        cnn_model_destroy(loaded);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(positions > 100);
    cnn_model_destroy(newer);
    cnn_model_destroy(older);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loaded_model_predicts_the_same_bits),
        cmocka_unit_test(changing_a_loaded_model_or_saving_it_in_its_place_leaves_others_as_they_are),
        cmocka_unit_test(a_loaded_model_outlives_what_happens_to_its_file),
        cmocka_unit_test(saving_without_memory_for_json_leaves_the_older_file),
        cmocka_unit_test(weights_kept_in_bfloat16_come_back_rounded),
        cmocka_unit_test(notes_are_kept_and_the_files_own_are_not_among_them),
        cmocka_unit_test(a_model_file_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_model_file_with_any_byte_changed_gives_at_worst_an_error),
        cmocka_unit_test(files_that_are_no_models_are_refused),
        cmocka_unit_test(a_graph_that_asks_for_more_than_the_file_holds_is_refused),
        cmocka_unit_test(a_model_that_is_not_finite_is_not_saved),
        cmocka_unit_test(a_full_disk_leaves_the_older_file),
        cmocka_unit_test(a_read_only_folder_leaves_the_older_file),
        cmocka_unit_test(a_path_that_can_not_be_is_an_error),
        cmocka_unit_test(no_memory_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
