/* The full program. Cairo, libmicrohttpd and what they need are 26 libraries and 5 MB in every process; so commands
 * that need them are in a program of their own, and `catdog` becomes it for them. */
#ifndef CATDOG_CLI_EXTERNAL_COMMAND_H
#define CATDOG_CLI_EXTERNAL_COMMAND_H

/* Becomes the full program, with the same arguments. Returns if there is none. */
void external_command_run(char **argv);

#endif
