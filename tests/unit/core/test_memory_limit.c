/* What a context counts and refuses, and that its memory goes back where it is from. */
#include "../test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/context_internal.h"
#include "core/memory.h"

enum { LIMIT = 1 << 20 };

static cnn_context *create_limited(uint64_t bytes)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 1;
    options.memory_limit = bytes;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    return context;
}

static void memory_is_counted_and_given_back(void **state)
{
    (void)state;
    cnn_context *context = create_limited(0);
    assert_int_equal(0, cnn_context_memory_in_use(context));
    void *a = cnn_allocate(context, 100000), *b = cnn_allocate(context, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(0, (uintptr_t)a % 64);
    assert_int_equal(0, (uintptr_t)b % 64);
    uint64_t used = cnn_context_memory_in_use(context);
    assert_in_range(used, 100000, 105000);
    cnn_release(context, a);
    cnn_release_to_owner(b);
    assert_int_equal(0, cnn_context_memory_in_use(context));
    assert_int_equal(used, cnn_context_memory_peak(context));
    cnn_context_destroy(context);
}

static void what_exceeds_the_limit_is_refused_with_the_remedy(void **state)
{
    (void)state;
    cnn_context *context = create_limited(LIMIT);
    assert_null(cnn_allocate(context, LIMIT));
    assert_non_null(strstr(cnn_last_error(), "1048576"));
    assert_non_null(strstr(cnn_last_error(), "memory_limit"));
    assert_null(cnn_allocate(context, SIZE_MAX));
    assert_null(cnn_allocate(context, SIZE_MAX - 64));
    assert_int_equal(0, cnn_context_memory_in_use(context));
    void *most = cnn_allocate(context, LIMIT - 5000);
    assert_non_null(most);
    assert_null(cnn_allocate(context, 5000));
    cnn_release(context, most);
    most = cnn_allocate(context, LIMIT - 5000);
    assert_non_null(most);
    cnn_release(context, most);
    cnn_context_destroy(context);
}

static cnn_status predict_large(cnn_context *context, const char *path)
{
    (void)path;
    cnn_graph *graph = NULL;
    cnn_model *model = NULL;
    cnn_tensor *input = NULL, *output = NULL;
    cnn_status status = cnn_graph_create(context, &graph);
    if (!status) {
        cnn_global_avg_pool(graph, cnn_conv2d(graph, cnn_input(graph, 64, 64, 3), 64, NULL));
        status = cnn_model_create(context, graph, 1, &model);
    }
    if (!status)
        status = cnn_tensor_create(context, CNN_FLOAT32, 4, (int64_t[]){ 1, 64, 64, 3 }, &input);
    if (!status)
        status = cnn_tensor_create(context, CNN_FLOAT32, 2, (int64_t[]){ 1, 64 }, &output);
    if (!status)
        status = cnn_model_predict(model, input, output);
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(output);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
    return status;
}

static void a_prediction_keeps_within_the_limit(void **state)
{
    (void)state;
    cnn_context *context = create_limited(0);
    assert_ok(predict_large(context, NULL));
    assert_int_equal(0, cnn_context_memory_in_use(context));
    uint64_t needed = cnn_context_memory_peak(context);
    assert_true(needed > LIMIT / 2);
    cnn_context_destroy(context);

    context = create_limited(needed);
    assert_ok(predict_large(context, NULL));
    cnn_context_destroy(context);

    for (uint64_t limit = 1; limit < needed; limit += 1 + needed / 50) {
        context = create_limited(limit);
        assert_status(CNN_ERROR_OUT_OF_MEMORY, predict_large(context, NULL));
        assert_non_null(strstr(cnn_last_error(), "memory_limit"));
        assert_int_equal(0, cnn_context_memory_in_use(context));
        assert_true(cnn_context_memory_peak(context) <= limit);
        cnn_context_destroy(context);
    }
}

/* --- the default context --- */

static void nothing_is_known_of_a_default_context_that_nobody_needed(void **state)
{
    (void)state;
    assert_null(cnn_context_or_made_default(NULL));
    assert_int_equal(0, cnn_context_memory_in_use(NULL));
    assert_int_equal(0, cnn_context_memory_peak(NULL));
    assert_null(cnn_context_or_made_default(NULL));
}

/* An allocator of the caller's, which knows its own memory and may fail. */
typedef struct ledger {
    long held, number, fails_at; /* 0: none does */
} ledger;

static const uint64_t mark = 0xcafef00d12345678;

static void *allocate_marked(size_t size, void *user)
{
    ledger *l = user;
    if (++l->number == l->fails_at)
        return NULL;
    char *memory = aligned_alloc(64, (size + 127) / 64 * 64);
    if (!memory)
        return NULL;
    l->held++;
    memcpy(memory, &mark, sizeof mark);
    return memory + 64;
}

static void release_marked(void *memory, void *user)
{
    ledger *l = user;
    assert_memory_equal((char *)memory - 64, &mark, sizeof mark);
    l->held--;
    free((char *)memory - 64);
}

static cnn_context *create_marking(ledger *l)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 1;
    options.allocate = allocate_marked;
    options.release = release_marked;
    options.allocator_user = l;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    return context;
}

