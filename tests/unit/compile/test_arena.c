#include "../runtime/models.h"
#include "compile/passes.h"
#include "runtime/session.h"

static void assert_no_overlap(const cnn_buffer *buffers, int32_t first, int32_t count, size_t bytes)
{
    for (int32_t i = first; i < count; i++) {
        const cnn_buffer *a = &buffers[i];
        assert_int_equal(0, a->offset % 64);
        assert_true(a->offset + a->bytes <= bytes);
        for (int32_t k = first; k < i; k++) {
            const cnn_buffer *b = &buffers[k];
            bool apart = a->last < b->first || b->last < a->first || a->offset + a->bytes <= b->offset ||
                         b->offset + b->bytes <= a->offset;
            if (!apart)
                fail_msg("buffers %d and %d are in use at once and overlap", (int)i, (int)k);
        }
    }
}

/* What no arena can do with less. */
static size_t most_in_use(const cnn_buffer *buffers, int32_t first, int32_t count, int32_t times)
{
    size_t most = 0;
    for (int32_t t = 0; t <= times; t++) {
        size_t sum = 0;
        for (int32_t i = first; i < count; i++)
            sum += buffers[i].first <= t && t <= buffers[i].last ? buffers[i].bytes : 0;
        most = sum > most ? sum : most;
    }
    return most;
}

static void buffers_in_use_at_once_lie_apart(void **state)
{
    (void)state;
    enum { COUNT = 60, TIMES = 40 };
    for (uint64_t seed = 0; seed < 50; seed++) {
        cnn_random random;
        cnn_random_init(&random, seed, CNN_RANDOM_SPLIT, 0, 0);
        cnn_buffer buffers[COUNT];
        for (int i = 0; i < COUNT; i++) {
            int32_t first = (int32_t)cnn_random_below(&random, TIMES);
            buffers[i] = (cnn_buffer){ .bytes = 1 + cnn_random_below(&random, 5000),
                                       .first = first,
                                       .last = first + (int32_t)cnn_random_below(&random, 10) };
        }
        size_t bytes;
        assert_ok(cnn_arena_assign(NULL, buffers, 0, COUNT, &bytes));
        assert_no_overlap(buffers, 0, COUNT, bytes);
        assert_true(bytes >= most_in_use(buffers, 0, COUNT, TIMES + 10));
        assert_true(bytes <= 2 * most_in_use(buffers, 0, COUNT, TIMES + 10));
    }
}

static cnn_program *program_of(const cnn_model *model, bool training)
{
    cnn_program_source source = cnn_model_source(model);
    cnn_program *program;
    assert_ok(cnn_program_create(&source, (cnn_purpose){ .training = training }, &program));
    return program;
}

static void programs_of_random_graphs_keep_live_buffers_apart(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        cnn_graph *graph = random_graph(NULL, seed, false);
        cnn_model *model;
        assert_ok(cnn_model_create_blank(NULL, graph, &model));
        for (int training = 0; training < 2; training++) {
            cnn_program *program = program_of(model, training);
            assert_no_overlap(program->buffers, CNN_BUFFER_FIRST, program->buffer_count, program->image_bytes);
            cnn_program_destroy(program);
        }
        cnn_model_destroy(model);
        cnn_graph_destroy(graph);
    }
}

/* What a session for so many images takes. */
static size_t bytes_of(const char *net, int64_t images, bool training)
{
    cnn_graph *graph;
    cnn_model *model;
    assert_ok(cnn_graph_create_net(NULL, net, NULL, &graph));
    assert_ok(cnn_model_create_blank(NULL, graph, &model));
    cnn_program *program = program_of(model, training);
    cnn_session *session = cnn_session_create(NULL);
    assert_non_null(session);
    assert_ok(cnn_session_reserve(session, program, images));
    size_t bytes = (size_t)images * program->image_bytes + session->scratch_bytes;
    cnn_session_destroy(session);
    cnn_program_destroy(program);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
    return bytes;
}

static void training_four_conv_by_32_stays_below_150_megabytes(void **state)
{
    (void)state;
    size_t bytes = bytes_of("four_conv", 32, true);
    print_message("four_conv, batch 32, training: %.1f MB\n", (double)bytes / 1e6);
    assert_true(bytes < 150000000);
}

static void predicting_one_image_by_four_conv_takes_below_10_megabytes(void **state)
{
    (void)state;
    size_t bytes = bytes_of("four_conv", 1, false);
    print_message("four_conv, one image: %.1f MB\n", (double)bytes / 1e6);
    assert_true(bytes < 10000000);
}

static void batches_too_large_for_memory_are_refused(void **state)
{
    (void)state;
    cnn_graph *graph;
    cnn_model *model;
    assert_ok(cnn_graph_create_net(NULL, "two_conv", NULL, &graph));
    assert_ok(cnn_model_create_blank(NULL, graph, &model));
    cnn_program *program = program_of(model, true);
    cnn_session *session = cnn_session_create(NULL);
    assert_non_null(session);
    assert_status(CNN_ERROR_LIMIT, cnn_session_reserve(session, program, INT64_MAX / 2));
    cnn_session_destroy(session);
    cnn_program_destroy(program);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_in_use_at_once_lie_apart),
        cmocka_unit_test(programs_of_random_graphs_keep_live_buffers_apart),
        cmocka_unit_test(training_four_conv_by_32_stays_below_150_megabytes),
        cmocka_unit_test(predicting_one_image_by_four_conv_takes_below_10_megabytes),
        cmocka_unit_test(batches_too_large_for_memory_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
