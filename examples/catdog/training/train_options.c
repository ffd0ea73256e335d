#include "training/train_options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/context.h"
#include "cli/data.h"
#include "cli/destination.h"
#include "training/unused_options.h"

/* The library's names, so that what it learns is offered here too. */
enum { MOST_NAMES = 32 };
static const char *optimizer_names[MOST_NAMES + 1], *schedule_names[MOST_NAMES + 1];

static void fill_names(void)
{
    for (int i = 0; i < MOST_NAMES; i++) {
        optimizer_names[i] = cnn_optimizer_kind_name((cnn_optimizer_kind)i);
        schedule_names[i] = cnn_schedule_kind_name((cnn_schedule_kind)i);
    }
}

typedef enum recipe { RECIPE_PLAIN, RECIPE_STRONG } recipe;
static const char *const recipe_names[] = { "plain", "strong", NULL };

/* In the order of cnn_precision. */
static const char *const precision_names[] = { "fp32", "bf16", "auto", NULL };

static const uint64_t usual_cache_mb = 1024;

static int parse(const catdog_command *command, int argc, char **argv, train_arguments *a)
{
    fill_names();
    const option options[] = {
        DATA_OPTIONS(a->data, "photographs to train on"),
        { "model", "FILE", "model to write", OPTION_TEXT, &a->model, .needed = 1 },
        { "val", "PATH|FRACTION", "photographs to validate on, or the fraction of the data to split off for validation",
          OPTION_TEXT, &a->validation, .initial = VALIDATION_DEFAULT },
        { "recipe", "NAME", "defaults to start from; strong trains the best model in about an hour", OPTION_CHOICE,
          &a->recipe, .choices = recipe_names, .initial = "plain" },
        NET_OPTIONS(a->net, "four_conv"),
        TRANSFER_OPTIONS(a->transfer),
        { "progressive", "N[:M]", "start with images of N x N pixels, and let them grow to M x M", OPTION_TEXT,
          &a->progressive, .initial = "always the net's size" },
        { "epochs", "N", "passes over the training photographs", OPTION_WHOLE, &a->epochs, 1, 100000,
          .initial = "20, with --from 14" },
        { "batch", "N", "photographs in each training step", OPTION_WHOLE, &a->batch, 1, 4096, .initial = "32" },
        { "precision", "NAME", "number format of training; auto: bf16 if the processor has it, else fp32",
          OPTION_CHOICE, &a->precision, .choices = precision_names, .initial = "fp32, with --recipe strong auto" },
        { "optimizer", "NAME", "optimizer", OPTION_CHOICE, &a->optimizer, .choices = optimizer_names,
          .initial = "adam" },
        { "lr", "X", "learning rate", OPTION_NUMBER, &a->learning_rate, 0, 1e37,
          .initial = "0.001, for sgd and sgdw 0.01" },
        { "schedule", "NAME", "learning rate schedule", OPTION_CHOICE, &a->schedule, .choices = schedule_names,
          .initial = "one_cycle" },
        { "warmup", "X", "fraction of the training in which the learning rate rises", OPTION_NUMBER, &a->warmup, 0,
          0.99, .initial = "0, for one_cycle 0.3" },
        { "weight-decay", "X", "weight decay", OPTION_NUMBER, &a->weight_decay, 0, 10, .initial = "0" },
        { "momentum", "X", "momentum of sgd, sgdw and rmsprop", OPTION_NUMBER, &a->momentum, 0, 0.9999,
          .initial = "0.9, for rmsprop 0" },
        { "nesterov", NULL, "use Nesterov momentum with sgd or sgdw", OPTION_FLAG, &a->nesterov },
        { "clip", "X", "limit on the norm of the gradients", OPTION_NUMBER, &a->clip, 0, 1e9, .initial = "no limit" },
        { "label-smoothing", "X", "label smoothing", OPTION_NUMBER, &a->smoothing, 0, 0.99, .initial = "0" },
        { "ema", "X", "decay of the exponential moving average of the weights", OPTION_NUMBER, &a->ema, 0, 0.999999,
          .initial = "no average" },
        { "augment", "LIST", "random changes to the training photographs, or none", OPTION_TEXT, &a->augment,
          .initial = "flip,rotation=15,zoom=0.15" },
        { "mixup", "X", "strength of mixup, which blends pairs of photographs", OPTION_NUMBER, &a->mixup, 0, 1,
          .initial = "0" },
        { "cutmix", "X", "strength of CutMix, which pastes a part of one photograph into another", OPTION_NUMBER,
          &a->cutmix, 0, 1, .initial = "0" },
        { "early-stopping", "N", "stop after this many epochs without a better validation loss", OPTION_WHOLE,
          &a->early_stopping, 1, 100000, .initial = "never" },
        { "seed", "N", "random seed; equal seeds give equal models", OPTION_WHOLE, &a->seed, 0, 9007199254740992.0,
          .initial = "0" },
        { "cache", "MB", "keep decoded photographs in memory if all fit into this many MB", OPTION_WHOLE, &a->cache, 0,
          1 << 24, .initial = "1024, at most a quarter of the machine's memory" },
        { "history", "FILE.csv", "file to write the loss and accuracy of each epoch to", OPTION_TEXT, &a->history },
        { "checkpoint", "FILE", "file to write the state of the training to after each epoch", OPTION_TEXT,
          &a->checkpoint },
        { "resume", NULL, "continue from the checkpoint, if it exists", OPTION_FLAG, &a->resume },
        FORCE_OPTION(a->force),
        THREADS_OPTION(a->resources),
        MEMORY_OPTION(a->resources),
        MAX_PIXELS_OPTION(a->resources),
        { 0 },
    };
    return arguments_parse(command, options, argc, argv, NULL);
}

