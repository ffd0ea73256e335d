/* Parts of a page in HTML. Nothing in it is fetched from anywhere: images lie in it as data. */
#ifndef CATDOG_REPORT_HTML_H
#define CATDOG_REPORT_HTML_H

#include <stdio.h>

#include "report/figure.h"
#include "report/grids.h"

/* Text, with what HTML would take for its own escaped, and control characters replaced. */
void html_text(FILE *file, const char *text);

/* A name that may be of any script: what stands beside it stays in its place. */
void html_name(FILE *file, const char *name);

/* A heading, an explanation (HTML), and the figure, in light and dark colours; `alt` says what is seen. Gives 0, or -1
 * if it can't be drawn. */
int html_figure(FILE *file, const figure *f, const char *alt, const char *explanation);

/* The same for a grid of photographs, as a list that fits any width: "squares", "pairs", or "rows" of
 * six. */
void html_grid(FILE *file, const grid *g, const char *kind, const char *name, const char *title,
               const char *explanation);

#endif
