/* Training that is killed and resumed. The test runs itself as a child: test_resume MODE FOLDER NUMBER. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "stripes.h"

#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "core/file.h"
#include "core/memory.h"

enum { EPOCHS = 4, STEPS = 10 }; /* steps of an epoch */

typedef struct setting {
    cnn_train_options options;
    cnn_optimizer_options optimizer;
    cnn_schedule schedule;
    cnn_augment augment;
} setting;

/* With all that has state: momenta, averages, random numbers, a falling rate. */
static void make_setting(setting *to)
{
    cnn_train_options_init(&to->options);
    cnn_optimizer_options_init(&to->optimizer);
    cnn_schedule_init(&to->schedule);
    cnn_augment_init(&to->augment);
    assert_ok(cnn_augment_parse("flip,shift=0.1", &to->augment));
    to->optimizer.learning_rate = 0.02f;
    to->schedule.kind = CNN_SCHEDULE_PLATEAU;
    to->schedule.patience = 1;
    to->options.optimizer = &to->optimizer;
    to->options.schedule = &to->schedule;
    to->options.augment = &to->augment;
    to->options.epochs = EPOCHS;
    to->options.batch_size = 12;
    to->options.seed = UINT64_MAX - 1;
    to->options.ema_decay = 0.9f;
}

/* Where a child ends. */
typedef struct ending {
    const char *mode;
    int number, steps;
} ending;

static void limit_files(rlim_t size)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = size;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static int end_in_step(const cnn_progress *progress, void *user)
{
    ending *e = user;
    if (progress->validating)
        return 0;
    e->steps++;
    if (!strcmp(e->mode, "step") && e->steps == e->number)
        raise(SIGKILL);
    if (!strcmp(e->mode, "write") && e->steps == e->number)
        limit_files(2000); /* the next checkpoint goes past it */
    return 0;
}

static int end_in_epoch(const cnn_epoch *epoch, void *user)
{
    ending *e = user;
    if (!strcmp(e->mode, "epoch") && (int)epoch->epoch == e->number)
        raise(SIGKILL);
    return 0;
}

static int be_child(char **arguments)
{
    ending e = { .mode = arguments[1], .number = (int)strtol(arguments[3], NULL, 10) };
    snprintf(stripes_folder, sizeof stripes_folder, "%s", arguments[2]);
    stripes s = open_stripes(2, 1);
    setting with;
    make_setting(&with);
    with.options.checkpoint = beside("checkpoint");
    with.options.history = beside("history.csv");
    with.options.resume = 1;
    with.options.on_step = end_in_step;
    with.options.on_epoch = end_in_epoch;
    with.options.on_step_user = with.options.on_epoch_user = &e;
    cnn_status status = cnn_train(s.model, s.training, s.test, &with.options, NULL);
    close_stripes(&s);
    return status != CNN_OK;
}

/* Runs a child to its end and says how it ended. `milliseconds`: kill it then; 0: don't. */
static int run_child(const char *mode, int number, int milliseconds)
{
    extern char **environ;
    char text[16];
    if (getenv("CNN_TEST_EMULATED"))
        skip(); /* the system can't start this program by itself */
    snprintf(text, sizeof text, "%d", number);
    char *arguments[] = { (char *)"test_resume", (char *)mode, stripes_folder, text, NULL };
    pid_t child;
    assert_int_equal(0, posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ));
    if (milliseconds) {
        nanosleep(&(struct timespec){ .tv_nsec = milliseconds * 1000000L }, NULL);
        kill(child, SIGKILL);
    }
    int status;
    assert_int_equal(child, waitpid(child, &status, 0));
    return status;
}

static float *unbroken;
static size_t unbroken_count;
static uint32_t unbroken_best;

static int train_unbroken(void **state)
{
    make_stripes(state);
    stripes s = open_stripes(1, 1);
    setting with;
    make_setting(&with);
    cnn_history *history;
    assert_ok(cnn_train(s.model, s.training, s.test, &with.options, &history));
    unbroken_best = cnn_history_best(history);
    assert_int_not_equal(0, unbroken_best); /* else a resumed training that forgot it would pass */
    cnn_history_destroy(history);
    unbroken = copy_weights(s.model, &unbroken_count);
    close_stripes(&s);
    return 0;
}

static int clean_up(void **state)
{
    free(unbroken);
    return remove_stripes(state);
}

static int remove_checkpoint(void **state)
{
    (void)state;
    remove(beside("checkpoint"));
    remove(beside("history.csv"));
    return 0;
}

