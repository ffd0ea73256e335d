/* Parts of an HTML page that contains everything it shows: images are embedded as data. */
#ifndef CATDOG_REPORT_HTML_H
#define CATDOG_REPORT_HTML_H

#include <stdio.h>

#include "report/figure.h"
#include "report/grids.h"

/* Text with HTML's special characters escaped and control characters replaced. */
void html_text(FILE *file, const char *text);

/* A name of any script, isolated so that the text beside it stays in place. */
void html_name(FILE *file, const char *name);

/* A heading, an explanation (HTML), and the figure in light and dark colours; `alt` describes it. Returns 0, or -1 if
 * it can't be drawn. */
int html_figure(FILE *file, const figure *f, const char *alt, const char *explanation);

/* The same for a grid of photographs, as a list that fits any width: "squares", "pairs", or "rows" of
 * six. */
void html_grid(FILE *file, const grid *g, const char *kind, const char *name, const char *title,
               const char *explanation);

#endif
