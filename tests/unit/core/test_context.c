#include "../test.h"

#include <stdlib.h>
#include <string.h>

#include "core/cancel.h"
#include "core/context_internal.h"
#include "core/memory.h"
#include "core/options.h"

static void *fail_to_allocate(size_t size, void *user)
{
    (void)size;
    ++*(int *)user;
    return NULL;
}

static void release_nothing(void *memory, void *user)
{
    (void)memory;
    (void)user;
}

static void a_null_context_stands_for_a_default_one(void **state)
{
    (void)state;
    assert_true(cnn_context_threads(NULL) >= 1);
    assert_true(strlen(cnn_context_instruction_set(NULL)) > 0);
}

static void the_environment_lowers_the_instruction_set(void **state)
{
    (void)state;
    setenv("CNN_CPU", "generic", 1);
    setenv("CNN_THREADS", "3", 1);
    cnn_context *context;
    assert_ok(cnn_context_create(NULL, &context));
    assert_string_equal("generic", cnn_context_instruction_set(context));
    assert_int_equal(3, cnn_context_threads(context));
    cnn_context_destroy(context);
    unsetenv("CNN_CPU");
    unsetenv("CNN_THREADS");
}

static void the_callers_allocator_is_used_and_may_fail(void **state)
{
    (void)state;
    int calls = 0;
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.allocate = fail_to_allocate;
    options.release = release_nothing;
    options.allocator_user = &calls;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    cnn_tensor *tensor;
    assert_status(CNN_ERROR_OUT_OF_MEMORY, cnn_tensor_create(context, CNN_FLOAT32, 1, (int64_t[]){ 4 }, &tensor));
    assert_int_equal(1, calls);
    cnn_context_destroy(context);

    options.release = NULL;
    assert_status(CNN_ERROR_ARGUMENT, cnn_context_create(&options, &context));
}

static void keep_message(cnn_log_level level, const char *message, void *user)
{
    (void)level;
    strncpy(user, message, 63);
}

static void the_log_goes_to_the_callback(void **state)
{
    (void)state;
    char message[64] = "";
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.log = keep_message;
    options.log_user = message;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    cnn_log(context, CNN_LOG_WARNING, "%d files", 3);
    assert_string_equal("3 files", message);
    assert_ok(cnn_context_set_log(context, NULL, NULL));
    cnn_log(context, CNN_LOG_WARNING, "lost");
    assert_string_equal("3 files", message);
    cnn_context_destroy(context);
}

static void the_default_contexts_log_can_be_set(void **state)
{
    (void)state;
    char message[64] = "";
    cnn_log(NULL, CNN_LOG_WARNING, "lost");
    assert_ok(cnn_context_set_log(NULL, keep_message, message));
    cnn_log(NULL, CNN_LOG_WARNING, "%d files", 4);
    assert_string_equal("4 files", message);
    assert_ok(cnn_context_set_log(NULL, NULL, NULL));
    cnn_log(NULL, CNN_LOG_WARNING, "lost");
    assert_string_equal("4 files", message);
}

static void a_cancellation_ends_what_has_begun_before_it(void **state)
{
    (void)state;
    cnn_context *context;
    cnn_work outer, inner, other;
    assert_ok(cnn_context_create(NULL, &context));
    cnn_context_cancel(context);
    assert_ok(cnn_work_check("nothing"));
    cnn_work_begin(&outer, context);
    assert_ok(cnn_work_check("outer"));
    cnn_context_cancel(NULL); /* another context */
    assert_ok(cnn_work_check("outer"));
    cnn_context_cancel(context);
    cnn_work_begin(&inner, context); /* a part of what was cancelled */
    assert_status(CNN_ERROR_STOPPED, cnn_work_check("inner"));
    assert_string_equal("inner: was cancelled", cnn_last_error());
    cnn_work_end(&inner);
    cnn_work_begin(&other, NULL);
    assert_status(CNN_ERROR_STOPPED, cnn_work_check("other"));
    cnn_work_end(&other);
    cnn_work_end(&outer);
    cnn_work_begin(&outer, context);
    assert_ok(cnn_work_check("outer"));
    cnn_work_end(&outer);
    cnn_context_destroy(context);
}

static void options_of_an_older_caller_keep_the_newer_defaults(void **state)
{
    (void)state;
    struct {
        uint32_t struct_size;
        int32_t a, b;
    } full = { sizeof full, 1, 2 }, given = { 8, 10, 20 };
    assert_ok(cnn_options_read(&full, sizeof full, &given, "test"));
    assert_int_equal(10, full.a);
    assert_int_equal(2, full.b);
}

static void options_that_are_not_known_are_refused_only_if_set(void **state)
{
    (void)state;
    struct {
        uint32_t struct_size;
        int32_t a;
    } full = { sizeof full, 1 };
    struct {
        uint32_t struct_size;
        int32_t a, newer;
    } given = { sizeof given, 5, 0 };
    assert_ok(cnn_options_read(&full, sizeof full, &given, "test"));
    assert_int_equal(5, full.a);
    given.newer = 1;
    assert_status(CNN_ERROR_UNSUPPORTED, cnn_options_read(&full, sizeof full, &given, "test"));
    given.struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_options_read(&full, sizeof full, &given, "test"));
}

static void an_array_grows_and_keeps_its_elements(void **state)
{
    (void)state;
    int *array = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 100; i++) {
        assert_true(cnn_grow(NULL, (void **)&array, &capacity, (size_t)i + 1, sizeof *array));
        array[i] = i;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(i, array[i]);
    size_t before = capacity;
    assert_false(cnn_grow(NULL, (void **)&array, &capacity, SIZE_MAX / 2, sizeof *array));
    assert_int_equal(before, capacity);
    cnn_release(NULL, array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_null_context_stands_for_a_default_one),
        cmocka_unit_test(the_environment_lowers_the_instruction_set),
        cmocka_unit_test(the_callers_allocator_is_used_and_may_fail),
        cmocka_unit_test(the_log_goes_to_the_callback),
        cmocka_unit_test(the_default_contexts_log_can_be_set),
        cmocka_unit_test(a_cancellation_ends_what_has_begun_before_it),
        cmocka_unit_test(options_of_an_older_caller_keep_the_newer_defaults),
        cmocka_unit_test(options_that_are_not_known_are_refused_only_if_set),
        cmocka_unit_test(an_array_grows_and_keeps_its_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
