#include "train_options.h"

#include <unistd.h>

/* In the order of cnn_optimizer_kind and cnn_schedule_kind. */
static const char *const optimizer_names[] = { "adam", "adamw", "sgd", "rmsprop", NULL };
static const char *const schedule_names[] = {
    "constant", "step", "exponential", "cosine", "one_cycle", "plateau", NULL
};

static const uint64_t usual_cache_mb = 1024;

static arguments_result parse(const catdog_command *command, int argc, char **argv, train_arguments *a)
{
    const option options[] = {
        { "data", "PATH", "photographs to learn from: folder, zip or CSV list", OPTION_TEXT, &a->data },
        { "model", "FILE", "where the trained model goes", OPTION_TEXT, &a->model },
        { "val", "PATH|FRACTION", "photographs to validate on (the data's test part, or 0.1)", OPTION_TEXT,
          &a->validation },
        NET_OPTIONS(a->net),
        { "epochs", "N", "times that every photograph is shown (20)", OPTION_WHOLE, &a->epochs, 1, 100000 },
        { "batch", "N", "photographs in a step (32)", OPTION_WHOLE, &a->batch, 1, 4096 },
        { "optimizer", "NAME", "adam, adamw, sgd or rmsprop (adam)", OPTION_CHOICE, &a->optimizer,
          .choices = optimizer_names },
        { "lr", "X", "learning rate (0.001; sgd: 0.01)", OPTION_NUMBER, &a->learning_rate, 1e-12, 1e37 },
        { "schedule", "NAME", "constant, step, exponential, cosine, one_cycle or plateau (one_cycle)", OPTION_CHOICE,
          &a->schedule, .choices = schedule_names },
        { "weight-decay", "X", "weight decay (0)", OPTION_NUMBER, &a->weight_decay, 0, 10 },
        { "momentum", "X", "momentum of sgd (0.9) and rmsprop (0)", OPTION_NUMBER, &a->momentum, 0, 0.9999 },
        { "clip", "X", "limit on the norm of the gradients (none)", OPTION_NUMBER, &a->clip, 0, 1e9 },
        { "label-smoothing", "X", "how far labels are moved from certainty (0)", OPTION_NUMBER, &a->smoothing, 0,
          0.99 },
        { "ema", "X", "keep averaged weights, with this decay, such as 0.999 (none)", OPTION_NUMBER, &a->ema, 0,
          0.999999 },
        { "augment", "LIST", "random changes (flip,rotation=15,zoom=0.15); none: no changes", OPTION_TEXT,
          &a->augment },
        { "early-stopping", "N", "stop after N epochs without a better validation loss", OPTION_WHOLE,
          &a->early_stopping, 1, 100000 },
        { "threads", "N", "threads to use (all processors)", OPTION_WHOLE, &a->threads, 1, 256 },
        { "seed", "N", "the same seed gives the same model (0)", OPTION_WHOLE, &a->seed, 0, 9007199254740992.0 },
        { "cache", "MB", "memory for decoded photographs, if all fit (1024); 0: none", OPTION_WHOLE, &a->cache, 0,
          1 << 24 },
        { "history", "FILE.csv", "write the figures of each epoch there", OPTION_TEXT, &a->history },
        { "checkpoint", "FILE", "write the state there after each epoch", OPTION_TEXT, &a->checkpoint },
        { "resume", NULL, "go on from the checkpoint, if it exists", OPTION_FLAG, &a->resume },
        { 0 },
    };
    return arguments_parse(command, options, argc, argv, NULL);
}

/* Not 0, with a sentence printed, if options are missing or don't go together. */
static int check(const catdog_command *command, const train_arguments *a, train_settings *settings)
{
    double fraction;
    if (!a->data || !a->model)
        return arguments_wrong(command, "train: --%s is missing", a->data ? "model" : "data");
    if (a->resume && !a->checkpoint)
        return arguments_wrong(command, "train: --resume needs --checkpoint FILE, to go on from");
    if (a->momentum >= 0 && (a->optimizer == CNN_ADAM || a->optimizer == CNN_ADAMW))
        return arguments_wrong(command, "train: --momentum goes with --optimizer sgd or rmsprop, not %s",
                               optimizer_names[a->optimizer]);
    if (cnn_augment_parse(a->augment, &settings->augment))
        return arguments_wrong(command, "train: --augment: %s", cnn_last_error());
    if (a->validation && arguments_number(a->validation, &fraction)) {
        if (fraction <= 0 || fraction >= 1)
            return arguments_wrong(command, "train: --val takes a fraction between 0 and 1, or a path, not '%s'",
                                   a->validation);
        settings->validation_fraction = fraction;
    }
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
    optimizer->momentum = a->momentum >= 0 ? (float)a->momentum : a->optimizer == CNN_SGD ? 0.9f : 0.0f;
}

static void translate(const train_arguments *a, train_settings *settings)
{
    translate_optimizer(a, &settings->optimizer);
    cnn_schedule_init(&settings->schedule);
    settings->schedule.kind = (cnn_schedule_kind)a->schedule;
    cnn_train_options *options = &settings->options;
    cnn_train_options_init(options);
    options->epochs = (uint32_t)a->epochs;
    options->batch_size = (uint32_t)a->batch;
    options->seed = a->seed;
    options->optimizer = &settings->optimizer;
    options->schedule = &settings->schedule;
    options->label_smoothing = (float)a->smoothing;
    options->augment = &settings->augment;
    options->ema_decay = (float)a->ema;
    options->early_stopping = (uint32_t)a->early_stopping;
    options->cache_bytes = choose_cache_bytes(a->cache);
    options->checkpoint = a->checkpoint;
    options->resume = (uint32_t)a->resume;
    options->history = a->history;
}

arguments_result train_options_parse(const catdog_command *command, int argc, char **argv, train_arguments *arguments,
                                     train_settings *settings)
{
    *arguments = (train_arguments){
        .net = { .name = "four_conv", .dropout = -1 },
        .epochs = 20,
        .batch = 32,
        .cache = UINT64_MAX,
        .momentum = -1,
        .schedule = CNN_SCHEDULE_ONE_CYCLE,
        .augment = "flip,rotation=15,zoom=0.15",
    };
    *settings = (train_settings){ 0 };
    arguments_result parsed = parse(command, argc, argv, arguments);
    if (parsed == PARSED_OK && check(command, arguments, settings))
        parsed = PARSED_WRONG;
    if (parsed == PARSED_OK)
        translate(arguments, settings);
    return parsed;
}