static cnn_status write_and_read(cnn_context *context, const char *path)
{
    cnn_graph *graph = NULL;
    cnn_model *model = NULL, *again = NULL;
    char *text = NULL, *summary = NULL;
    cnn_status status = cnn_graph_create(context, &graph);
    if (!status) {
        cnn_dense(graph, cnn_global_avg_pool(graph, cnn_conv2d(graph, cnn_input(graph, 8, 8, 3), 4, NULL)), 2, NULL);
        status = cnn_graph_to_json(graph, &text);
    }
    if (!status)
        status = cnn_model_create(context, graph, 1, &model);
    if (!status)
        status = cnn_model_summary(model, &summary);
    if (!status)
        status = cnn_model_save(model, path);
    if (!status)
        status = cnn_model_load(context, path, &again);
    cnn_text_free(text);
    cnn_text_free(summary);
    cnn_model_destroy(again);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
    return status;
}

static void one_allocation_that_fails_leaves_nothing_behind(void **state)
{
    (void)state;
    char path[] = "/tmp/cnn-memory-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    ledger l = { 0 };
    cnn_context *context = create_marking(&l);
    cnn_status (*const uses[])(cnn_context *, const char *) = { write_and_read, predict_large };
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
        for (long at = 1; status; at++) {
            l = (ledger){ .fails_at = at };
            status = uses[i](context, path);
            assert_true(!status || status == CNN_ERROR_OUT_OF_MEMORY);
            assert_int_equal(0, l.held);
        }
    }
    assert_int_equal(0, cnn_context_memory_in_use(context));
    cnn_context_destroy(context);
    unlink(path);
    assert_null(cnn_context_or_made_default(NULL));
}

static bool pools_fail;
cnn_pool *__real_cnn_pool_create(uint32_t threads, uint32_t processors);
cnn_pool *__wrap_cnn_pool_create(uint32_t threads, uint32_t processors);

/* The linker puts this in the place of the library's. */
cnn_pool *__wrap_cnn_pool_create(uint32_t threads, uint32_t processors)
{
    return pools_fail ? NULL : __real_cnn_pool_create(threads, processors);
}

static void a_default_context_that_failed_is_tried_again(void **state)
{
    (void)state;
    cnn_tensor *tensor;
    pools_fail = true;
    assert_status(CNN_ERROR_OUT_OF_MEMORY, cnn_tensor_create(NULL, CNN_FLOAT32, 0, NULL, &tensor));
    assert_int_equal(1, cnn_context_threads(NULL));
    pools_fail = false;
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 0, NULL, &tensor));
    cnn_tensor_destroy(tensor);
    assert_true(cnn_context_threads(NULL) >= 1);
    assert_non_null(cnn_context_or_made_default(NULL));
    assert_ptr_equal(cnn_context_or_default(NULL), cnn_context_or_made_default(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_of_a_default_context_that_nobody_needed),
        cmocka_unit_test(memory_is_counted_and_given_back),
        cmocka_unit_test(what_exceeds_the_limit_is_refused_with_the_remedy),
        cmocka_unit_test(a_prediction_keeps_within_the_limit),
        cmocka_unit_test(one_allocation_that_fails_leaves_nothing_behind),
        cmocka_unit_test(a_default_context_that_failed_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
