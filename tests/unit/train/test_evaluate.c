/* Evaluating a model. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "stripes.h"

#include <math.h>

static int stop_evaluation(uint64_t done, uint64_t total, void *user)
{
    uint64_t *last = user;
    assert_int_equal(2 * STRIPES_TEST, total);
    assert_true(done > *last && done <= total);
    *last = done;
    return done == total;
}

static void evaluation_reports_and_can_be_stopped(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    uint64_t last = 0;
    cnn_metrics *metrics;
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    options.batch_size = 10;
    options.progress = stop_evaluation;
    options.progress_user = &last;
    assert_status(CNN_ERROR_STOPPED, cnn_evaluate(s.model, s.test, &options, &metrics));
    assert_int_equal(2 * STRIPES_TEST, last);
    assert_null(metrics);
    close_stripes(&s);
}

typedef struct judging {
    uint64_t images, errors;
    double loss;
} judging;

static void a_threshold_of_0_makes_all_of_it_class_1(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_metrics *metrics;
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    options.threshold = 0;
    assert_ok(cnn_evaluate(s.model, s.test, &options, &metrics));
    assert_int_equal(0, cnn_metrics_confusion(metrics, 0, 0) + cnn_metrics_confusion(metrics, 1, 0));
    assert_int_equal(STRIPES_TEST, cnn_metrics_confusion(metrics, 0, 1));
    cnn_metrics_destroy(metrics);
    close_stripes(&s);
}

static int stop_early(const cnn_sample_result *result, void *user)
{
    (void)user;
    return result->image == 5;
}

static int judge(const cnn_sample_result *result, void *user)
{
    judging *j = user;
    assert_int_equal(j->images++, result->image);
    assert_true(result->predicted == (result->probabilities[1] >= 0.5f));
    j->errors += result->label != result->predicted;
    j->loss += result->loss;
    return 0;
}

static void evaluation_tells_what_it_makes_of_each_image(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    judging j = { 0 };
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    options.on_image = judge;
    options.on_image_user = &j;
    options.temperature = 2;
    cnn_metrics *metrics;
    cnn_metrics_result result = { .struct_size = sizeof result };
    assert_ok(cnn_evaluate(s.model, s.test, &options, &metrics));
    assert_ok(cnn_metrics_compute(metrics, &result));
    assert_int_equal(2 * STRIPES_TEST, j.images);
    assert_true(fabs(result.accuracy - 1 + (double)j.errors / (2 * STRIPES_TEST)) < 1e-9);
    assert_true(fabs(result.loss - j.loss / (2 * STRIPES_TEST)) < 1e-9);
    assert_true(measure(&s).loss != result.loss); /* by the temperature */
    cnn_metrics_destroy(metrics);
    options.on_image = stop_early;
    assert_status(CNN_ERROR_STOPPED, cnn_evaluate(s.model, s.test, &options, &metrics));
    options.temperature = -1;
    assert_status(CNN_ERROR_ARGUMENT, cnn_evaluate(s.model, s.test, &options, &metrics));
    close_stripes(&s);
}

static void the_threshold_moves_decisions(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    for (int high = 0; high < 2; high++) {
        cnn_metrics *metrics;
        options.threshold = high ? 1 : 1e-20f;
        assert_ok(cnn_evaluate(s.model, s.test, &options, &metrics));
        assert_int_equal(STRIPES_TEST, cnn_metrics_confusion(metrics, 0, !high));
        assert_int_equal(STRIPES_TEST, cnn_metrics_confusion(metrics, 1, !high));
        cnn_metrics_destroy(metrics);
    }
    close_stripes(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluation_reports_and_can_be_stopped),
        cmocka_unit_test(evaluation_tells_what_it_makes_of_each_image),
        cmocka_unit_test(a_threshold_of_0_makes_all_of_it_class_1),
        cmocka_unit_test(the_threshold_moves_decisions),
    };
    return cmocka_run_group_tests(tests, make_stripes, remove_stripes);
}
