#include "../test.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "train/loss.h"

static cnn_tensor *wrap(float *data, int64_t rows, int64_t columns)
{
    cnn_tensor *tensor;
    assert_ok(cnn_tensor_wrap(NULL, CNN_FLOAT32, 2, (int64_t[]){ rows, columns }, data, &tensor));
    return tensor;
}

/* `expected` is PyTorch's: binary_cross_entropy_with_logits and cross_entropy, in double. */
static void check(cnn_loss loss, float smoothing, float *logits, float *targets, int rows, int columns, double value,
                  const double *expected)
{
    float gradient[16];
    double found;
    cnn_tensor *z = wrap(logits, rows, columns), *t = wrap(targets, rows, columns), *g = wrap(gradient, rows, columns);
    assert_ok(cnn_loss_compute(loss, smoothing, z, t, &found, g));
    assert_float_equal(value, found, 1e-6);
    for (int i = 0; i < rows * columns; i++)
        assert_float_equal(expected[i], gradient[i], 1e-7);
    assert_ok(cnn_loss_compute(CNN_LOSS_AUTO, smoothing, z, t, NULL, NULL));
    cnn_tensor_destroy(z);
    cnn_tensor_destroy(t);
    cnn_tensor_destroy(g);
}

static void binary_cross_entropy_is_pytorchs(void **state)
{
    (void)state;
    float logits[] = { 0.5f, -2, 3, 0 }, targets[] = { 1, 0, 0.25f, 1 };
    check(CNN_LOSS_BINARY_CROSS_ENTROPY, 0, logits, targets, 4, 1, 0.898184881839,
          (double[]){ -0.0943851671995, 0.0298007305055, 0.175643531706, -0.125 });
    check(CNN_LOSS_AUTO, 0.1f, logits, targets, 4, 1, 0.910684881839,
          (double[]){ -0.0818851671995, 0.0173007305055, 0.169393531706, -0.1125 });
}

static void categorical_cross_entropy_is_pytorchs(void **state)
{
    (void)state;
    float logits[] = { 1, 2, -1, 0.5f, 0.25f, 4 }, targets[] = { 0, 1, 0, 0.5f, 0.25f, 0.25f };
    check(CNN_LOSS_CATEGORICAL_CROSS_ENTROPY, 0, logits, targets, 2, 3, 1.54441717726,
          (double[]){ 0.129748230171, -0.147307743651, 0.0175595134797, -0.235670992765, -0.113840557945,
                      0.34951155071 });
    check(CNN_LOSS_AUTO, 0.2f, logits, targets, 2, 3, 1.65066717726,
          (double[]){ 0.0964148968379, -0.0806410769842, -0.0157738198537, -0.219004326098, -0.122173891278,
                      0.341178217376 });
}

static void huge_logits_give_finite_losses(void **state)
{
    (void)state;
    const float huge = FLT_MAX;
    assert_true(cnn_label_loss((float[]){ huge }, 1, 1) == 0);
    assert_true(cnn_label_loss((float[]){ huge }, 1, 0) == (double)huge);
    assert_true(cnn_label_loss((float[]){ -huge }, 1, 0) == 0);
    assert_true(cnn_label_loss((float[]){ huge, -huge, 0 }, 3, 0) == 0);
    assert_true(cnn_label_loss((float[]){ huge, -huge, 0 }, 3, 1) == 2 * (double)huge);
    float probabilities[2];
    cnn_probabilities((float[]){ -huge }, 1, probabilities);
    assert_true(probabilities[0] == 1 && probabilities[1] == 0);
}

static void small_losses_keep_their_digits(void **state)
{
    (void)state;
    assert_true(fabs(cnn_label_loss((float[]){ 50 }, 1, 1) / exp(-50) - 1) < 1e-12);
    float probabilities[2];
    cnn_probabilities((float[]){ 50 }, 1, probabilities);
    assert_true(fabs((double)probabilities[0] / exp(-50) - 1) < 1e-6);
}

static void a_logit_that_is_no_number_gives_a_loss_that_is_none(void **state)
{
    (void)state;
    assert_false(isfinite(cnn_label_loss((float[]){ NAN }, 1, 1)));
    assert_false(isfinite(cnn_label_loss((float[]){ 0, NAN, 1 }, 3, 0)));
    assert_false(isfinite(cnn_label_loss((float[]){ NAN, 0, 1 }, 3, 1)));
    assert_false(isfinite(cnn_label_loss((float[]){ INFINITY, 0, 1 }, 3, 1)));
}

static void shapes_and_losses_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    float data[6] = { 0 };
    cnn_tensor *one = wrap(data, 2, 1), *three = wrap(data, 2, 3), *longer = wrap(data, 3, 1);
    assert_status(CNN_ERROR_SHAPE, cnn_loss_compute(CNN_LOSS_CATEGORICAL_CROSS_ENTROPY, 0, one, one, NULL, NULL));
    assert_status(CNN_ERROR_SHAPE, cnn_loss_compute(CNN_LOSS_BINARY_CROSS_ENTROPY, 0, three, three, NULL, NULL));
    assert_status(CNN_ERROR_SHAPE, cnn_loss_compute(CNN_LOSS_AUTO, 0, one, longer, NULL, NULL));
    assert_non_null(strstr(cnn_last_error(), "as the logits, 2\xC3\x97"
                                             "1; it is 3\xC3\x97"
                                             "1 of CNN_FLOAT32"));
    assert_status(CNN_ERROR_SHAPE, cnn_loss_compute(CNN_LOSS_AUTO, 0, one, one, NULL, three));
    assert_status(CNN_ERROR_ARGUMENT, cnn_loss_compute((cnn_loss)8, 0, one, one, NULL, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_loss_compute(CNN_LOSS_AUTO, 1, one, one, NULL, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_loss_compute(CNN_LOSS_AUTO, 0, NULL, one, NULL, NULL));
    cnn_tensor_destroy(one);
    cnn_tensor_destroy(three);
    cnn_tensor_destroy(longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_cross_entropy_is_pytorchs),
        cmocka_unit_test(categorical_cross_entropy_is_pytorchs),
        cmocka_unit_test(huge_logits_give_finite_losses),
        cmocka_unit_test(small_losses_keep_their_digits),
        cmocka_unit_test(a_logit_that_is_no_number_gives_a_loss_that_is_none),
        cmocka_unit_test(shapes_and_losses_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
