#include "../test.h"

#include <math.h>

#include "train/plateau.h"

static const cnn_schedule lowering = { .kind = CNN_SCHEDULE_PLATEAU, .gamma = 0.5f, .patience = 2 };

static void add(cnn_plateau *plateau, const cnn_schedule *schedule, const double *losses, int count)
{
    for (int i = 0; i < count; i++)
        cnn_plateau_add_epoch(plateau, schedule, losses[i]);
}

static void epochs_are_counted_from_the_lowest_loss(void **state)
{
    (void)state;
    cnn_plateau plateau;
    cnn_plateau_init(&plateau);
    add(&plateau, &lowering, (const double[]){ 3, 2, 2, 2.5 }, 4);
    assert_true(plateau.lowest_loss == 2);
    assert_int_equal(2, plateau.epochs_since_lowest); /* an equal loss is no lower one */
    add(&plateau, &lowering, (const double[]){ 1 }, 1);
    assert_int_equal(0, plateau.epochs_since_lowest);
}

static void the_rate_falls_once_for_each_time_of_patience(void **state)
{
    (void)state;
    cnn_plateau plateau;
    cnn_plateau_init(&plateau);
    add(&plateau, &lowering, (const double[]){ 1, 2 }, 2);
    assert_true(plateau.rate_factor == 1);
    add(&plateau, &lowering, (const double[]){ 2 }, 1);
    assert_true(plateau.rate_factor == 0.5);
    add(&plateau, &lowering, (const double[]){ 2 }, 1);
    assert_true(plateau.rate_factor == 0.5); /* a lower rate gets its own time */
    add(&plateau, &lowering, (const double[]){ 2 }, 1);
    assert_true(plateau.rate_factor == 0.25);
    assert_int_equal(4, plateau.epochs_since_lowest); /* for early stopping the time goes on */
}

static void other_schedules_keep_their_rate(void **state)
{
    (void)state;
    const cnn_schedule constant = { .kind = CNN_SCHEDULE_CONSTANT, .gamma = 0.5f, .patience = 1 };
    cnn_plateau plateau;
    cnn_plateau_init(&plateau);
    add(&plateau, &constant, (const double[]){ 1, 2, 3, NAN }, 4);
    assert_true(plateau.rate_factor == 1 && plateau.lowest_loss == 1);
    assert_int_equal(3, plateau.epochs_since_lowest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_are_counted_from_the_lowest_loss),
        cmocka_unit_test(the_rate_falls_once_for_each_time_of_patience),
        cmocka_unit_test(other_schedules_keep_their_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
