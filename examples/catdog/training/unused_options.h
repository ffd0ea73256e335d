/* Options of `catdog train` that would do nothing beside others: a mistake to report before hours of training. */
#ifndef CATDOG_TRAINING_UNUSED_OPTIONS_H
#define CATDOG_TRAINING_UNUSED_OPTIONS_H

#include "training/train_options.h"

/* EXIT_USAGE with a sentence printed if an option on the command line parsed last does nothing; else EXIT_DONE. */
int unused_options_check(const catdog_command *command, const train_arguments *arguments);

#endif
