#include "cli/program.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int find_program_folder(char *folder, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", folder, size - 1);
    if (length < 0)
        return -1;
    folder[length] = '\0';
    char *slash = strrchr(folder, '/');
    if (!slash)
        return -1;
    *slash = '\0';
    return 0;
}

int program_place(const char *place, char *path, size_t size)
{
    char folder[PATH_MAX] = "";
    int below = place[0] == '%';
    if (below && find_program_folder(folder, sizeof folder))
        return -1;
    int length = snprintf(path, size, "%s%s", folder, place + below);
    return length < 0 || (size_t)length >= size;
}
