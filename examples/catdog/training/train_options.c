#include "training/train_options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/context.h"
#include "cli/data.h"
#include "cli/destination.h"
#include "cli/idle.h"

/* In the order of cnn_optimizer_kind and cnn_schedule_kind. */
static const char *const optimizer_names[] = { "adam", "adamw", "sgd", "rmsprop", "sgdw", NULL };
static const char *const schedule_names[] = {
    "constant", "step", "exponential", "cosine", "one_cycle", "plateau", NULL
};

typedef enum recipe { RECIPE_PLAIN, RECIPE_STRONG } recipe;
static const char *const recipe_names[] = { "plain", "strong", NULL };

/* In the order of cnn_precision. */
static const char *const precision_names[] = { "fp32", "bf16", NULL };

static const uint64_t usual_cache_mb = 1024;

static int parse(const catdog_command *command, int argc, char **argv, train_arguments *a)
{
    const option options[] = {
        { "data", "PATH", "photographs to learn from: folder, zip or CSV list", OPTION_TEXT, &a->data, .needed = 1 },
        { "model", "FILE", "where the trained model goes", OPTION_TEXT, &a->model, .needed = 1 },
        { "val", "PATH|FRACTION", "photographs to validate on (the data's valid or test part, or 0.1)", OPTION_TEXT,
          &a->validation },
        { "recipe", "NAME", "what options are unless given: plain, or strong, for the best model in an hour (plain)",
          OPTION_CHOICE, &a->recipe, .choices = recipe_names },
        NET_OPTIONS(a->net),
        TRANSFER_OPTIONS(a->transfer),
        { "progressive", "N[:M]", "begin with images of N x N pixels and end with M x M (the net's size)", OPTION_TEXT,
          &a->progressive },
        { "epochs", "N", "times that every photograph is shown (20; with --from 14)", OPTION_WHOLE, &a->epochs, 1,
          100000 },
        { "batch", "N", "photographs in a step (32)", OPTION_WHOLE, &a->batch, 1, 4096 },
        { "precision", "NAME", "what training computes in: fp32 or bf16 (fp32; strong: bf16 if native)", OPTION_CHOICE,
          &a->precision, .choices = precision_names },
        { "optimizer", "NAME", "adam, adamw, sgd, sgdw or rmsprop (adam)", OPTION_CHOICE, &a->optimizer,
          .choices = optimizer_names },
        { "lr", "X", "learning rate (0.001; sgd, sgdw: 0.01)", OPTION_NUMBER, &a->learning_rate, 1e-12, 1e37 },
        { "schedule", "NAME", "constant, step, exponential, cosine, one_cycle or plateau (one_cycle)", OPTION_CHOICE,
          &a->schedule, .choices = schedule_names },
        { "warmup", "X", "part of the training over which the rate rises (0; one_cycle: 0.3)", OPTION_NUMBER,
          &a->warmup, 0, 0.99 },
        { "weight-decay", "X", "weight decay (0)", OPTION_NUMBER, &a->weight_decay, 0, 10 },
        { "momentum", "X", "momentum of sgd and sgdw (0.9) and rmsprop (0)", OPTION_NUMBER, &a->momentum, 0, 0.9999 },
        { "nesterov", NULL, "Nesterov's momentum, for sgd and sgdw", OPTION_FLAG, &a->nesterov },
        { "clip", "X", "limit on the norm of the gradients (none)", OPTION_NUMBER, &a->clip, 0, 1e9 },
        { "label-smoothing", "X", "how far labels are moved from certainty (0)", OPTION_NUMBER, &a->smoothing, 0,
          0.99 },
        { "ema", "X", "keep averaged weights, with this decay, such as 0.999 (none)", OPTION_NUMBER, &a->ema, 0,
          0.999999 },
        { "augment", "LIST", "random changes (flip,rotation=15,zoom=0.15); none: no changes", OPTION_TEXT,
          &a->augment },
        { "mixup", "X", "blend photographs in pairs; X to 1: the more, the stronger (0)", OPTION_NUMBER, &a->mixup, 0,
          1 },
        { "cutmix", "X", "put a rectangle of each photograph into another (0)", OPTION_NUMBER, &a->cutmix, 0, 1 },
        { "early-stopping", "N", "stop after N epochs without a better validation loss", OPTION_WHOLE,
          &a->early_stopping, 1, 100000 },
        DATA_OPTION,
        { "threads", "N", "threads to use (all processors)", OPTION_WHOLE, &a->threads, 1, 256 },
        { "seed", "N", "the same seed gives the same model (0)", OPTION_WHOLE, &a->seed, 0, 9007199254740992.0 },
        { "cache", "MB", "memory for decoded photographs, if all fit (1024); 0: none", OPTION_WHOLE, &a->cache, 0,
          1 << 24 },
        { "history", "FILE.csv", "write the figures of each epoch there", OPTION_TEXT, &a->history },
        { "checkpoint", "FILE", "write the state there after each epoch", OPTION_TEXT, &a->checkpoint },
        { "resume", NULL, "go on from the checkpoint, if it exists", OPTION_FLAG, &a->resume },
        FORCE_OPTION(a->force),
        { 0 },
    };
    return arguments_parse(command, options, argc, argv, NULL);
}