static int is_sgd(const train_arguments *a)
{
    return a->optimizer == CNN_SGD || a->optimizer == CNN_SGDW;
}

static int has_momentum(const train_arguments *a)
{
    return is_sgd(a) || a->optimizer == CNN_RMSPROP;
}

/* Reads "N" or "N:M"; 0 for the net's own size. False if it is neither. */
static int read_sizes(const char *text, uint32_t *first, uint32_t *last)
{
    char *end;
    unsigned long from = strtoul(text, &end, 10), to = 0;
    if (text[0] < '0' || text[0] > '9')
        return 0;
    if (*end == ':' && end[1] >= '0' && end[1] <= '9')
        to = strtoul(end + 1, &end, 10);
    *first = (uint32_t)from;
    *last = (uint32_t)to;
    return !*end && from >= 8 && from <= 4096 && to <= 4096 && (!to || to >= from);
}

/* Not 0 with a sentence printed if options are missing or contradict each other. */
static int check(const catdog_command *command, const train_arguments *a, train_settings *settings)
{
    double fraction;
    if (a->resume && !a->checkpoint)
        return arguments_wrong(command, "train: --resume needs --checkpoint FILE, the file to continue from");
    if (a->momentum >= 0 && !has_momentum(a))
        return arguments_wrong(command, "train: --momentum needs --optimizer sgd, sgdw or rmsprop, not %s",
                               optimizer_names[a->optimizer]);
    if (a->nesterov && !(is_sgd(a) && a->momentum != 0))
        return arguments_wrong(command, "train: --nesterov needs --optimizer sgd or sgdw, and a momentum above 0");
    if (a->progressive && !read_sizes(a->progressive, &settings->options.first_size, &settings->options.last_size))
        return arguments_wrong(
            command,
            "train: --progressive takes one size, or two in ascending order such as 96:128, from 8 to 4096, not '%s'",
            a->progressive);
    cnn_augment_init(&settings->augment);
    if (cnn_augment_parse(a->augment, &settings->augment))
        return arguments_wrong(command, "train: --augment: %s", cnn_last_error());
    if (a->validation && arguments_number(a->validation, &fraction)) {
        if (fraction <= 0 || fraction >= 1)
            return arguments_wrong(command, "train: --val takes a fraction between 0 and 1, or a path, not '%s'",
                                   a->validation);
        settings->validation_fraction = fraction;
    }
    if (unused_options_check(command, a))
        return EXIT_USAGE;
    return net_check(command, &a->net);
}

enum { ABSENT = -1 };

/* The default leaves most of a small machine's memory alone. */
static uint64_t choose_cache_bytes(uint64_t chosen_mb)
{
    if (chosen_mb != UINT64_MAX)
        return chosen_mb << 20;
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    uint64_t usual = usual_cache_mb << 20;
    uint64_t quarter = pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes / 4 : usual;
    return quarter < usual ? quarter : usual;
}

