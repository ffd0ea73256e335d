/* Commands in another program. Cairo and libmicrohttpd, with their dependencies, add 26 libraries and 5 MB to a
 * process; so the commands that need them are in `catdog-full`, which `catdog` executes for them. */
#ifndef CATDOG_CLI_EXTERNAL_COMMAND_H
#define CATDOG_CLI_EXTERNAL_COMMAND_H

/* Replaces the process by catdog-full with the same arguments. Returns if there is no such program. */
void external_command_run(char **argv);

#endif
