/* The options of `catdog train`: those of the command line, and those of the library that they become. */
#ifndef CATDOG_TRAINING_TRAIN_OPTIONS_H
#define CATDOG_TRAINING_TRAIN_OPTIONS_H

#include <stdint.h>

#include <cnn/cnn.h>

#include "cli/context.h"
#include "cli/data.h"
#include "cli/net_options.h"
#include "training/transfer.h"

/* The default of --val, as help shows it. */
#define VALIDATION_DEFAULT "the data's validation or test part, or 0.1"

typedef struct train_arguments {
    int recipe;
    data_options data;
    const char *validation, *model, *augment, *history, *checkpoint, *progressive;
    net_arguments net;
    transfer_arguments transfer;
    context_options resources;
    uint64_t epochs, batch, seed, early_stopping;
    uint64_t cache;                         /* MB; UINT64_MAX: absent */
    double learning_rate, momentum, warmup; /* -1: absent */
    double weight_decay, clip, smoothing, ema;
    double mixup, cutmix;
    int precision;
    int optimizer, schedule, nesterov, resume, force; /* the first two are the library's enums */
} train_arguments;

/* The library's options, and what they point to. */
typedef struct train_settings {
    cnn_train_options options;
    cnn_optimizer_options optimizer;
    cnn_schedule schedule;
    cnn_augment augment;
    double validation_fraction; /* 0: the validation data is a path, or the test part */
} train_settings;

/* As arguments_parse. Options that don't go together are wrong, too. */
int train_options_parse(const catdog_command *command, int argc, char **argv, train_arguments *arguments,
                        train_settings *settings);

#endif
