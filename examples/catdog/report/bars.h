/* Horizontal bars with names. */
#ifndef CATDOG_REPORT_BARS_H
#define CATDOG_REPORT_BARS_H

#include <stddef.h>

#include "report/figure.h"

typedef struct bar {
    const char *name; /* UTF-8 */
    double value;
    char text[48]; /* the value as text */
} bar;

typedef struct bars {
    const bar *list;
    size_t count;
} bars;

/* The bars must outlive the figure. */
figure bars_figure(const bars *b, const char *name, const char *title);

#endif
