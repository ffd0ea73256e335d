/* Models in files that the program keeps itself. */
#include "../../memory_file.h"
#include "../../runtime/models.h"

static cnn_model *make_small(void)
{
    cnn_graph *g;
    cnn_model *model;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_relu(g, cnn_batch_norm(g, cnn_conv2d(g, cnn_input(g, 8, 8, 3), 4, NULL), NULL));
    cnn_dense(g, cnn_flatten(g, x), 2, NULL);
    assert_ok(cnn_model_create(NULL, g, 7, &model));
    cnn_graph_destroy(g);
    return model;
}

static memory_file save_small(void)
{
    memory_file file = { 0 };
    cnn_model *model = make_small();
    const cnn_file_callbacks callbacks = memory_file_callbacks(&file);
    assert_ok(cnn_model_save_to_callbacks(model, CNN_FLOAT32, &callbacks));
    cnn_model_destroy(model);
    file.calls = 0;
    return file;
}

static void assert_refused(cnn_status expected, const char *part, const cnn_file_callbacks *callbacks)
{
    cnn_model *model = (cnn_model *)1;
    assert_status(expected, cnn_model_load_from_callbacks(NULL, callbacks, &model));
    assert_null(model);
    if (!strstr(cnn_last_error(), part))
        fail_msg("'%s' isn't in: %s", part, cnn_last_error());
}

static void what_is_written_is_the_file(void **state)
{
    (void)state;
    memory_file file = save_small();
    cnn_model *model = make_small();
    void *bytes;
    size_t size;
    assert_ok(cnn_model_save_to_memory(model, CNN_FLOAT32, &bytes, &size));
    assert_int_equal(size, file.size);
    assert_memory_equal(bytes, file.bytes, size);
    cnn_bytes_free(bytes);
    cnn_model_destroy(model);
    free(file.bytes);
}

static void short_reads_are_continued(void **state)
{
    (void)state;
    static const size_t most[] = { 0, 1, 7, 1000 };
    memory_file file = save_small();
    const cnn_file_callbacks callbacks = memory_file_callbacks(&file);
    cnn_model *model = make_small(), *loaded;
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        file.most = most[i];
        assert_ok(cnn_model_load_from_callbacks(NULL, &callbacks, &loaded));
        for (int32_t k = 0; k < model->weights_count; k++)
            assert_memory_equal(model->weights[k].value->data, loaded->weights[k].value->data,
                                cnn_tensor_bytes(model->weights[k].value));
        cnn_model_destroy(loaded);
    }
    cnn_model_destroy(model);
    free(file.bytes);
}

/* Whichever call fails: that is an error, nothing is leaked, and nothing is called afterwards. */
static void each_call_may_fail(void **state)
{
    (void)state;
    memory_file file = save_small();
    const cnn_file_callbacks reading = memory_file_callbacks(&file);
    file.most = file.size / 9;
    for (file.failing = 1; file.failing <= 9; file.failing++, file.calls = 0) {
        uint64_t before = cnn_context_memory_in_use(NULL);
        assert_refused(CNN_ERROR_IO, "pets: can't be read: its read_at returned 5 at byte", &reading);
        assert_int_equal(file.failing, file.calls);
        assert_int_equal(before, cnn_context_memory_in_use(NULL));
    }
    cnn_model *model = make_small();
    int calls = 0;
    for (int failing = 1; failing < 100 && !calls; failing++) {
        memory_file written = { .failing = failing };
        const cnn_file_callbacks writing = memory_file_callbacks(&written);
        uint64_t before = cnn_context_memory_in_use(NULL);
        cnn_status status = cnn_model_save_to_callbacks(model, CNN_FLOAT32, &writing);
        assert_int_equal(before, cnn_context_memory_in_use(NULL));
        if (!status)
            calls = failing - 1;
        else {
            assert_status(CNN_ERROR_IO, status);
            assert_string_equal("pets: can't be written: its write returned 5", cnn_last_error());
            assert_int_equal(failing, written.calls);
        }
        free(written.bytes);
    }
    assert_int_equal(model->weights_count + 1, calls); /* the header, and each array */
    cnn_model_destroy(model);
    free(file.bytes);
}

static void callbacks_are_not_trusted(void **state)
{
    (void)state;
    memory_file file = save_small();
    cnn_file_callbacks callbacks = memory_file_callbacks(&file);
    callbacks.size++;
    assert_refused(CNN_ERROR_IO, "pets: can't be read: it ends at byte", &callbacks);
    callbacks.size = 1000;
    assert_refused(CNN_ERROR_FORMAT, "pets: ", &callbacks);
    callbacks.size = 0;
    assert_refused(CNN_ERROR_FORMAT, "pets: is empty", &callbacks);
    callbacks.size = UINT64_MAX;
    assert_refused(CNN_ERROR_LIMIT, "pets: is 18446744073709551615 bytes", &callbacks);
    file.excess = 1;
    callbacks.size = file.size;
    assert_refused(CNN_ERROR_IO, "pets: can't be read: its read_at gave", &callbacks);
    callbacks.read_at = NULL;
    assert_refused(CNN_ERROR_ARGUMENT, "pets: can't be read: its read_at is NULL", &callbacks);
    callbacks.name = NULL;
    assert_refused(CNN_ERROR_ARGUMENT, "the program's file: ", &callbacks);
    callbacks.struct_size = 0;
    assert_refused(CNN_ERROR_ARGUMENT, "struct_size is 0", &callbacks);
    cnn_model *model = make_small();
    cnn_file_callbacks_init(&callbacks);
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_save_to_callbacks(model, CNN_FLOAT32, &callbacks));
    cnn_model_destroy(model);
    free(file.bytes);
}

static void the_memory_limit_holds_before_anything_is_read(void **state)
{
    (void)state;
    memory_file file = save_small();
    cnn_file_callbacks callbacks = memory_file_callbacks(&file);
    cnn_context_options options;
    cnn_context *context;
    cnn_model *model;
    cnn_context_options_init(&options);
    options.memory_limit = 1 << 20;
    assert_ok(cnn_context_create(&options, &context));
    callbacks.size = 2 << 20;
    assert_status(CNN_ERROR_OUT_OF_MEMORY, cnn_model_load_from_callbacks(context, &callbacks, &model));
    assert_int_equal(0, file.calls);
    cnn_context_destroy(context);
    free(file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_the_file),
        cmocka_unit_test(short_reads_are_continued),
        cmocka_unit_test(each_call_may_fail),
        cmocka_unit_test(callbacks_are_not_trusted),
        cmocka_unit_test(the_memory_limit_holds_before_anything_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
