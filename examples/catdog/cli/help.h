/* What --help prints: a command's guide, and its options with their ranges and defaults. */
#ifndef CATDOG_CLI_HELP_H
#define CATDOG_CLI_HELP_H

#include "cli/arguments.h"

/* A command's help, to standard output. */
void help_print(const catdog_command *command, const option *options);

/* An option's description, as help and the man page have it: what it is, its range or its choices, its default.
 * Returns `text`. */
const char *help_describe(const option *o, char *text, size_t size);

enum { HELP_TEXT = 512 }; /* bytes that a description takes at most */

#endif
