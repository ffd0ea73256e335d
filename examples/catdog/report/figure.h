/* A figure of a certain size, which is drawn to files and, as SVG, to streams. */
#ifndef CATDOG_REPORT_FIGURE_H
#define CATDOG_REPORT_FIGURE_H

#include "report/canvas.h"

typedef struct figure {
    const char *name;  /* of its files, without their ends */
    const char *title; /* above it in its files */
    double width, height;
    void (*draw)(const canvas *c, const void *data);
    const void *data;
} figure;

/* Writes a file with the title above the figure, in light colours: PNG, or SVG if its name ends so. A file that is no
 * picture of catdog's is replaced with `force` alone. Not 0 with a sentence printed. */
int figure_save(const figure *f, const char *path, int force);

/* Writes both, named after the figure, to a folder. */
int figure_save_both(const figure *f, const char *folder, int force);

/* Removes what an older report left in a folder: the files of a figure of this name, if they are pictures of catdog's.
 * Not 0 with a sentence printed. */
int figure_remove_both(const char *name, const char *folder);

/* Writes the figure alone as SVG, without a background. 0, or -1 if cairo or `write` fails. */
int figure_stream(const figure *f, const theme *colours, cairo_write_func_t write, void *closure);

#endif
