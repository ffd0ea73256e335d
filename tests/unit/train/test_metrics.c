#include "../test.h"

#include <math.h>

static void add(cnn_metrics *metrics, uint32_t label, float probability, double loss)
{
    assert_ok(cnn_metrics_add(metrics, label, (float[]){ 1 - probability, probability }, probability >= 0.5f, loss));
}

static cnn_metrics_result result_of(const cnn_metrics *metrics)
{
    cnn_metrics_result result = { .struct_size = sizeof result };
    assert_ok(cnn_metrics_compute(metrics, &result));
    return result;
}

static void two_classes_are_measured_by_class_1(void **state)
{
    (void)state;
    cnn_metrics *metrics;
    assert_ok(cnn_metrics_create(NULL, 2, &metrics));
    add(metrics, 1, 0.9f, 0.1); /* right */
    add(metrics, 1, 0.5f, 0.2); /* right */
    add(metrics, 1, 0.4f, 0.9); /* missed */
    add(metrics, 0, 0.5f, 0.7); /* false alarm */
    add(metrics, 0, 0.1f, 0.1); /* right */
    cnn_metrics_result result = result_of(metrics);
    assert_int_equal(5, result.images);
    assert_int_equal(2, result.classes);
    assert_float_equal(0.4, result.loss, 1e-7);
    assert_float_equal(0.6, result.accuracy, 1e-7);
    assert_float_equal(2.0 / 3, result.precision, 1e-7);
    assert_float_equal(2.0 / 3, result.recall, 1e-7);
    assert_float_equal(2.0 / 3, result.f1, 1e-7);
    assert_float_equal((2 + 1.5 + 1) / 6, result.auc, 1e-7); /* 0.9 beats both, 0.5 ties and beats, 0.4 beats one */
    assert_int_equal(2, cnn_metrics_confusion(metrics, 1, 1));
    assert_int_equal(1, cnn_metrics_confusion(metrics, 1, 0));
    assert_int_equal(1, cnn_metrics_confusion(metrics, 0, 1));
    assert_int_equal(1, cnn_metrics_confusion(metrics, 0, 0));
    assert_int_equal(0, cnn_metrics_confusion(metrics, 2, 0));
    cnn_metrics_destroy(metrics);
}

static void each_class_is_measured_by_itself(void **state)
{
    (void)state;
    cnn_metrics *metrics;
    assert_ok(cnn_metrics_create(NULL, 3, &metrics));
    const uint32_t decisions[][2] = { { 0, 0 }, { 0, 1 }, { 1, 1 }, { 1, 1 } };
    for (int i = 0; i < 4; i++)
        assert_ok(cnn_metrics_add(metrics, decisions[i][0], (float[]){ 0.4f, 0.4f, 0.2f }, decisions[i][1], 1));
    cnn_class_result result = { .struct_size = sizeof result };
    assert_ok(cnn_metrics_compute_class(metrics, 1, &result));
    assert_int_equal(2, result.images);
    assert_float_equal(2.0 / 3, result.precision, 1e-7);
    assert_float_equal(1, result.recall, 1e-7);
    assert_float_equal(0.8, result.f1, 1e-7);
    assert_ok(cnn_metrics_compute_class(metrics, 2, &result));
    assert_true(result.images == 0 && result.precision == 0 && result.recall == 0 && result.f1 == 0);
    assert_status(CNN_ERROR_ARGUMENT, cnn_metrics_compute_class(metrics, 3, &result));
    assert_status(CNN_ERROR_ARGUMENT, cnn_metrics_compute_class(NULL, 0, &result));
    assert_status(CNN_ERROR_ARGUMENT, cnn_metrics_compute_class(metrics, 0, NULL));
    cnn_metrics_destroy(metrics);
}

static void the_calibration_error_is_the_distance_of_confidence_from_accuracy_in_bins(void **state)
{
    (void)state;
    cnn_metrics *metrics;
    assert_ok(cnn_metrics_create(NULL, 2, &metrics));
    assert_true(isnan(result_of(metrics).calibration_error));
    for (int i = 0; i < 10; i++)
        add(metrics, i < 9, 0.9f, 0); /* as sure as right */
    assert_float_equal(0, result_of(metrics).calibration_error, 1e-7);
    for (int i = 0; i < 10; i++)
        add(metrics, i < 2, 0.3f, 0); /* sure of class 0 by 0.7, right by 0.8 */
    assert_float_equal(0.05, result_of(metrics).calibration_error, 1e-7);
    cnn_metrics_reset(metrics);
    add(metrics, 1, 1, 0);
    add(metrics, 0, 1, 0);
    assert_float_equal(0.5, result_of(metrics).calibration_error, 1e-7);
    cnn_metrics_destroy(metrics);
}