static int count_steps(const cnn_progress *progress, void *user)
{
    *(int *)user += !progress->validating;
    return 0;
}

/* Goes on from the checkpoint; gives the number of steps that were left. */
static int resume_and_compare(void)
{
    stripes s = open_stripes(3, 1);
    setting with;
    make_setting(&with);
    int steps = 0;
    with.options.checkpoint = beside("checkpoint");
    with.options.resume = 1;
    with.options.history = beside("history.csv");
    with.options.on_step = count_steps;
    with.options.on_step_user = &steps;
    cnn_history *history;
    assert_ok(cnn_train(s.model, s.training, s.test, &with.options, &history));
    assert_int_equal(EPOCHS, cnn_history_count(history));
    assert_int_equal(unbroken_best, cnn_history_best(history));
    assert_same_weights(unbroken, unbroken_count, s.model);
    cnn_history_destroy(history);
    close_stripes(&s);
    return steps;
}

static int count_lines(const char *path)
{
    void *text;
    size_t size;
    int lines = 0;
    assert_ok(cnn_file_read(NULL, path, 100000, &text, &size));
    for (size_t i = 0; i < size; i++)
        lines += ((char *)text)[i] == '\n';
    cnn_release(NULL, text);
    return lines;
}

static void killed_in_a_step_it_resumes_to_the_same_bits(void **state)
{
    (void)state;
    assert_int_equal(SIGKILL, WTERMSIG(run_child("step", 1, 0)));
    assert_int_equal(SIGKILL, WTERMSIG(run_child("step", STEPS + 3, 0)));
    assert_int_equal(SIGKILL, WTERMSIG(run_child("step", STEPS + STEPS, 0))); /* begins with epoch 2 */
    assert_int_equal(2 * STEPS, resume_and_compare());
    assert_int_equal(1 + EPOCHS, count_lines(beside("history.csv")));
}

static void killed_after_an_epoch_it_resumes_to_the_same_bits(void **state)
{
    (void)state;
    assert_int_equal(SIGKILL, WTERMSIG(run_child("epoch", 3, 0)));
    assert_int_equal(STEPS, resume_and_compare());
}

static void failed_while_it_writes_a_checkpoint_it_resumes_from_the_one_before(void **state)
{
    (void)state;
    int status = run_child("write", 2 * STEPS + 1, 0);
    assert_true(WIFEXITED(status)); /* SIGXFSZ is as it was at the start, and doesn't end it */
    assert_int_equal(1, WEXITSTATUS(status));
    assert_int_equal(2 * STEPS, resume_and_compare());
}

static void killed_at_any_time_it_resumes_to_the_same_bits(void **state)
{
    (void)state;
    for (int milliseconds = 4; milliseconds < 100; milliseconds *= 2)
        run_child("time", 0, milliseconds);
    resume_and_compare();
}

static void resuming_a_finished_training_gives_its_weights_at_once(void **state)
{
    (void)state;
    assert_int_equal(EPOCHS * STEPS, resume_and_compare());
    remove(beside("history.csv"));
    assert_int_equal(0, resume_and_compare());
    assert_int_equal(1 + EPOCHS, count_lines(beside("history.csv")));
}

static int stop_after_two(const cnn_epoch *epoch, void *user)
{
    (void)user;
    return epoch->epoch == 2;
}

/* Leaves a checkpoint of two epochs. */
static void train_two_epochs(void)
{
    stripes s = open_stripes(2, 1);
    setting with;
    make_setting(&with);
    with.options.checkpoint = beside("checkpoint");
    with.options.on_epoch = stop_after_two;
    assert_ok(cnn_train(s.model, s.training, s.test, &with.options, NULL));
    close_stripes(&s);
}

static void stopped_by_a_callback_it_resumes_to_the_same_bits(void **state)
{
    (void)state;
    train_two_epochs();
    assert_int_equal(2 * STEPS, resume_and_compare());
}

static void without_validation_it_resumes_to_the_same_bits(void **state)
{
    (void)state;
    float *whole = NULL;
    size_t count = 0;
    for (int run = 0; run < 4; run++) { /* unbroken, stopped, resumed, resumed when done */
        stripes s = open_stripes(2, 1);
        setting with;
        make_setting(&with);
        with.schedule.kind = CNN_SCHEDULE_COSINE;
        with.options.checkpoint = run ? beside("checkpoint") : NULL;
        with.options.resume = run >= 2;
        with.options.on_epoch = run == 1 ? stop_after_two : NULL;
        assert_ok(cnn_train(s.model, s.training, NULL, &with.options, NULL));
        if (run == 0)
            whole = copy_weights(s.model, &count);
        if (run >= 2)
            assert_same_weights(whole, count, s.model);
        close_stripes(&s);
    }
    free(whole);
}

