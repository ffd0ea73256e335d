/* Axes, plots and keys. */
#ifndef CATDOG_REPORT_AXES_H
#define CATDOG_REPORT_AXES_H

#include <stddef.h>

#include "report/canvas.h"

typedef enum axis_format {
    AXIS_NUMBER,
    AXIS_PERCENT,
    AXIS_COUNT /* from 0, logarithmic from 1 on, so that small counts show beside large ones */
} axis_format;

typedef struct axis {
    double from, to;
    double step; /* of its ticks; 0: chosen */
    axis_format format;
    const char *label;
} axis;

typedef struct axes {
    axis x, y;
    double left, top, right, bottom; /* where the plot is; set by axes_draw */
} axes;

enum { AXES_KEY_LINE = 18 }; /* height of a line of a key */

/* A range for the axis that ends at round numbers and holds both values. */
void axis_fit(axis *a, double least, double most);

/* Draws grid, ticks and labels, with room for `keys` lines of a key above. */
void axes_draw(axes *a, const canvas *c, int keys);

double axes_x(const axes *a, double value);
double axes_y(const axes *a, double value);

/* Joins points; those that aren't finite part the line. */
void axes_curve(const axes *a, const canvas *c, const double *x, const double *y, size_t count, uint32_t colour);
void axes_dashes(const axes *a, const canvas *c, double x0, double y0, double x1, double y1);

/* Draws an entry of the key, at most `room` wide, in line `line` at `*x`, and advances `*x`. */
void axes_key(const canvas *c, int line, double *x, double room, uint32_t colour, const char *text);

#endif
