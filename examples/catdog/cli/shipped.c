#include "cli/shipped.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/program.h"

#define NAME "cats-and-dogs.safetensors"

/* Beside the program, where a build puts it; below its prefix, wherever that was moved to, as seen from bin and from
 * libexec/catdog; where it was installed. */
static const char *const places[] = { "%/models/" NAME, "%/../share/catdog/" NAME, "%/../../share/catdog/" NAME,
                                      CATDOG_DATA_FOLDER "/" NAME };

const char *shipped_model(void)
{
    static char path[PATH_MAX];
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!program_place(places[i], path, sizeof path) && !access(path, R_OK))
            return path;
    output_error("the cat and dog model that comes with catdog is missing; name another with --model FILE");
    return NULL;
}

const char *shipped_model_unless(const char *named)
{
    return named && strcmp(named, "shipped") != 0 ? named : shipped_model();
}