static int is_sgd(const train_arguments *a)
{
    return a->optimizer == CNN_SGD || a->optimizer == CNN_SGDW;
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

/* Not 0, with a sentence printed, if options are missing or don't go together. */
static int check(const catdog_command *command, const train_arguments *a, train_settings *settings)
{
    double fraction;
    if (a->resume && !a->checkpoint)
        return arguments_wrong(command, "train: --resume needs --checkpoint FILE, to go on from");
    if (a->momentum >= 0 && (a->optimizer == CNN_ADAM || a->optimizer == CNN_ADAMW))
        return arguments_wrong(command, "train: --momentum goes with --optimizer sgd, sgdw or rmsprop, not %s",
                               optimizer_names[a->optimizer]);
    if (a->nesterov && !(is_sgd(a) && a->momentum != 0))
        return arguments_wrong(command, "train: --nesterov goes with --optimizer sgd or sgdw, and with momentum");
    if (a->progressive && !read_sizes(a->progressive, &settings->options.first_size, &settings->options.last_size))
        return arguments_wrong(
            command,
            "train: --progressive takes a size, or two of which the second is no smaller, such as 96:128, not '%s'",
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
    if (idle_check_train(command, a))
        return EXIT_USAGE;
    return net_check(command, &a->net);
}

/* A usual amount of memory is used for photographs without being asked for, but not most of a small machine's. */
static uint64_t choose_cache_bytes(uint64_t given_mb)
{
    if (given_mb != UINT64_MAX)
        return given_mb << 20;
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
    optimizer->momentum = a->momentum >= 0 ? (float)a->momentum : is_sgd(a) ? 0.9f : 0.0f;
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

enum { NOT_GIVEN = -1 };

/* What options are unless they are given. */
static void set_plain_defaults(train_arguments *a)
{
    *a = (train_arguments){
        .net = { .name = "four_conv", .dropout = -1 },
        .batch = 32,
        .cache = UINT64_MAX,
        .momentum = -1,
        .optimizer = NOT_GIVEN,
        .schedule = CNN_SCHEDULE_ONE_CYCLE,
        .augment = "flip,rotation=15,zoom=0.15",
        .transfer.body_rate = -1,
    };
}

/* A pretrained net needs few epochs, and those of its head take a moment. */
static void set_transfer_defaults(train_arguments *a)
{
    if (!a->transfer.unfreeze_at)
        a->transfer.unfreeze_at = 11;
    if (!a->epochs)
        a->epochs = a->transfer.unfreeze_at + 3;
}

/* `optimizer`: the one given. Rates and decay are of SGD. */
static void set_strong_defaults(train_arguments *a, int optimizer)
{
    set_plain_defaults(a);
    a->net.name = "catdog_net";
    a->epochs = 56;
    a->batch = 64;
    if (optimizer == NOT_GIVEN || optimizer == CNN_SGD) {
        a->optimizer = CNN_SGD;
        a->nesterov = 1;
        a->learning_rate = 0.1;
        a->weight_decay = 5e-4;
    }
    a->warmup = 0.15;
    a->smoothing = 0.1;
    if (context_has_bfloat16())
        a->precision = CNN_PRECISION_BFLOAT16; /* elsewhere it is emulated */
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
        parsed = parse(command, argc, argv, arguments); /* what is given goes over it */
        set_strong_sizes(arguments);
    }
    if (arguments->transfer.from)
        set_transfer_defaults(arguments);
    if (!arguments->epochs)
        arguments->epochs = 20;
    if (arguments->optimizer == NOT_GIVEN)
        arguments->optimizer = CNN_ADAM;
    if (parsed == PARSED && check(command, arguments, settings))
        parsed = EXIT_USAGE;
    if (parsed == PARSED)
        translate(arguments, settings);
    return parsed;
}
