/* All commands of the program; main.c lists them in the order of `catdog --help`. */
#ifndef CATDOG_COMMANDS_COMMANDS_H
#define CATDOG_COMMANDS_COMMANDS_H

#include "cli/arguments.h"

extern const catdog_command train_command, tune_command, eval_command, predict_command, check_command,
    calibrate_command, summary_command, quantize_command, bench_command, export_command, serve_command, report_command,
    samples_command, augment_preview_command;

#endif
