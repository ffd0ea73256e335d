#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/cnn.h>

#include "cli/clock.h"
#include "cli/context.h"
#include "cli/data.h"
#include "cli/destination.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "commands/commands.h"
#include "training/initial_model.h"
#include "training/train_options.h"
#include "training/training_data.h"
#include "training/tune_search.h"
#include "training/tune_trial.h"

enum { LONGEST_COMMAND = 1 << 16 };

typedef struct tuning {
    tune_space space;
    const char *state_path, *budget_text;
    uint64_t epochs, seed;
    context_options resources;
    int json;
    double budget, started; /* seconds */
    int stopped;            /* the trial under way, before its end */
    json_t *settings;
    tune_search search;
    progress_line progress;
    cnn_context *context;
    training_data photographs;
} tuning;

static double seconds_left(const tuning *t)
{
    return t->budget - t->search.seconds - (clock_now() - t->started);
}

/* "90", "90s", "10m", "2h": seconds; 0 if it is none of these. */
static double read_time(const char *text)
{
    static const char units[] = "smh";
    static const double lengths[] = { 1, 60, 3600 };
    char number[32];
    double value;
    size_t length = strlen(text);
    const char *unit = length ? strchr(units, text[length - 1]) : NULL;
    if (!length || length >= sizeof number)
        return 0;
    snprintf(number, sizeof number, "%.*s", (int)(length - (unit ? 1 : 0)), text);
    if (!arguments_number(number, &value) || value <= 0)
        return 0;
    return value * (unit ? lengths[unit - units] : 1);
}

static int after_step(const cnn_progress *state, void *user)
{
    tuning *t = user;
    t->progress.part_seconds = seconds_left(t);
    progress_training(&t->progress, state);
    t->stopped = interrupt_asked() || seconds_left(t) <= 0;
    return t->stopped;
}

/* Trains one trial. `*finished` is 0 if it was stopped before its end. */
static int run_trial(tuning *t, const train_arguments *arguments, train_settings *settings, tune_result *result,
                     int *finished)
{
    cnn_classifier *classifier = NULL;
    cnn_history *history = NULL;
    cnn_epoch best = { .struct_size = sizeof best };
    settings->options.on_step = after_step;
    settings->options.on_step_user = t;
    t->stopped = 0;
    if (initial_model_create(t->context, arguments, &t->photographs, &classifier)) {
        cnn_classifier_destroy(classifier);
        return -1;
    }
    cnn_status status = cnn_classifier_fit_with_history(classifier, t->photographs.training, t->photographs.validation,
                                                        &settings->options, &history);
    progress_clear(&t->progress);
    int astray = status == CNN_ERROR_NOT_FINITE;
    *finished = astray || (!status && !t->stopped);
    if (status && !astray)
        output_library_error();
    result->accuracy = 0;
    result->loss = INFINITY;
    if (!astray && *finished && !cnn_history_get(history, cnn_history_best(history), &best)) {
        result->accuracy = best.validation_accuracy;
        result->loss = best.validation_loss;
    }
    cnn_history_destroy(history);
    cnn_classifier_destroy(classifier);
    return status && !astray ? -1 : 0;
}

static void announce(const tune_trial *line, const tune_result *result, uint32_t epochs)
{
    char text[1024];
    tune_trial_describe(line, text, sizeof text);
    fprintf(stderr, "trial %u, %u epoch%s: %s\n", result->trial, epochs, epochs == 1 ? "" : "s",
            *text ? text : "defaults");
}

/* How long a training is likely to take, from those before; 0: not known. */
static double expected_seconds(const tuning *t, uint32_t rung)
{
    double seconds = 0, epochs = 0;
    for (size_t i = 0; i < t->search.count; i++) {
        seconds += t->search.results[i].seconds;
        epochs += tune_epochs(&t->search, t->search.results[i].rung);
    }
    return epochs > 0 ? seconds / epochs * tune_epochs(&t->search, rung) : 0;
}

