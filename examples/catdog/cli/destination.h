/* The files that a command is about to write: whether that is possible, and whether something would be lost by it. */
#ifndef CATDOG_CLI_DESTINATION_H
#define CATDOG_CLI_DESTINATION_H

#include "cli/arguments.h"

typedef enum destination_kind {
    DESTINATION_MODEL,
    DESTINATION_EXPORT, /* a model, or an ONNX file */
    DESTINATION_CHECKPOINT,
    DESTINATION_HISTORY,
    DESTINATION_SEARCH,
    DESTINATION_PICTURE,
    DESTINATION_PAGE,
    DESTINATION_FOLDER,
    DESTINATION_INPUT /* is read; no output may overwrite it */
} destination_kind;

typedef struct destination {
    const char *option; /* "--model"; NULL ends a list */
    const char *path;   /* NULL: absent */
    destination_kind kind;
} destination;

/* The entry of a table of options that sets `force`, an int. */
#define FORCE_OPTION(force)                                                                    \
    {                                                                                          \
        "force", NULL, "also overwrite files that catdog did not write", OPTION_FLAG, &(force) \
    }

/* Checks the outputs before hours of work. Returns EXIT_DONE; or, with a sentence printed,
 *   EXIT_USAGE where two of the list are the same file, a new file's name belongs to another format, or pictures are to
 * be written into a folder of the input; EXIT_FAILED where a file can't be written, or, without `force`, where one
 * exists that catdog did not write as such. If an output is standard output, results go to standard error from here on
 * (output_results). */
int destinations_check(const catdog_command *command, const destination *list, int force);

/* Checks only that catdog wrote the existing file as such, for a path without an option. 0, or -1 with a sentence
 * printed. */
int destination_check_content(const char *path, destination_kind kind, int force);

/* Whether the file is a picture that catdog drew. */
int destination_is_own_picture(const char *path);

/* The ends by which catdog recognises its own pictures, whose beginnings are like others'. */
#define DESTINATION_PNG_END            \
    "\x00\x00\x00\x0ftEXtSoftware\x00" \
    "catdog\x61\x1e\xab\x36"           \
    "\x00\x00\x00\x00IEND\xae\x42\x60\x82"
#define DESTINATION_SVG_END "<!-- catdog -->\n"

#endif
