#include "test_model.h"

#include <string.h>

#include "optim/ema.h"

static void averages_follow_the_weights_with_a_decay_that_begins_low(void **state)
{
    (void)state;
    cnn_model *model = make_model(NULL, 13, 3);
    cnn_ema *ema;
    for (int i = 0; i < 39; i++)
        values_of(model, 0)[i] = 2;
    assert_ok(cnn_ema_create(model, 0.25f, &ema));
    double expected = 2;
    for (int t = 0; t < 6; t++) {
        for (int i = 0; i < 39; i++)
            values_of(model, 0)[i] = (float)t;
        cnn_ema_update(ema);
        double decay = (1.0 + t) / (10.0 + t); /* reaches 1/4 at t = 2 */
        decay = decay < 0.25 ? decay : 0.25;
        expected = decay * expected + (1 - decay) * t;
        assert_float_equal(expected, ema->weights->arrays[0].data[0], 1e-6);
        assert_float_equal(expected, ema->weights->arrays[0].data[38], 1e-6);
    }
    cnn_ema_destroy(ema);
    cnn_model_destroy(model);
}

static void running_statistics_are_averaged_with_the_weights(void **state)
{
    (void)state;
    cnn_graph *graph;
    cnn_model *model;
    assert_ok(cnn_graph_create(NULL, &graph));
    cnn_batch_norm(graph, cnn_input(graph, 2, 2, 3), NULL);
    assert_ok(cnn_model_create(NULL, graph, 1, &model));
    cnn_ema *ema;
    assert_ok(cnn_ema_create(model, 0.05f, &ema));
    assert_string_equal("batch_norm_1.running_variance", model->weights[3].name);
    values_of(model, 3)[2] = 5;
    cnn_ema_update(ema);
    cnn_snapshot_swap(ema->weights);
    assert_float_equal(0.05f * 1 + 0.95f * 5, values_of(model, 3)[2], 1e-6);
    assert_true(values_of(model, 3)[1] == 1); /* what doesn't change stays the same to the bit */
    cnn_ema_destroy(ema);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
}

static void swapping_twice_restores_every_bit(void **state)
{
    (void)state;
    cnn_model *model = make_model(NULL, 100, 7);
    float before[700];
    memcpy(before, values_of(model, 0), sizeof before);
    cnn_snapshot *snapshot;
    assert_ok(cnn_snapshot_create(model, &snapshot));
    memset(values_of(model, 0), 0, sizeof before);
    uint64_t version = model->version;
    cnn_snapshot_swap(snapshot);
    assert_memory_equal(before, values_of(model, 0), sizeof before);
    assert_int_not_equal(version, model->version);
    cnn_snapshot_swap(snapshot);
    assert_true(values_of(model, 0)[0] == 0);
    cnn_snapshot_apply(snapshot);
    assert_memory_equal(before, values_of(model, 0), sizeof before);
    cnn_snapshot_destroy(snapshot);
    cnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_follow_the_weights_with_a_decay_that_begins_low),
        cmocka_unit_test(running_statistics_are_averaged_with_the_weights),
        cmocka_unit_test(swapping_twice_restores_every_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
