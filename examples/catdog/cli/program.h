/* Finds files that are installed with the program, by the program's own folder. */
#ifndef CATDOG_CLI_PROGRAM_H
#define CATDOG_CLI_PROGRAM_H

#include <stddef.h>

/* Turns `place`, in which a leading % stands for the program's folder, into a path. Not 0 if the folder is unknown. */
int program_place(const char *place, char *path, size_t size);

#endif
