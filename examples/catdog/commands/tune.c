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

enum { MOST_ARGUMENTS = 128, LONGEST_VALUE = 160, DRAWN = 4, LONGEST_COMMAND = 1 << 16 };

/* A trial is a command line of `catdog train`. */
typedef struct trial_line {
    char values[DRAWN][LONGEST_VALUE];
    char epochs[16];
    char *arguments[MOST_ARGUMENTS];
    int count;
    int options; /* where those that were drawn begin, */
    int drawn;   /* and how many arguments they are */
} trial_line;

typedef struct tuning {
    data_options data;
    const char *validation, *state_path, *budget_text;
    uint64_t epochs, seed;
    context_options resources;
    int json;
    int train_option_count; /* the words after -- */
    char **train_options;
    double budget, started; /* seconds */
    int stopped;            /* the trial under way, before its end */
    double base_rate;
    int draws_rate, draws_decay, draws_augment, draws_width; /* the options that trials vary */
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

static int has_train_option(const tuning *t, const char *name)
{
    size_t length = strlen(name);
    for (int i = 0; i < t->train_option_count; i++)
        if (!strncmp(t->train_options[i], name, length) &&
            (!t->train_options[i][length] || t->train_options[i][length] == '='))
            return 1;
    return 0;
}

static void add(trial_line *line, const char *argument)
{
    line->arguments[line->count++] = (char *)argument;
}

static void add_pair(trial_line *line, const char *name, const char *value)
{
    add(line, name);
    add(line, value);
}

/* Trial 0 is what the options are without being drawn, so that the search ends with nothing worse. */
static void draw(const tuning *t, uint32_t trial, trial_line *line)
{
    const tune_search *s = &t->search;
    if (t->draws_rate) {
        snprintf(line->values[0], LONGEST_VALUE, "%.2g", t->base_rate * pow(10, 1.5 * tune_draw(s, trial, 0) - 0.75));
        add_pair(line, "--lr", line->values[0]);
    }
    if (t->draws_decay) {
        snprintf(line->values[1], LONGEST_VALUE, "%.2g", pow(10, 3 * tune_draw(s, trial, 1) - 5));
        add_pair(line, "--weight-decay", line->values[1]);
    }
    if (t->draws_augment) {
        double x = tune_draw(s, trial, 2);
        snprintf(line->values[2], LONGEST_VALUE,
                 "flip,crop=%.2f,rotation=%.0f,brightness=%.2f,contrast=%.2f,saturation=%.2f,erase=%.2f", 1 - 0.75 * x,
                 1 + 19 * x, 0.4 * x, 0.4 * x, 0.4 * x, 0.3 * x);
        add_pair(line, "--augment", line->values[2]);
    }
    if (t->draws_width) {
        snprintf(line->values[3], LONGEST_VALUE, "%.2f", 0.5 * pow(3, tune_draw(s, trial, 3)));
        add_pair(line, "--width", line->values[3]);
    }
}

/* The command line of a trial; `epochs` 0: as many as train has by itself. */
static void write_line(const tuning *t, uint32_t trial, uint32_t epochs, const char *model, trial_line *line)
{
    *line = (trial_line){ 0 };
    add(line, "train");
    if (t->data.trusted)
        add(line, "--trust-data");
    add_pair(line, "--data", t->data.path);
    if (t->validation)
        add_pair(line, "--val", t->validation);
    add_pair(line, "--model", model);
    line->options = line->count;
    if (trial)
        draw(t, trial, line);
    line->drawn = line->count - line->options;
    for (int i = 0; i < t->train_option_count; i++)
        add(line, t->train_options[i]);
    if (epochs) {
        snprintf(line->epochs, sizeof line->epochs, "%u", epochs);
        add_pair(line, "--epochs", line->epochs);
    }
}

static int parse_line(trial_line *line, train_arguments *arguments, train_settings *settings)
{
    return train_options_parse(&train_command, line->count, line->arguments, arguments, settings);
}

/* Text for a shell; quotes only what needs it. */
static void append_word(char *text, size_t size, const char *word)
{
    size_t used = strlen(text);
    int plain = *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,=:+@%") ==
                             strlen(word);
    if (used)
        used += (size_t)snprintf(text + used, size - used, " ");
    if (plain) {
        snprintf(text + used, size - used, "%s", word);
        return;
    }
    used += (size_t)snprintf(text + used, size - used, "'");
    for (; *word && used + 6 < size; word++)
        used += (size_t)snprintf(text + used, size - used, *word == '\'' ? "'\\''" : "%c", *word);
    snprintf(text + used, size - used, "'");
}

static void join(char *const *words, int count, char *text, size_t size)
{
    text[0] = '\0';
    for (int i = 0; i < count && strlen(text) + 2 < size; i++)
        append_word(text, size, words[i]);
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

static void announce(const trial_line *line, const tune_result *result, uint32_t epochs)
{
    char text[1024];
    join(line->arguments + line->options, line->drawn, text, sizeof text);
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
    trial_line line;
    train_arguments arguments;
    train_settings settings;
    tune_result result = { .trial = trial, .rung = rung };
    uint32_t epochs = tune_epochs(&t->search, rung);
    write_line(t, trial, epochs, "unused", &line);
    if (parse_line(&line, &arguments, &settings) != PARSED)
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
    trial_line line;
    char text[1024];
    write_line(t, r->trial, 0, "unused", &line);
    join(line.arguments + line.options, line.drawn, text, sizeof text);
    fprintf(output_results(), "%5u  %6u  %7.2f %%  %8.4f  %6.1f s  %s\n", r->trial, tune_epochs(&t->search, r->rung),
            100 * r->accuracy, r->loss, r->seconds, *text ? text : "defaults");
}

static json_t *row_to_json(const tuning *t, const tune_result *r)
{
    trial_line line;
    char text[1024];
    write_line(t, r->trial, 0, "unused", &line);
    join(line.arguments + line.options, line.drawn, text, sizeof text);
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

static int report(tuning *t)
{
    const tune_result *best = tune_best(&t->search);
    if (!best) {
        output_error("no trial was completed: increase --budget or reduce --epochs");
        return EXIT_FAILED;
    }
    trial_line line;
    char words[LONGEST_COMMAND], command[LONGEST_COMMAND + 8];
    write_line(t, best->trial, tune_epochs(&t->search, best->rung), "best.safetensors", &line);
    join(line.arguments, line.count, words, sizeof words);
    snprintf(command, sizeof command, "catdog %s", words);
    qsort(t->search.results, t->search.count, sizeof *t->search.results, compare);
    if (t->json)
        return print_json(t, command) ? EXIT_FAILED : output_finish();
    fputs("trial  epochs   accuracy      loss      time  options\n", output_results());
    for (size_t i = 0; i < t->search.count; i++)
        print_row(t, &t->search.results[i]);
    fprintf(output_results(), "\n%s\n", command);
    return output_finish();
}

/* What the drawn options start from, and which are drawn. */
static int read_base(tuning *t, train_arguments *arguments, train_settings *settings)
{
    trial_line line;
    write_line(t, 0, 0, "unused", &line);
    if (parse_line(&line, arguments, settings) != PARSED)
        return -1;
    int sgd = arguments->optimizer == CNN_SGD || arguments->optimizer == CNN_SGDW;
    t->base_rate = arguments->learning_rate > 0 ? arguments->learning_rate : sgd ? 0.01 : 0.001;
    t->draws_rate = !has_train_option(t, "--lr");
    t->draws_decay = !has_train_option(t, "--weight-decay");
    t->draws_augment = !has_train_option(t, "--augment");
    t->draws_width = !has_train_option(t, "--width") && !net_is_file(arguments->net.name);
    if (t->draws_rate || t->draws_decay || t->draws_augment || t->draws_width)
        return 0;
    arguments_wrong(
        &tune_command,
        "tune: nothing is left to vary: --lr, --weight-decay, --augment and %s are fixed; leave one of them "
        "out, or use 'catdog train'",
        has_train_option(t, "--width") ? "--width" : "the net");
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
    for (int i = 0; i < t->train_option_count; i++)
        json_array_append_new(words, output_json_text(t->train_options[i]));
    t->settings = json_pack("{s:o,s:o,s:I,s:I,s:o}", "data", output_json_text(t->data.path), "val",
                            output_json_text(t->validation ? t->validation : ""), "epochs", (json_int_t)t->epochs,
                            "seed", (json_int_t)t->seed, "options", words);
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
        if (has_train_option(t, own[i]))
            return arguments_wrong(command, "tune: %s can't be among the options for train", own[i]);
    if (t->train_option_count > MOST_ARGUMENTS / 2)
        return arguments_wrong(command, "tune: there are more than %d options for train", MOST_ARGUMENTS / 2);
    return EXIT_DONE;
}

static int run(const catdog_command *command, int argc, char **argv)
{
    tuning t = { .epochs = 9 };
    const option options[] = {
        DATA_OPTIONS(t.data, "photographs to train on"),
        { "val", "PATH|FRACTION", "photographs to validate on, or the part of the data to split off for that",
          OPTION_TEXT, &t.validation, .initial = VALIDATION_DEFAULT },
        { "budget", "TIME", "duration of the search, such as 90s, 10m or 2h", OPTION_TEXT, &t.budget_text,
          .needed = 1 },
        { "epochs", "N", "epochs of the longest trials; most are shorter", OPTION_WHOLE, &t.epochs, 1, 10000,
          .initial = "9" },
        { "state", "FILE", "file that keeps the results, for a search to continue from", OPTION_TEXT, &t.state_path },
        { "seed", "N", "random seed; equal seeds give equal trials", OPTION_WHOLE, &t.seed, 0, 9007199254740992.0,
          .initial = "0" },
        { "json", NULL, "print the results as JSON", OPTION_FLAG, &t.json },
        THREADS_OPTION(t.resources),
        MEMORY_OPTION(t.resources),
        MAX_PIXELS_OPTION(t.resources),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, &t.train_option_count);
    t.train_options = argv + 1;
    if (parsed != PARSED)
        return parsed;
    if (check(command, &t))
        return EXIT_USAGE;
    const destination files[] = {
        { "--data", t.data.path, DESTINATION_INPUT },
        { "--val", t.validation, DESTINATION_INPUT },
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
