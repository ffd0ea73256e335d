/* The options of `catdog train`, as given and as the library takes them. */
#ifndef CATDOG_TRAINING_TRAIN_OPTIONS_H
#define CATDOG_TRAINING_TRAIN_OPTIONS_H

#include <stdint.h>

#include <cnn/cnn.h>

#include "cli/net_options.h"
#include "training/transfer.h"

typedef struct train_arguments {
    int recipe;
    const char *data, *validation, *model, *augment, *history, *checkpoint, *progressive;
    net_arguments net;
    transfer_arguments transfer;
    uint64_t epochs, batch, threads, seed, early_stopping;
    uint64_t cache;                                                     /* MB; UINT64_MAX: not given */
    double learning_rate, weight_decay, momentum, clip, smoothing, ema; /* momentum negative: not given */
    double warmup, mixup, cutmix;
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
