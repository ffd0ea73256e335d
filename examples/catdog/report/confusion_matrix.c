#include "report/confusion_matrix.h"

#include <math.h>
#include <stdio.h>

static const double width = 390;

/* Where the cells of a confusion matrix are. */
typedef struct matrix {
    double left, top, cell;
} matrix;

enum { MATRIX_LABELS = 88, LARGEST_CELL = 128, READABLE_CELL = 22, SMALLEST_LABEL = 6 };

static matrix place_matrix(uint32_t classes)
{
    double cell = fmin((width - MATRIX_LABELS) / classes, LARGEST_CELL);
    return (matrix){ MATRIX_LABELS, classes > 5 ? MATRIX_LABELS + 14 : 42, cell };
}

static void draw_matrix_labels(const canvas *c, const predictions *all, const matrix *m)
{
    canvas_colour(c, c->theme->muted, 1);
    canvas_font(c, TEXT_SMALL, 0);
    canvas_text(c, m->left, TEXT_SMALL, ALIGN_LEFT, "predicted class");
    canvas_text(c, m->left - 10, m->top - 8, ALIGN_RIGHT, "true class");
    canvas_colour(c, c->theme->ink, 1);
    canvas_font(c, m->cell < 13 ? m->cell * 0.8 : TEXT_NORMAL, 0);
    if (m->cell < SMALLEST_LABEL)
        return;
    for (uint32_t k = 0; k < all->classes; k++) {
        double middle = (k + 0.5) * m->cell;
        canvas_text_within(c, m->left - 10, m->top + middle + 4, ALIGN_RIGHT, m->left - 10, all->names[k]);
        cairo_save(c->cr);
        cairo_translate(c->cr, m->left + middle, m->top - 8);
        if (all->classes > 5) {
            cairo_rotate(c->cr, -acos(-1) / 2);
            canvas_text_within(c, 0, 4, ALIGN_LEFT, m->top - 26, all->names[k]);
        } else
            canvas_text_within(c, 0, 0, ALIGN_CENTER, m->cell - 8, all->names[k]);
        cairo_restore(c->cr);
    }
}

/* `of_row`: the photographs of the row's class. */
static void draw_matrix_cell(const canvas *c, const predictions *all, const matrix *m, uint32_t row, uint32_t column,
                             uint64_t of_row)
{
    uint64_t count = cnn_metrics_confusion(all->metrics, row, column);
    double share = of_row ? (double)count / (double)of_row : 0, x = m->left + column * m->cell,
           y = m->top + row * m->cell;
    double gap = m->cell > 20 ? 2 : m->cell > 4 ? 0.5 : 0;
    uint32_t full = row == column ? c->theme->right : c->theme->wrong;
    if (!count && m->cell < READABLE_CELL)
        return; /* of a thousand classes nearly all cells are empty */
    canvas_colour(c, full, count ? 0.10 + 0.90 * share : 0.04);
    canvas_box(c, x + gap / 2, y + gap / 2, m->cell - gap, m->cell - gap);
    if (m->cell < READABLE_CELL)
        return;
    char text[32];
    canvas_colour(c, share > 0.5 ? c->theme->surface : c->theme->ink, 1);
    snprintf(text, sizeof text, "%llu", (unsigned long long)count);
    canvas_font(c, m->cell > 60 ? 19 : TEXT_SMALL, m->cell > 60);
    canvas_text(c, x + m->cell / 2, y + m->cell / 2 + (m->cell > 60 ? 2 : 4), ALIGN_CENTER, text);
    if (m->cell <= 60)
        return;
    snprintf(text, sizeof text, "%.1f %%", 100 * share);
    canvas_font(c, TEXT_NORMAL, 0);
    canvas_text(c, x + m->cell / 2, y + m->cell / 2 + 20, ALIGN_CENTER, text);
}

static void draw_confusion(const canvas *c, const void *data)
{
    const predictions *all = data;
    matrix m = place_matrix(all->classes);
    draw_matrix_labels(c, all, &m);
    if (m.cell < READABLE_CELL) {
        canvas_colour(c, c->theme->grid, 0.35);
        canvas_box(c, m.left, m.top, all->classes * m.cell, all->classes * m.cell);
    }
    for (uint32_t row = 0; row < all->classes; row++) {
        cnn_class_result result = { .struct_size = sizeof result };
        cnn_metrics_compute_class(all->metrics, row, &result);
        for (uint32_t column = 0; column < all->classes; column++)
            draw_matrix_cell(c, all, &m, row, column, result.images);
    }
}

figure confusion_matrix_figure(const predictions *all)
{
    matrix m = place_matrix(all->classes);
    return (figure){ "confusion", "Confusion matrix", width, m.top + all->classes * m.cell + 4, draw_confusion, all };
}
