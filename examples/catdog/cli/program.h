/* Files that belong to the program, found from where it lies. */
#ifndef CATDOG_CLI_PROGRAM_H
#define CATDOG_CLI_PROGRAM_H

#include <stddef.h>

/* The path that `place` stands for, in which a first % is the program's folder. Not 0: it can't be told. */
int program_place(const char *place, char *path, size_t size);

#endif
