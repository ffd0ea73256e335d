#include "shipped.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

#define NAME "cats-and-dogs.safetensors"

/* % is the program's folder. Beside the program, where a build puts it; below its prefix, wherever that was moved to;
 * where it was installed. */
static const char *const places[] = { "%/models/" NAME, "%/../share/catdog/" NAME, CATDOG_DATA_FOLDER "/" NAME };

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

const char *shipped_model(void)
{
    static char path[PATH_MAX + sizeof NAME + 32];
    char folder[PATH_MAX];
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i][0] != '%')
            snprintf(path, sizeof path, "%s", places[i]);
        else if (!find_program_folder(folder, sizeof folder))
            snprintf(path, sizeof path, "%s%s", folder, places[i] + 1);
        else
            continue;
        if (!access(path, R_OK))
            return path;
    }
    output_error("the model of cats and dogs that comes with catdog isn't there; name one with --model FILE");
    return NULL;
}

const char *shipped_model_unless(const char *given)
{
    return given && strcmp(given, "shipped") != 0 ? given : shipped_model();
}
