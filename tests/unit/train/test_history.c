#include "../test.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "train/history.h"

static void add(cnn_history *history, uint32_t epoch, double loss, double validation_loss)
{
    assert_ok(cnn_history_append(history, &(cnn_epoch){ .struct_size = sizeof(cnn_epoch),
                                                        .epoch = epoch,
                                                        .learning_rate = 1e-7,
                                                        .loss = loss,
                                                        .accuracy = 0.5,
                                                        .validation_loss = validation_loss,
                                                        .validation_accuracy = NAN,
                                                        .seconds = 2,
                                                        .images = 400 }));
}

static void epochs_are_rows_and_unknown_numbers_are_empty(void **state)
{
    (void)state;
    setlocale(LC_ALL, "de_DE.UTF-8"); /* decimal commas, where it is installed */
    char path[64];
    snprintf(path, sizeof path, "history-%ld.csv", (long)getpid());
    cnn_history *history;
    assert_ok(cnn_history_create(NULL, &history));
    add(history, 1, 0.6931471805599453, NAN);
    assert_ok(cnn_history_write(history, path));
    add(history, 2, 12345.5, 0.25);
    assert_ok(cnn_history_write(history, path));
    void *text;
    size_t size;
    assert_ok(cnn_file_read(NULL, path, 10000, &text, &size));
    assert_string_equal("epoch,learning_rate,loss,accuracy,validation_loss,validation_accuracy,seconds,images\n"
                        "1,1e-7,0.6931472,0.5,,,2,400\n"
                        "2,1e-7,12345.5,0.5,0.25,,2,400\n",
                        text);
    cnn_release(NULL, text);
    remove(path);
    cnn_history_destroy(history);
}

static void entries_past_the_end_are_refused(void **state)
{
    (void)state;
    cnn_history *history;
    assert_ok(cnn_history_create(NULL, &history));
    add(history, 1, 1, 1);
    cnn_epoch epoch = { .struct_size = sizeof epoch };
    assert_ok(cnn_history_get(history, 0, &epoch));
    assert_int_equal(1, epoch.epoch);
    assert_status(CNN_ERROR_ARGUMENT, cnn_history_get(history, 1, &epoch));
    assert_status(CNN_ERROR_ARGUMENT, cnn_history_get(NULL, 0, &epoch));
    cnn_history_destroy(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_are_rows_and_unknown_numbers_are_empty),
        cmocka_unit_test(entries_past_the_end_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
