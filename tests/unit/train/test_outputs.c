/* The files that a training is to write: what can't be written is refused before anything is trained. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "stripes.h"

static int count_step(const cnn_progress *progress, void *user)
{
    (void)progress;
    ++*(int *)user;
    return 0;
}

static void assert_refused(cnn_status expected, const char *checkpoint, const char *history, const char *words)
{
    stripes s = open_stripes(1, 0);
    int steps = 0;
    cnn_train_options options = stripes_options(1, 0.005f);
    options.checkpoint = checkpoint;
    options.history = history;
    options.on_step = count_step;
    options.on_step_user = &steps;
    assert_status(expected, cnn_train(s.model, s.training, NULL, &options, NULL));
    assert_non_null(strstr(cnn_last_error(), words));
    options.checkpoint = NULL;
    if (expected == CNN_ERROR_IO && history) {
        assert_status(expected, cnn_train_head(s.model, NULL, s.training, NULL, &options, NULL));
        assert_non_null(strstr(cnn_last_error(), words));
    }
    assert_int_equal(0, steps);
    close_stripes(&s);
}

static void two_outputs_at_one_place_are_refused(void **state)
{
    (void)state;
    static const char words[] = "checkpoint and history are the same file";
    assert_refused(CNN_ERROR_ARGUMENT, beside("one"), beside("one"), words);
    assert_refused(CNN_ERROR_ARGUMENT, beside("one"), beside("train/../one"), words);
    assert_int_equal(0, symlink("train", beside("folder")));
    assert_refused(CNN_ERROR_ARGUMENT, beside("folder/one"), beside("train/one"), words);
    assert_int_equal(0, symlink("one", beside("link")));
    assert_refused(CNN_ERROR_ARGUMENT, beside("link"), beside("one"), words);
    remove(beside("link"));
    remove(beside("folder"));
    assert_int_not_equal(0, access(beside("one"), F_OK));
}

static void outputs_that_can_not_be_written_are_refused(void **state)
{
    (void)state;
    assert_refused(CNN_ERROR_IO, NULL, beside("absent/history.csv"), "absent/history.csv: can't be written");
    assert_refused(CNN_ERROR_IO, beside("absent/checkpoint"), NULL, "absent/checkpoint: can't be written");
    assert_refused(CNN_ERROR_IO, NULL, beside("train"), "train: can't be written: it is a folder");
}

static void a_device_may_take_both(void **state)
{
    (void)state;
    stripes s = open_stripes(1, 0);
    cnn_train_options options = stripes_options(1, 0.005f);
    options.checkpoint = options.history = "/dev/null";
    assert_ok(cnn_train(s.model, s.training, NULL, &options, NULL));
    options.checkpoint = beside("checkpoint"); /* and two names beside each other are two files */
    options.history = beside("checkpoint.csv");
    assert_ok(cnn_train(s.model, s.training, NULL, &options, NULL));
    close_stripes(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_outputs_at_one_place_are_refused),
        cmocka_unit_test(outputs_that_can_not_be_written_are_refused),
        cmocka_unit_test(a_device_may_take_both),
    };
    return cmocka_run_group_tests(tests, make_stripes, remove_stripes);
}
