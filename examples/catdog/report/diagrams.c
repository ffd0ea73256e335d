#include "report/diagrams.h"

#include <math.h>
#include <stdio.h>

#include "report/axes.h"
#include "report/isolate.h"

static const double width = 390, height = 300;

enum { BINS = 15 }; /* as the calibration error has them */

typedef int (*trace_curve)(const verdicts *v, uint32_t class_index, score_curve *curve);

/* Keeps a curve if it is among the worst so far, which stay in order of their classes. */
static void keep_worst(curve_set *set, uint32_t class_index, score_curve *curve)
{
    uint32_t best = 0;
    if (set->count == THEME_SERIES) {
        for (uint32_t i = 1; i < set->count; i++)
            if (set->curves[i].area > set->curves[best].area)
                best = i;
        if (set->curves[best].area <= curve->area) {
            score_curve_release(curve);
            return;
        }
        score_curve_release(&set->curves[best]);
        for (set->count--; best < set->count; best++) {
            set->curves[best] = set->curves[best + 1];
            set->classes[best] = set->classes[best + 1];
        }
    }
    set->classes[set->count] = class_index;
    set->curves[set->count++] = *curve;
}

static int make_set(const verdicts *v, trace_curve trace, curve_set *set)
{
    uint32_t known = 0;
    *set = (curve_set){ .v = v };
    for (uint32_t k = v->classes == 2; k < v->classes; k++) {
        score_curve curve;
        if (trace(v, k, &curve)) {
            score_curve_release(&curve);
            return -1;
        }
        if (isnan(curve.area)) {
            score_curve_release(&curve);
            continue;
        }
        known++;
        set->area += curve.area;
        keep_worst(set, k, &curve);
    }
    set->area = known ? set->area / known : NAN;
    return 0;
}

int curve_set_roc(const verdicts *v, curve_set *set)
{
    return make_set(v, verdicts_roc, set);
}

int curve_set_precision_recall(const verdicts *v, curve_set *set)
{
    return make_set(v, verdicts_precision_recall, set);
}

void curve_set_release(curve_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        score_curve_release(&set->curves[i]);
    *set = (curve_set){ 0 };
}

static void draw_set(const canvas *c, const curve_set *set, axes *a, const char *area_name)
{
    char text[CLASS_NAME + 64], name[CLASS_NAME + 8];
    int many = set->v->classes > 2, rows = many ? (int)(set->count + 1) / 2 : 1;
    axes_draw(a, c, rows);
    for (uint32_t i = set->count; i-- > 0;)
        axes_curve(a, c, set->curves[i].x, set->curves[i].y, set->curves[i].count, c->theme->series[i]);
    for (uint32_t i = 0; i < set->count; i++) {
        double x = i % 2 ? c->width / 2 : 0;
        isolate(name, sizeof name, set->v->names[set->classes[i]]);
        snprintf(text, sizeof text, "%s: %s %.4f", name, area_name, set->curves[i].area);
        axes_key(c, (int)i / 2, &x, many ? c->width / 2 - 8 : c->width, c->theme->series[i], text);
    }
}

static void draw_roc(const canvas *c, const void *data)
{
    axes a = { { 0, 1, 0.2, AXIS_PERCENT, "of the others, taken for it" }, { 0, 1, 0.2, AXIS_PERCENT, "found" } };
    draw_set(c, data, &a, "AUC");
    axes_dashes(&a, c, 0, 0, 1, 1);
}

static void draw_precision_recall(const canvas *c, const void *data)
{
    axes a = { { 0, 1, 0.2, AXIS_PERCENT, "found (recall)" }, { 0, 1, 0.2, AXIS_PERCENT, "right (precision)" } };
    draw_set(c, data, &a, "AP");
}

figure diagram_roc(const curve_set *set)
{
    int rows = set->v->classes > 2 ? (int)(set->count + 1) / 2 : 1;
    return (figure){ "roc", "ROC curve", width, height + 18 * (rows - 1), draw_roc, set };
}

figure diagram_precision_recall(const curve_set *set)
{
    int rows = set->v->classes > 2 ? (int)(set->count + 1) / 2 : 1;
    return (figure){ "precision-recall",       "Precision and recall", width,
                     height + 18 * (rows - 1), draw_precision_recall,  set };
}

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

static void draw_matrix_labels(const canvas *c, const verdicts *v, const matrix *m)
{
    canvas_colour(c, c->theme->muted, 1);
    canvas_font(c, TEXT_SMALL, 0);
    canvas_text(c, m->left, TEXT_SMALL, ALIGN_LEFT, "is taken for");
    canvas_text(c, m->left - 10, m->top - 8, ALIGN_RIGHT, "what is");
    canvas_colour(c, c->theme->ink, 1);
    canvas_font(c, m->cell < 13 ? m->cell * 0.8 : TEXT_NORMAL, 0);
    if (m->cell < SMALLEST_LABEL)
        return;
    for (uint32_t k = 0; k < v->classes; k++) {
        double middle = (k + 0.5) * m->cell;
        canvas_text_within(c, m->left - 10, m->top + middle + 4, ALIGN_RIGHT, m->left - 10, v->names[k]);
        cairo_save(c->cr);
        cairo_translate(c->cr, m->left + middle, m->top - 8);
        if (v->classes > 5) {
            cairo_rotate(c->cr, -acos(-1) / 2);
            canvas_text_within(c, 0, 4, ALIGN_LEFT, m->top - 26, v->names[k]);
        } else
            canvas_text_within(c, 0, 0, ALIGN_CENTER, m->cell - 8, v->names[k]);
        cairo_restore(c->cr);
    }
}

