/* Grids of photographs, each with a line or two below it. */
#ifndef CATDOG_REPORT_GRIDS_H
#define CATDOG_REPORT_GRIDS_H

#include <stddef.h>

#include "report/figure.h"

typedef enum cell_mark { MARK_NONE, MARK_RIGHT, MARK_WRONG } cell_mark;

enum { CELL_TEXT = 640 };

typedef struct cell {
    cairo_surface_t *photo;                 /* the grid owns it */
    cell_mark mark;                         /* of the title */
    char title[CELL_TEXT], note[CELL_TEXT]; /* UTF-8; empty: none */
    char alt[2 * CELL_TEXT];                /* for those who don't see it */
} cell;

typedef struct grid {
    cell *cells;
    size_t count, capacity;
    int columns;
    double cell_width, cell_height; /* of the photographs in the drawing */
} grid;

/* Room for so many cells. Not 0 with a sentence printed. */
int grid_create(grid *g, size_t capacity, int columns, double cell_width, double cell_height);
void grid_release(grid *g);

/* The next cell, with its photograph, which the grid takes. */
cell *grid_add(grid *g, cairo_surface_t *photo);

/* The figure of a grid, which must outlive it. */
figure grid_figure(const grid *g, const char *name, const char *title);

#endif