static void the_area_counts_ties_as_half(void **state)
{
    (void)state;
    cnn_metrics *metrics;
    assert_ok(cnn_metrics_create(NULL, 2, &metrics));
    for (int i = 0; i < 10; i++)
        add(metrics, i % 2 == 0, 0.7f, 0);
    assert_float_equal(0.5, result_of(metrics).auc, 0);
    cnn_metrics_reset(metrics);
    for (int i = 0; i < 1000; i++)
        add(metrics, i >= 300, (float)i / 1000, 0);
    assert_float_equal(1, result_of(metrics).auc, 0);
    cnn_metrics_reset(metrics);
    for (int i = 0; i < 1000; i++)
        add(metrics, i < 300, (float)(i / 10) / 100, 0);
    assert_float_equal(0, result_of(metrics).auc, 0);
    cnn_metrics_destroy(metrics);
}

static void more_classes_are_measured_by_their_mean(void **state)
{
    (void)state;
    const struct {
        uint32_t label, predicted;
        float probabilities[3];
    } images[] = {
        { 0, 0, { 0.8f, 0.1f, 0.1f } }, { 0, 1, { 0.3f, 0.4f, 0.3f } }, { 1, 1, { 0.1f, 0.8f, 0.1f } },
        { 2, 1, { 0.2f, 0.5f, 0.3f } }, { 2, 2, { 0.1f, 0.1f, 0.8f } },
    };
    cnn_metrics *metrics;
    assert_ok(cnn_metrics_create(NULL, 3, &metrics));
    for (int i = 0; i < 5; i++)
        assert_ok(cnn_metrics_add(metrics, images[i].label, images[i].probabilities, images[i].predicted, 1));
    cnn_metrics_result result = result_of(metrics);
    assert_float_equal(0.6, result.accuracy, 1e-7);
    assert_float_equal((1 + 1.0 / 3 + 1) / 3, result.precision, 1e-7);
    assert_float_equal((0.5 + 1 + 0.5) / 3, result.recall, 1e-7);
    assert_float_equal((2.0 / 3 + 0.5 + 2.0 / 3) / 3, result.f1, 1e-7);
    assert_float_equal((1 + 1 + 5.5 / 6) / 3, result.auc, 1e-7);
    cnn_metrics_destroy(metrics);
}

static void what_cannot_be_measured_is_nan_or_zero(void **state)
{
    (void)state;
    cnn_metrics *metrics;
    assert_ok(cnn_metrics_create(NULL, 2, &metrics));
    cnn_metrics_result result = result_of(metrics);
    assert_true(isnan(result.loss) && isnan(result.accuracy) && isnan(result.f1) && isnan(result.auc));
    add(metrics, 0, 0.1f, 0.5);
    result = result_of(metrics);
    assert_true(isnan(result.auc));
    assert_true(result.accuracy == 1 && result.precision == 0 && result.recall == 0 && result.f1 == 0);
    cnn_metrics_destroy(metrics);
}

static void impossible_images_are_refused(void **state)
{
    (void)state;
    cnn_metrics *metrics;
    assert_status(CNN_ERROR_ARGUMENT, cnn_metrics_create(NULL, 1, &metrics));
    assert_status(CNN_ERROR_ARGUMENT, cnn_metrics_create(NULL, 1001, &metrics));
    assert_ok(cnn_metrics_create(NULL, 2, &metrics));
    const float even[] = { 0.5f, 0.5f };
    assert_status(CNN_ERROR_ARGUMENT, cnn_metrics_add(metrics, 2, even, 0, 0));
    assert_status(CNN_ERROR_ARGUMENT, cnn_metrics_add(metrics, 0, even, 2, 0));
    assert_status(CNN_ERROR_ARGUMENT, cnn_metrics_add(metrics, 0, NULL, 0, 0));
    assert_status(CNN_ERROR_NOT_FINITE, cnn_metrics_add(metrics, 0, (float[]){ NAN, NAN }, 0, 0));
    assert_status(CNN_ERROR_NOT_FINITE, cnn_metrics_add(metrics, 0, even, 0, (double)NAN));
    assert_status(CNN_ERROR_NOT_FINITE, cnn_metrics_add(metrics, 0, even, 0, (double)INFINITY));
    assert_status(CNN_ERROR_ARGUMENT, cnn_metrics_add(metrics, 0, (float[]){ 5, -4 }, 0, 0));
    assert_status(CNN_ERROR_ARGUMENT, cnn_metrics_add(metrics, 0, (float[]){ 0.2f, 0.2f }, 0, 0));
    assert_status(CNN_ERROR_ARGUMENT, cnn_metrics_compute(metrics, NULL));
    assert_int_equal(0, result_of(metrics).images);
    cnn_metrics_destroy(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_classes_are_measured_by_class_1),
        cmocka_unit_test(each_class_is_measured_by_itself),
        cmocka_unit_test(the_calibration_error_is_the_distance_of_confidence_from_accuracy_in_bins),
        cmocka_unit_test(the_area_counts_ties_as_half),
        cmocka_unit_test(more_classes_are_measured_by_their_mean),
        cmocka_unit_test(what_cannot_be_measured_is_nan_or_zero),
        cmocka_unit_test(impossible_images_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
