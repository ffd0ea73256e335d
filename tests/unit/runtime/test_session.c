/* What a session holds, and that predictions after the first take no lock. */
#include <stdatomic.h>

#include "core/thread.h"
#include "models.h"
#include "runtime/session.h"

static atomic_long locks;

void __real_cnn_mutex_lock(cnn_mutex *mutex);
void __wrap_cnn_mutex_lock(cnn_mutex *mutex);

void __wrap_cnn_mutex_lock(cnn_mutex *mutex)
{
    atomic_fetch_add(&locks, 1);
    __real_cnn_mutex_lock(mutex);
}

static cnn_model *model_of(cnn_context *context, uint64_t seed)
{
    cnn_graph *graph = random_graph(context, seed, false);
    cnn_model *model;
    assert_ok(cnn_model_create(context, graph, seed, &model));
    cnn_graph_destroy(graph);
    return model;
}

static void predict(const cnn_model *model, int64_t images)
{
    cnn_tensor *input = batch_of(images, cnn_model_input_shape(model), 1);
    cnn_tensor *output = batch_of(images, cnn_model_output_shape(model), 1);
    assert_ok(cnn_model_predict(model, input, output));
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(output);
}

/* With one thread, as several have a lock of their own to sleep by. */
static void predictions_take_no_lock_but_the_first(void **state)
{
    (void)state;
    cnn_context *context = context_of(1);
    cnn_model *model = model_of(context, 3);
    atomic_store(&locks, 0);
    predict(model, 5);
    assert_true(atomic_load(&locks) > 0);
    atomic_store(&locks, 0);
    for (int64_t images = 1; images <= 40; images++)
        predict(model, images);
    assert_int_equal(0, atomic_load(&locks));
    cnn_model_changed(model);
    predict(model, 5);
    assert_true(atomic_load(&locks) > 0); /* the weights are packed anew, */
    atomic_store(&locks, 0);
    predict(model, 5); /* once */
    assert_int_equal(0, atomic_load(&locks));
    cnn_model_destroy(model);
    cnn_context_destroy(context);
}

static void run(const cnn_program *program, cnn_session *session, const cnn_tensor *input, int64_t images,
                float *output)
{
    const cnn_run run = { .program = program, .session = session, .images = images, .input = input->data };
    const cnn_layer *last = &program->operations[program->count - 1].layer;
    cnn_run_forward(&run);
    memcpy(output, cnn_run_output(&run, 0), (size_t)(images * cnn_shape_count(&last->output)) * sizeof *output);
}

/* Fewer images lie closer together; they need no other program, and their bits are those of a session made for them. */
static void a_session_runs_fewer_images_than_it_has_room_for(void **state)
{
    (void)state;
    enum { MOST = 9, OUTPUTS = 3 };
    for (uint64_t seed = 0; seed < 10; seed++) {
        cnn_model *model = model_of(NULL, seed);
        cnn_program_source source = cnn_model_source(model);
        cnn_program *program;
        assert_ok(cnn_program_create(&source, (cnn_purpose){ 0 }, &program));
        cnn_tensor *input = batch_of(MOST, cnn_model_input_shape(model), seed);
        cnn_session *large = cnn_session_create(NULL);
        assert_non_null(large);
        assert_ok(cnn_session_reserve(large, program, MOST));
        for (int64_t images = MOST; images > 0; images--) {
            float expected[MOST * OUTPUTS], got[MOST * OUTPUTS];
            cnn_session *exact = cnn_session_create(NULL);
            assert_non_null(exact);
            assert_ok(cnn_session_reserve(exact, program, images));
            assert_ok(cnn_session_reserve(large, program, images));
            assert_int_equal(MOST, large->images);
            assert_true(large->scratch_bytes >= exact->scratch_bytes);
            run(program, exact, input, images, expected);
            run(program, large, input, images, got);
            assert_memory_equal(expected, got, (size_t)(images * OUTPUTS) * sizeof *got);
            cnn_session_destroy(exact);
        }
        cnn_session_destroy(large);
        cnn_tensor_destroy(input);
        cnn_program_destroy(program);
        cnn_model_destroy(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_take_no_lock_but_the_first),
        cmocka_unit_test(a_session_runs_fewer_images_than_it_has_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
