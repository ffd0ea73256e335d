#include "report/grids.h"

#include <stdlib.h>

#include "cli/output.h"

enum { GAP = 14, LINE_HEIGHT = 15 };

int grid_create(grid *g, size_t capacity, int columns, double cell_width, double cell_height)
{
    *g = (grid){ .capacity = capacity, .columns = columns, .cell_width = cell_width, .cell_height = cell_height };
    g->cells = calloc(capacity ? capacity : 1, sizeof *g->cells);
    if (g->cells)
        return 0;
    output_error("out of memory: photographs can't be drawn");
    return -1;
}

void grid_release(grid *g)
{
    for (size_t i = 0; i < g->count; i++)
        cairo_surface_destroy(g->cells[i].photo);
    free(g->cells);
    *g = (grid){ 0 };
}

cell *grid_add(grid *g, cairo_surface_t *photo)
{
    cell *added = &g->cells[g->count++];
    added->photo = photo;
    return added;
}

static int text_lines(const grid *g)
{
    int lines = 0;
    for (size_t i = 0; i < g->count; i++) {
        int own = g->cells[i].note[0] ? 2 : g->cells[i].title[0] ? 1 : 0;
        lines = own > lines ? own : lines;
    }
    return lines;
}

/* A tick or a cross: colour alone isn't for everyone. */
static double draw_mark(const canvas *c, cell_mark mark, double x, double y)
{
    if (mark == MARK_NONE)
        return 0;
    canvas_colour(c, mark == MARK_RIGHT ? c->theme->right : c->theme->wrong, 1);
    if (mark == MARK_RIGHT) {
        canvas_line(c, x, y - 4, x + 3, y - 1, 1.8);
        canvas_line(c, x + 3, y - 1, x + 9, y - 8, 1.8);
    } else {
        canvas_line(c, x + 1, y - 8, x + 8, y - 1, 1.8);
        canvas_line(c, x + 8, y - 8, x + 1, y - 1, 1.8);
    }
    return 13;
}

static void draw_cell(const canvas *c, const grid *g, const cell *drawn, double x, double y)
{
    canvas_image(c, drawn->photo, x, y, g->cell_width, g->cell_height);
    double baseline = y + g->cell_height + LINE_HEIGHT;
    double shift = draw_mark(c, drawn->mark, x, baseline);
    canvas_colour(c, drawn->mark == MARK_WRONG ? c->theme->wrong : c->theme->ink, 1);
    canvas_font(c, TEXT_NORMAL, drawn->mark != MARK_NONE);
    canvas_text_within(c, x + shift, baseline, ALIGN_LEFT, g->cell_width - shift, drawn->title);
    canvas_colour(c, c->theme->muted, 1);
    canvas_font(c, TEXT_SMALL, 0);
    canvas_text_within(c, x, baseline + LINE_HEIGHT, ALIGN_LEFT, g->cell_width, drawn->note);
}

static double row_height(const grid *g)
{
    return g->cell_height + text_lines(g) * LINE_HEIGHT + GAP;
}

static void draw(const canvas *c, const void *data)
{
    const grid *g = data;
    for (size_t i = 0; i < g->count; i++) {
        size_t row = i / (size_t)g->columns, column = i % (size_t)g->columns;
        draw_cell(c, g, &g->cells[i], (double)column * (g->cell_width + GAP), (double)row * row_height(g));
    }
}

figure grid_figure(const grid *g, const char *name, const char *title)
{
    size_t rows = (g->count + (size_t)g->columns - 1) / (size_t)g->columns;
    return (figure){ name, title, g->columns * (g->cell_width + GAP) - GAP, (double)rows * row_height(g) - GAP / 2.0,
                     draw, g };
}
