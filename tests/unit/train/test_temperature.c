#include "../test.h"

#include <math.h>
#include <stdlib.h>

#include "core/random.h"
#include "train/temperature.h"

enum { MOST = 4000, CLASSES = 3 };

static float logits[MOST * CLASSES];
static uint32_t labels[MOST];

/* Logits whose temperature is `truth`: labels are drawn by the probabilities of logits / truth. */
static void draw(size_t count, uint32_t outputs, double truth)
{
    cnn_random random;
    cnn_random_init(&random, 3, CNN_RANDOM_AUGMENT, 0, 0);
    for (size_t i = 0; i < count; i++) {
        double weights[CLASSES] = { 1, 1, 1 }, sum = 0;
        for (uint32_t k = 0; k < outputs; k++) {
            float z = 6 * cnn_random_normal(&random);
            logits[i * outputs + k] = z;
            weights[outputs == 1 ? 1 : k] = exp((double)z / truth);
        }
        uint32_t classes = outputs == 1 ? 2 : outputs;
        for (uint32_t k = 0; k < classes; k++)
            sum += weights[k];
        double at = (double)cnn_random_uniform(&random) * sum;
        labels[i] = 0;
        while (labels[i] + 1 < classes && at >= weights[labels[i]])
            at -= weights[labels[i]++];
    }
}

static void the_temperature_of_made_logits_is_found(void **state)
{
    (void)state;
    const double truths[] = { 0.5, 1, 3 };
    for (uint32_t outputs = 1; outputs <= 3; outputs++)
        for (int i = 0; i < 3; i++) {
            draw(MOST, outputs, truths[i]);
            double found = (double)cnn_temperature_fit(logits, labels, MOST, outputs);
            assert_true(fabs(found / truths[i] - 1) < 0.08);
        }
}

static void a_few_images_hardly_move_it(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        logits[i] = i % 2 ? 3 : -3;
        labels[i] = i % 2;
    }
    float all_right = cnn_temperature_fit(logits, labels, 4, 1);
    assert_true(all_right > 0.8f && all_right < 1);
    for (uint32_t i = 0; i < 4; i++)
        labels[i] = 1 - labels[i];
    assert_true(cnn_temperature_fit(logits, labels, 4, 1) > 1.5f);
    assert_float_equal(1, cnn_temperature_fit(logits, labels, 0, 1), 1e-6);
}

static void logits_without_bounds_give_a_temperature_all_the_same(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 90; i++) {
        logits[i] = i % 2 ? 3e38f : -3e38f;
        labels[i / 3] = i % 3;
    }
    for (uint32_t outputs = 1; outputs <= 3; outputs += 2) {
        float found = cnn_temperature_fit(logits, labels, 30, outputs);
        assert_true(found > 0.04f && found < 21);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_temperature_of_made_logits_is_found),
        cmocka_unit_test(a_few_images_hardly_move_it),
        cmocka_unit_test(logits_without_bounds_give_a_temperature_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