static void other_options_are_refused(void **state)
{
    (void)state;
    static const char *const named[] = {
        " seed ",      " batch_size ", "optimizer.learning_rate 0.0", "augment.rotation ", " ema_decay ", " keep_last ",
        " precision ", " net"
    };
    train_two_epochs();
    for (int i = 0; i < 8; i++) {
        stripes s = open_stripes(2, i != 7);
        setting with;
        make_setting(&with);
        with.options.checkpoint = beside("checkpoint");
        with.options.resume = 1;
        switch (i) {
        case 0: with.options.seed--; break;
        case 1: with.options.batch_size = 16; break;
        case 2: with.optimizer.learning_rate = 0.03f; break;
        case 3: with.augment.rotation = 1; break;
        case 4: with.options.ema_decay = 0; break;
        case 5: with.options.keep_last = 1; break;
        case 6: with.options.precision = CNN_PRECISION_BFLOAT16; break;
        default: break; /* another net */
        }
        size_t count;
        float *start = copy_weights(s.model, &count);
        assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, s.training, s.test, &with.options, NULL));
        assert_non_null(strstr(cnn_last_error(), "checkpoint of a training with"));
        assert_non_null(strstr(cnn_last_error(), named[i]));
        assert_same_weights(start, count, s.model);
        free(start);
        close_stripes(&s);
    }
}

/* Trains three epochs to their end, then resumes with `epochs`. */
static cnn_status finish_and_go_on(setting *with, uint32_t epochs, const stripes *s, cnn_history **history)
{
    with->options.checkpoint = beside("checkpoint");
    with->options.epochs = 3;
    cnn_status status = cnn_train(s->model, s->training, s->test, &with->options, NULL);
    with->options.resume = 1;
    with->options.epochs = epochs;
    return status ? status : cnn_train(s->model, s->training, s->test, &with->options, history);
}

static void a_finished_training_is_given_more_epochs(void **state)
{
    const struct {
        cnn_schedule_kind kind;
        uint32_t step_epochs;
    } schedules[] = { { CNN_SCHEDULE_CONSTANT, 0 },
                      { CNN_SCHEDULE_EXPONENTIAL, 0 },
                      { CNN_SCHEDULE_STEP, 2 },
                      { CNN_SCHEDULE_PLATEAU, 0 } };
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
        float *whole = NULL;
        size_t count = 0;
        for (int broken = 0; broken < 2; broken++) {
            stripes s = open_stripes(2, 1);
            setting with;
            cnn_history *history;
            make_setting(&with);
            with.schedule.kind = schedules[i].kind;
            with.schedule.step_epochs = schedules[i].step_epochs;
            with.options.epochs = 5;
            assert_ok(broken ? finish_and_go_on(&with, 5, &s, &history)
                             : cnn_train(s.model, s.training, s.test, &with.options, &history));
            assert_int_equal(5, cnn_history_count(history));
            if (broken)
                assert_same_weights(whole, count, s.model);
            else
                whole = copy_weights(s.model, &count);
            cnn_history_destroy(history);
            close_stripes(&s);
        }
        free(whole);
        remove_checkpoint(state);
    }
}

static void where_all_epochs_were_planned_it_says_what_would_do(void **state)
{
    for (int i = 0; i < 5; i++) {
        stripes s = open_stripes(2, 0);
        setting with;
        make_setting(&with);
        switch (i) {
        case 0: with.schedule.kind = CNN_SCHEDULE_ONE_CYCLE; break;
        case 1: with.schedule.kind = CNN_SCHEDULE_COSINE; break;
        case 2: with.schedule.kind = CNN_SCHEDULE_STEP; break;
        case 3: with.schedule.warmup = 0.1f; break;
        default: with.schedule.kind = CNN_SCHEDULE_CONSTANT; with.options.ema_decay = 0;
        }
        assert_status(i == 4 ? CNN_OK : CNN_ERROR_ARGUMENT, finish_and_go_on(&with, 5, &s, NULL));
        if (i != 4) {
            assert_non_null(strstr(cnn_last_error(), "epochs 3, not 5"));
            assert_non_null(strstr(cnn_last_error(), "with a constant, exponential or plateau schedule"));
        }
        close_stripes(&s);
        remove_checkpoint(state);
    }
}