/* What there is time for; 0 if there is for nothing. */
static int choose(const tuning *t, uint32_t *trial, uint32_t *rung)
{
    tune_next(&t->search, 0, trial, rung);
    if (expected_seconds(t, *rung) > seconds_left(t))
        tune_next(&t->search, 1, trial, rung);
    return expected_seconds(t, *rung) <= seconds_left(t) && seconds_left(t) > 0;
}

/* Trains what is due next. `*more` becomes 0 when it was stopped. */
static int step(tuning *t, uint32_t trial, uint32_t rung, int *more)
{
    tune_trial line;
    train_arguments arguments;
    train_settings settings;
    tune_result result = { .trial = trial, .rung = rung };
    uint32_t epochs = tune_epochs(&t->search, rung);
    tune_trial_write(&t->space, &t->search, trial, epochs, "unused", &line);
    if (tune_trial_parse(&t->space, &line, &arguments, &settings) != PARSED)
        return -1;
    announce(&line, &result, epochs);
    snprintf(t->progress.part, sizeof t->progress.part, "trial %u", trial);
    double start = clock_now();
    int finished;
    if (run_trial(t, &arguments, &settings, &result, &finished))
        return -1;
    *more = finished;
    if (!finished)
        return 0;
    result.seconds = clock_now() - start;
    fprintf(stderr, "trial %u: validation accuracy %.2f %%\n", trial, 100 * result.accuracy);
    if (tune_add(&t->search, &result))
        return -1;
    double before = t->search.seconds;
    t->search.seconds += clock_now() - t->started;
    int failed = t->state_path ? tune_write(&t->search, t->settings, t->state_path) : 0;
    t->search.seconds = before;
    return failed;
}

static int search(tuning *t)
{
    uint32_t trial, rung;
    int more = 1;
    while (more && !interrupt_asked() && choose(t, &trial, &rung))
        if (step(t, trial, rung, &more))
            return -1;
    t->search.seconds += clock_now() - t->started;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const tune_result *x = a, *y = b;
    if (x->rung != y->rung)
        return x->rung < y->rung ? 1 : -1;
    if (x->accuracy != y->accuracy)
        return x->accuracy < y->accuracy ? 1 : -1;
    if (x->loss != y->loss)
        return x->loss > y->loss ? 1 : -1;
    return (x->trial > y->trial) - (x->trial < y->trial);
}

static void print_row(const tuning *t, const tune_result *r)
{
    tune_trial line;
    char text[1024];
    tune_trial_write(&t->space, &t->search, r->trial, 0, "unused", &line);
    tune_trial_describe(&line, text, sizeof text);
    fprintf(output_results(), "%5u  %6u  %7.2f %%  %8.4f  %6.1f s  %s\n", r->trial, tune_epochs(&t->search, r->rung),
            100 * r->accuracy, r->loss, r->seconds, *text ? text : "defaults");
}

static json_t *row_to_json(const tuning *t, const tune_result *r)
{
    tune_trial line;
    char text[1024];
    tune_trial_write(&t->space, &t->search, r->trial, 0, "unused", &line);
    tune_trial_describe(&line, text, sizeof text);
    return json_pack("{s:I,s:I,s:o,s:o,s:o,s:o}", "trial", (json_int_t)r->trial, "epochs",
                     (json_int_t)tune_epochs(&t->search, r->rung), "accuracy", output_json_number(r->accuracy), "loss",
                     output_json_number(r->loss), "seconds", output_json_number(r->seconds), "options",
                     output_json_text(text));
}

static int print_json(const tuning *t, const char *command)
{
    json_t *trials = json_array();
    for (size_t i = 0; i < t->search.count; i++)
        json_array_append_new(trials, row_to_json(t, &t->search.results[i]));
    return output_json(json_pack("{s:o,s:o,s:o,s:o}", "trials", trials, "best", row_to_json(t, tune_best(&t->search)),
                                 "command", output_json_text(command), "seconds",
                                 output_json_number(t->search.seconds)),
                       JSON_INDENT(2));
}

