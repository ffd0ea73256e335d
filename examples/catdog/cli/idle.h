/* Options that do nothing beside others, which is a mistake that is better told than found out after hours. */
#ifndef CATDOG_CLI_IDLE_H
#define CATDOG_CLI_IDLE_H

#include <cnn/cnn.h>

#include "training/train_options.h"

/* Each gives EXIT_USAGE, with a sentence printed, if an option on the command line parsed last does nothing. */
int idle_check_train(const catdog_command *command, const train_arguments *arguments);
int idle_check_summary(const catdog_command *command, int shows_model);
int idle_check_check(const catdog_command *command, int has_model);
int idle_check_bench(const catdog_command *command, int measures_net, int measures_loader);

/* The same, of a command that uses a model. */
int idle_check_threshold(const catdog_command *command, const cnn_classifier *classifier);

#endif
