#include "report/calibration.h"

#include <math.h>
#include <stdio.h>

#include "report/axes.h"

static const double width = 390, height = 300;

enum { BINS = 15 }; /* as the calibration error has them */

/* The photographs by the confidence of their predictions. */
typedef struct bins {
    double confidence[BINS]; /* sums */
    size_t right[BINS], wrong[BINS];
    int first; /* that isn't empty */
} bins;

static bins count_bins(const predictions *all)
{
    bins b = { .first = BINS - 1 };
    for (size_t i = 0; i < all->count; i++) {
        double place = all->list[i].confidence * BINS;
        int bin = place < 0 ? 0 : place < BINS ? (int)place : BINS - 1;
        b.confidence[bin] += all->list[i].confidence;
        (all->list[i].label == all->list[i].predicted ? b.right : b.wrong)[bin]++;
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
    const predictions *all = data;
    bins b = count_bins(all);
    axes a = { { first_confidence(&b), 1, 0.1, AXIS_PERCENT, "confidence" }, { 0, 1, 0.2, AXIS_PERCENT, "accuracy" } };
    axes_draw(&a, c, 1);
    char text[64];
    snprintf(text, sizeof text, "accuracy; calibration error: %.2f %%", 100 * all->result.calibration_error);
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

figure calibration_figure(const predictions *all)
{
    return (figure){ "calibration", "Calibration", width, height, draw_calibration, all };
}

static void draw_confidence(const canvas *c, const void *data)
{
    const predictions *all = data;
    bins b = count_bins(all);
    double most = 1;
    for (int i = 0; i < BINS; i++)
        most = fmax(most, fmax((double)b.right[i], (double)b.wrong[i]));
    axes a = { { first_confidence(&b), 1, 0.1, AXIS_PERCENT, "confidence" },
               { 0, most, 0, AXIS_COUNT, "photographs" } };
    axes_draw(&a, c, 1);
    double x = 0;
    axes_key(c, 0, &x, c->width, c->theme->right, "correct");
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

figure confidence_figure(const predictions *all)
{
    return (figure){ "confidence", "Confidence of correct and wrong predictions", width, height, draw_confidence, all };
}