static int print_all(const tuning *t, const char *command)
{
    if (t->json)
        return print_json(t, command) ? EXIT_FAILED : output_finish();
    fputs("trial  epochs   accuracy      loss      time  options\n", output_results());
    for (size_t i = 0; i < t->search.count; i++)
        print_row(t, &t->search.results[i]);
    fprintf(output_results(), "\n%s\n", command);
    return output_finish();
}

static int report(tuning *t)
{
    const tune_result *best = tune_best(&t->search);
    if (!best) {
        output_error(interrupt_asked() ? "interrupted before a trial was completed"
                                       : "no trial was completed: increase --budget or reduce --epochs");
        return EXIT_FAILED;
    }
    tune_trial line;
    char *command = malloc(LONGEST_COMMAND); /* the stack may be small */
    if (!command) {
        output_error("out of memory: the best command can't be written");
        return EXIT_FAILED;
    }
    tune_trial_write(&t->space, &t->search, best->trial, tune_epochs(&t->search, best->rung), "best.safetensors",
                     &line);
    tune_trial_command(&line, command, LONGEST_COMMAND);
    qsort(t->search.results, t->search.count, sizeof *t->search.results, compare);
    int result = print_all(t, command);
    free(command);
    return result;
}

/* What the drawn options start from, and which are drawn. */
static int read_base(tuning *t, train_arguments *arguments, train_settings *settings)
{
    tune_trial line;
    tune_trial_write(&t->space, &t->search, 0, 0, "unused", &line);
    if (tune_trial_parse(&t->space, &line, arguments, settings) != PARSED)
        return -1;
    int sgd = arguments->optimizer == CNN_SGD || arguments->optimizer == CNN_SGDW;
    t->space.base_rate = arguments->learning_rate > 0 ? arguments->learning_rate : sgd ? 0.01 : 0.001;
    t->space.varies_rate = !tune_space_fixes(&t->space, "--lr");
    t->space.varies_decay = !tune_space_fixes(&t->space, "--weight-decay");
    t->space.varies_augment = !tune_space_fixes(&t->space, "--augment");
    t->space.varies_width = !tune_space_fixes(&t->space, "--width") && !net_is_file(arguments->net.name);
    if (t->space.varies_rate || t->space.varies_decay || t->space.varies_augment || t->space.varies_width)
        return 0;
    arguments_wrong(
        &tune_command,
        "tune: nothing is left to vary: --lr, --weight-decay, --augment and %s are fixed; leave one of them "
        "out, or use 'catdog train'",
        tune_space_fixes(&t->space, "--width") ? "--width" : "the net");
    return -1;
}

static int tune(tuning *t)
{
    train_arguments arguments;
    train_settings settings;
    if (read_base(t, &arguments, &settings))
        return EXIT_USAGE;
    tune_init(&t->search, t->seed, (uint32_t)t->epochs);
    json_t *words = json_array();
    for (int i = 0; i < t->space.fixed_count; i++)
        json_array_append_new(words, output_json_text(t->space.fixed[i]));
    t->settings = json_pack("{s:o,s:o,s:I,s:I,s:o}", "data", output_json_text(t->space.data.path), "val",
                            output_json_text(t->space.validation ? t->space.validation : ""), "epochs",
                            (json_int_t)t->epochs, "seed", (json_int_t)t->seed, "options", words);
    if (t->state_path && tune_read(&t->search, t->settings, t->state_path))
        return EXIT_FAILED;
    interrupt_catch();
    if (context_create(&t->resources, &t->context) ||
        training_data_open(t->context, &arguments, &settings, &t->photographs) ||
        training_data_prepare(t->context, &arguments, &settings, &t->progress, &t->photographs))
        return EXIT_FAILED;
    t->started = clock_now();
    return search(t) ? EXIT_FAILED : report(t);
}

