/* Man pages and bash completion, made from the tables of options. */
#ifndef CATDOG_CLI_MANUAL_H
#define CATDOG_CLI_MANUAL_H

#include "cli/arguments.h"

/* The man page of a command, or of the program, to standard output, in man(7)'s macros. `commands` ends in NULL. */
void manual_of_command(const catdog_command *command, const option *options);
void manual_of_program(const catdog_command *const *commands);

/* The program's bash completion, to standard output. Each command contributes its part by --help=bash, which calls
 * completion_of_command. */
int completion_of_program(const catdog_command *const *commands);
void completion_of_command(const catdog_command *command, const option *options);

#endif
