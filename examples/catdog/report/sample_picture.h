/* A picture file of photographs from a dataset: what the commands samples and augment-preview share. */
#ifndef CATDOG_REPORT_SAMPLE_PICTURE_H
#define CATDOG_REPORT_SAMPLE_PICTURE_H

#include "cli/context.h"
#include "cli/data.h"
#include "report/photo_source.h"

typedef struct sample_picture {
    data_options data;
    const char *out; /* the file */
    int force;
    context_options resources;
    const char *title;

    /* Fills the grid from the photographs. Not 0 with a sentence printed. */
    int (*fill)(const photo_source *source, const void *user, grid *g);
    const void *user;
} sample_picture;

/* clang-format off */
/* Entries of a command's table of options, for `p`, a sample_picture. */
#define PICTURE_OPTION(p) \
    { "out", "FILE.png", "picture to write; SVG if the name ends in .svg", OPTION_TEXT, &(p).out, .needed = 1 }
/* clang-format on */

/* Checks the options, opens the photographs, and writes the file. Returns an exit status. */
int sample_picture_write(const catdog_command *command, const sample_picture *p);

#endif