static int check(const catdog_command *command, tuning *t)
{
    static const char *const own[] = { "--data",   "--val",     "--model", "--epochs", "--history",    "--checkpoint",
                                       "--resume", "--threads", "--from",  "--memory", "--max-pixels", NULL };
    t->budget = read_time(t->budget_text);
    if (t->budget <= 0)
        return arguments_wrong(command, "tune: --budget takes a time such as 90s, 10m or 2h, not '%s'", t->budget_text);
    for (int i = 0; own[i]; i++)
        if (tune_space_fixes(&t->space, own[i]))
            return arguments_wrong(command, "tune: %s can't be among the options for train", own[i]);
    if (t->space.fixed_count > TUNE_MOST_ARGUMENTS / 2)
        return arguments_wrong(command, "tune: there are more than %d options for train", TUNE_MOST_ARGUMENTS / 2);
    return EXIT_DONE;
}

static int run(const catdog_command *command, int argc, char **argv)
{
    tuning t = { .space.train = &train_command, .epochs = 9 };
    const option options[] = {
        DATA_OPTIONS(t.space.data, "photographs to train on"),
        { "val", "PATH|FRACTION", "photographs to validate on, or the fraction of the data to split off for validation",
          OPTION_TEXT, &t.space.validation, .initial = VALIDATION_DEFAULT },
        { "budget", "TIME", "duration of the search, such as 90s, 10m or 2h", OPTION_TEXT, &t.budget_text,
          .needed = 1 },
        { "epochs", "N", "epochs of the longest trials; most are shorter", OPTION_WHOLE, &t.epochs, 1, 10000,
          .initial = "9" },
        { "state", "FILE", "file to store the results in; if it exists, continue that search", OPTION_TEXT,
          &t.state_path },
        { "seed", "N", "random seed; equal seeds give equal trials", OPTION_WHOLE, &t.seed, 0, 9007199254740992.0,
          .initial = "0" },
        { "json", NULL, "print the results as JSON", OPTION_FLAG, &t.json },
        THREADS_OPTION(t.resources),
        MEMORY_OPTION(t.resources),
        MAX_PIXELS_OPTION(t.resources),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, &t.space.fixed_count);
    t.space.fixed = argv + 1;
    t.space.resources = &t.resources;
    if (parsed != PARSED)
        return parsed;
    if (check(command, &t))
        return EXIT_USAGE;
    const destination files[] = {
        { "--data", t.space.data.path, DESTINATION_INPUT },
        { "--val", t.space.validation, DESTINATION_INPUT },
        { "--state", t.state_path, DESTINATION_SEARCH },
        { 0 },
    };
    int wrong = destinations_check(command, files, 1); /* what the state holds is seen when it is read */
    if (wrong)
        return wrong;
    progress_init(&t.progress);
    int result = tune(&t);
    tune_release(&t.search);
    json_decref(t.settings);
    training_data_release(&t.photographs);
    cnn_context_destroy(t.context);
    return result;
}

const catdog_command tune_command = {
    "tune",
    "search for good training options",
    "--data PATH --budget TIME [OPTION]... [-- OPTION OF TRAIN...]",
    "Tries learning rates, weight decays, strengths of augmentation and widths of the net in\n"
    "short trainings, continues with the best of them in longer ones, and prints the command line\n"
    "that repeats the best trial. Options after -- apply to every trial and are not varied.\n\n"
    "  catdog tune --data PetImages --budget 2h\n"
    "  catdog tune --data PetImages --budget 8h --state search.json -- --recipe strong\n"
    "  catdog tune --data PetImages --budget 1h -- --net two_conv --weight-decay 0\n\n"
    "With --state, the same command continues a search that has ended; increase --budget to\n"
    "search longer. Ctrl-C stops the search and prints the results so far.\n",
    run,
    "write options for train after --, as in: catdog tune --data PetImages --budget 1h -- --net two_conv",
};