static void draw_matrix_cell(const canvas *c, const verdicts *v, const matrix *m, uint32_t row, uint32_t column,
                             uint64_t all)
{
    uint64_t count = cnn_metrics_confusion(v->metrics, row, column);
    double share = all ? (double)count / (double)all : 0, x = m->left + column * m->cell, y = m->top + row * m->cell;
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
    const verdicts *v = data;
    matrix m = place_matrix(v->classes);
    draw_matrix_labels(c, v, &m);
    if (m.cell < READABLE_CELL) {
        canvas_colour(c, c->theme->grid, 0.35);
        canvas_box(c, m.left, m.top, v->classes * m.cell, v->classes * m.cell);
    }
    for (uint32_t row = 0; row < v->classes; row++) {
        cnn_class_result result = { .struct_size = sizeof result };
        cnn_metrics_compute_class(v->metrics, row, &result);
        for (uint32_t column = 0; column < v->classes; column++)
            draw_matrix_cell(c, v, &m, row, column, result.images);
    }
}

figure diagram_confusion(const verdicts *v)
{
    matrix m = place_matrix(v->classes);
    return (figure){ "confusion", "Confusion matrix", width, m.top + v->classes * m.cell + 4, draw_confusion, v };
}

/* Photographs by the confidence in what was decided. */
typedef struct bins {
    double confidence[BINS]; /* sums */
    size_t right[BINS], wrong[BINS];
    int first; /* that isn't empty */
} bins;

static bins count_bins(const verdicts *v)
{
    bins b = { .first = BINS - 1 };
    for (size_t i = 0; i < v->count; i++) {
        double place = v->list[i].confidence * BINS;
        int bin = place < 0 ? 0 : place < BINS ? (int)place : BINS - 1;
        b.confidence[bin] += v->list[i].confidence;
        (v->list[i].label == v->list[i].decided ? b.right : b.wrong)[bin]++;
        b.first = bin < b.first ? bin : b.first;
    }
    return b;
}

/* From the first bin that isn't empty, or lower: a round number. */
static double first_confidence(const bins *b)
{
    double first = floor((double)b->first / BINS * 10 + 1e-9) / 10;
    return fmin(first, 0.5);
}

static void draw_calibration(const canvas *c, const void *data)
{
    const verdicts *v = data;
    bins b = count_bins(v);
    axes a = { { first_confidence(&b), 1, 0.1, AXIS_PERCENT, "confidence" }, { 0, 1, 0.2, AXIS_PERCENT, "right" } };
    axes_draw(&a, c, 1);
    char text[64];
    snprintf(text, sizeof text, "how many are right; error in the mean: %.2f %%", 100 * v->result.calibration_error);
    double x = 0;
    axes_key(c, 0, &x, c->width, c->theme->series[0], text);
    for (int i = b.first; i < BINS; i++) {
        size_t count = b.right[i] + b.wrong[i];
        if (!count)
            continue;
        double share = (double)b.right[i] / (double)count, left = axes_x(&a, fmax((double)i / BINS, a.x.from));
        /* Bins of a few photographs say little. */
        canvas_colour(c, c->theme->series[0], count < 10 ? 0.35 : 0.85);
        canvas_box(c, left + 1, axes_y(&a, share), axes_x(&a, (i + 1.0) / BINS) - left - 2,
                   a.bottom - axes_y(&a, share));
    }
    axes_dashes(&a, c, a.x.from, a.x.from, 1, 1);
}

figure diagram_calibration(const verdicts *v)
{
    return (figure){ "calibration", "Calibration", width, height, draw_calibration, v };
}

static void draw_confidence(const canvas *c, const void *data)
{
    const verdicts *v = data;
    bins b = count_bins(v);
    double most = 1;
    for (int i = 0; i < BINS; i++)
        most = fmax(most, fmax((double)b.right[i], (double)b.wrong[i]));
    axes a = { { first_confidence(&b), 1, 0.1, AXIS_PERCENT, "confidence" },
               { 0, most, 0, AXIS_COUNT, "photographs" } };
    axes_draw(&a, c, 1);
    double x = 0;
    axes_key(c, 0, &x, c->width, c->theme->right, "right");
    axes_key(c, 0, &x, c->width, c->theme->wrong, "wrong");
    for (int i = b.first; i < BINS; i++) {
        double left = axes_x(&a, fmax((double)i / BINS, a.x.from)), half = (axes_x(&a, (i + 1.0) / BINS) - left) / 2;
        double right = axes_y(&a, (double)b.right[i]), wrong = axes_y(&a, (double)b.wrong[i]);
        canvas_colour(c, c->theme->right, 1);
        canvas_box(c, left + 1.5, right, half - 2, a.bottom - right);
        canvas_colour(c, c->theme->wrong, 1);
        canvas_box(c, left + half + 0.5, wrong, half - 2, a.bottom - wrong);
    }
}

figure diagram_confidence(const verdicts *v)
{
    return (figure){ "confidence", "How sure it was", width, height, draw_confidence, v };
}
