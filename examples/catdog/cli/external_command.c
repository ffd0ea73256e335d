#include "cli/external_command.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/program.h"

#define NAME "catdog-full"

/* As in shipped.c. */
static const char *const places[] = { "%/" NAME, "%/../libexec/catdog/" NAME, CATDOG_PROGRAM_FOLDER "/" NAME };

void external_command_run(char **argv)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char path[PATH_MAX];
        if (!program_place(places[i], path, sizeof path))
            execv(path, argv);
    }
}