static void translate_optimizer(const train_arguments *a, cnn_optimizer_options *optimizer)
{
    cnn_optimizer_options_init(optimizer);
    optimizer->kind = (cnn_optimizer_kind)a->optimizer;
    optimizer->learning_rate = (float)a->learning_rate;
    optimizer->weight_decay = (float)a->weight_decay;
    optimizer->clip_norm = (float)a->clip;
    optimizer->momentum = a->momentum != ABSENT ? (float)a->momentum : is_sgd(a) ? 0.9f : 0.0f;
    optimizer->nesterov = (uint32_t)a->nesterov;
}

static void translate(const train_arguments *a, train_settings *settings)
{
    translate_optimizer(a, &settings->optimizer);
    cnn_schedule_init(&settings->schedule);
    settings->schedule.kind = (cnn_schedule_kind)a->schedule;
    settings->schedule.warmup = (float)a->warmup;
    cnn_train_options *options = &settings->options;
    options->epochs = (uint32_t)a->epochs;
    options->batch_size = (uint32_t)a->batch;
    options->seed = a->seed;
    options->optimizer = &settings->optimizer;
    options->schedule = &settings->schedule;
    options->label_smoothing = (float)a->smoothing;
    options->augment = &settings->augment;
    options->ema_decay = (float)a->ema;
    options->precision = (cnn_precision)a->precision;
    options->mixup = (float)a->mixup;
    options->cutmix = (float)a->cutmix;
    options->early_stopping = (uint32_t)a->early_stopping;
    options->cache_bytes = choose_cache_bytes(a->cache);
    options->checkpoint = a->checkpoint;
    options->resume = (uint32_t)a->resume;
    options->history = a->history;
}

/* The values of options that are absent. */
static void set_plain_defaults(train_arguments *a)
{
    *a = (train_arguments){
        .net = { .name = "four_conv", .dropout = -1 },
        .batch = 32,
        .cache = UINT64_MAX,
        .momentum = ABSENT,
        .learning_rate = ABSENT,
        .warmup = ABSENT,
        .optimizer = ABSENT,
        .schedule = CNN_SCHEDULE_ONE_CYCLE,
        .augment = "flip,rotation=15,zoom=0.15",
        .transfer.body_rate = -1,
    };
}

/* A pretrained net needs few epochs, and those that train the head alone take moments. */
static void set_transfer_defaults(train_arguments *a)
{
    if (!a->transfer.unfreeze_at)
        a->transfer.unfreeze_at = 11;
    if (!a->epochs)
        a->epochs = a->transfer.unfreeze_at + 3;
}

/* `optimizer`: that of the command line. Rate and decay are for SGD. */
static void set_strong_defaults(train_arguments *a, int optimizer)
{
    set_plain_defaults(a);
    a->net.name = "catdog_net";
    a->epochs = 56;
    a->batch = 64;
    if (optimizer == ABSENT || optimizer == CNN_SGD) {
        a->optimizer = CNN_SGD;
        a->nesterov = 1;
        a->learning_rate = 0.1;
        a->weight_decay = 5e-4;
    }
    a->warmup = 0.15;
    a->smoothing = 0.1;
    a->precision = CNN_PRECISION_AUTO;
    a->ema = 0.998;
    a->augment = "flip,rotation=10,crop=0.35,brightness=0.3,contrast=0.3,saturation=0.3,erase=0.1";
}

/* Its own net is larger than the images of most epochs. Another net may be for one size. */
static void set_strong_sizes(train_arguments *a)
{
    if (strcmp(a->net.name, "catdog_net") != 0 || a->net.size)
        return;
    a->net.size = 160;
    if (!a->progressive)
        a->progressive = "96:128";
}

int train_options_parse(const catdog_command *command, int argc, char **argv, train_arguments *arguments,
                        train_settings *settings)
{
    *settings = (train_settings){ 0 };
    cnn_train_options_init(&settings->options);
    set_plain_defaults(arguments);
    int parsed = parse(command, argc, argv, arguments);
    if (parsed == PARSED && arguments->recipe == RECIPE_STRONG) {
        set_strong_defaults(arguments, arguments->optimizer);
        parsed = parse(command, argc, argv, arguments); /* options on the command line override the recipe */
        set_strong_sizes(arguments);
    }
    if (arguments->transfer.from)
        set_transfer_defaults(arguments);
    if (!arguments->epochs)
        arguments->epochs = 20;
    if (arguments->optimizer == ABSENT)
        arguments->optimizer = CNN_ADAM;
    if (parsed == PARSED && check(command, arguments, settings))
        parsed = EXIT_USAGE;
    if (parsed == PARSED)
        translate(arguments, settings);
    return parsed;
}