static void other_data_is_refused(void **state)
{
    (void)state;
    train_two_epochs();
    stripes s = open_stripes(2, 1);
    setting with;
    make_setting(&with);
    with.options.checkpoint = beside("checkpoint");
    with.options.resume = 1;
    assert_status(CNN_ERROR_ARGUMENT, cnn_train(s.model, s.test, s.test, &with.options, NULL));
    assert_non_null(strstr(cnn_last_error(), "training data"));
    close_stripes(&s);
}

static void write_checkpoint(const void *bytes, size_t size)
{
    assert_ok(cnn_file_write(beside("checkpoint"), &(cnn_chunk){ bytes, size }, 1));
}

static void damaged_checkpoints_are_refused(void **state)
{
    (void)state;
    train_two_epochs();
    void *bytes;
    size_t size;
    assert_ok(cnn_file_read(NULL, beside("checkpoint"), 10000000, &bytes, &size));
    stripes s = open_stripes(2, 1);
    setting with;
    make_setting(&with);
    with.options.checkpoint = beside("checkpoint");
    with.options.resume = 1;
    for (size_t at = 0; at < size; at += size / 61) {
        write_checkpoint(bytes, at); /* cut off there */
        assert_int_not_equal(CNN_OK, cnn_train(s.model, s.training, s.test, &with.options, NULL));
        assert_non_null(strstr(cnn_last_error(), "checkpoint"));
    }
    ((unsigned char *)bytes)[size - 100] ^= 1; /* a bit of a weight */
    write_checkpoint(bytes, size);
    assert_status(CNN_ERROR_FORMAT, cnn_train(s.model, s.training, s.test, &with.options, NULL));
    assert_non_null(strstr(cnn_last_error(), "checksum"));
    cnn_release(NULL, bytes);
    close_stripes(&s);
}

static int fill_disk(const cnn_epoch *epoch, void *user)
{
    (void)user;
    if (epoch->epoch == 2)
        limit_files(3000);
    return 0;
}

static void a_full_disk_is_an_error_and_leaves_the_old_checkpoint(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 1);
    setting with;
    make_setting(&with);
    with.options.checkpoint = beside("checkpoint");
    with.options.on_epoch = fill_disk;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    cnn_history *history;
    cnn_status status = cnn_train(s.model, s.training, s.test, &with.options, &history);
    limit_files(RLIM_INFINITY);
    signal(SIGXFSZ, before);
    assert_status(CNN_ERROR_IO, status);
    assert_non_null(strstr(cnn_last_error(), "checkpoint"));
    assert_int_equal(3, cnn_history_count(history));
    cnn_history_destroy(history);
    close_stripes(&s);
    assert_int_equal(2 * STEPS, resume_and_compare());
}

static void a_checkpoint_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    stripes s = open_stripes(2, 0);
    setting with;
    make_setting(&with);
    with.options.checkpoint = beside("no-such-folder/checkpoint");
    assert_status(CNN_ERROR_IO, cnn_train(s.model, s.training, s.test, &with.options, NULL));
    close_stripes(&s);
}

int main(int count, char **arguments)
{
    if (count == 4)
        return be_child(arguments);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(killed_in_a_step_it_resumes_to_the_same_bits, remove_checkpoint),
        cmocka_unit_test_teardown(killed_after_an_epoch_it_resumes_to_the_same_bits, remove_checkpoint),
        cmocka_unit_test_teardown(failed_while_it_writes_a_checkpoint_it_resumes_from_the_one_before,
                                  remove_checkpoint),
        cmocka_unit_test_teardown(killed_at_any_time_it_resumes_to_the_same_bits, remove_checkpoint),
        cmocka_unit_test_teardown(resuming_a_finished_training_gives_its_weights_at_once, remove_checkpoint),
        cmocka_unit_test_teardown(stopped_by_a_callback_it_resumes_to_the_same_bits, remove_checkpoint),
        cmocka_unit_test_teardown(without_validation_it_resumes_to_the_same_bits, remove_checkpoint),
        cmocka_unit_test_teardown(other_options_are_refused, remove_checkpoint),
        cmocka_unit_test_teardown(a_finished_training_is_given_more_epochs, remove_checkpoint),
        cmocka_unit_test_teardown(where_all_epochs_were_planned_it_says_what_would_do, remove_checkpoint),
        cmocka_unit_test_teardown(other_data_is_refused, remove_checkpoint),
        cmocka_unit_test_teardown(damaged_checkpoints_are_refused, remove_checkpoint),
        cmocka_unit_test_teardown(a_full_disk_is_an_error_and_leaves_the_old_checkpoint, remove_checkpoint),
        cmocka_unit_test(a_checkpoint_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests(tests, train_unbroken, clean_up);
}
