#include "report/training_curves.h"

#include <math.h>
#include <stdio.h>

#include "report/axes.h"

static const double width = 390, height = 280;

static void widen(const double *values, size_t count, double *least, double *most)
{
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i])) {
            *least = fmin(*least, values[i]);
            *most = fmax(*most, values[i]);
        }
}

/* The training's and the validation's values; `training` is the column of the former. */
static axes draw_pair(const canvas *c, const history *h, int training, const char *label, axis_format format)
{
    const double *epochs = h->columns[HISTORY_EPOCH], *values[] = { h->columns[training], h->columns[training + 2] };
    axes a = { .x.label = "epoch", .y = { .format = format, .label = label } };
    double least = INFINITY, most = -INFINITY;
    for (int i = 0; i < 2; i++)
        widen(values[i], h->count, &least, &most);
    if (format == AXIS_NUMBER)
        least = fmin(least, 0);
    axis_fit(&a.y, isfinite(least) ? least : 0, isfinite(most) ? most : 1);
    a.x.from = epochs[0];
    a.x.to = fmax(epochs[h->count - 1], epochs[0] + 1);
    axis rounded = { 0 };
    axis_fit(&rounded, a.x.from, a.x.to);
    a.x.step = fmax(1, rounded.step);
    axes_draw(&a, c, 1);
    double x = 0;
    axes_key(c, 0, &x, c->width, c->theme->series[0], "training");
    if (history_best(h) >= 0)
        axes_key(c, 0, &x, c->width, c->theme->series[1], "validation");
    for (int i = 0; i < 2; i++)
        axes_curve(&a, c, epochs, values[i], h->count, c->theme->series[i]);
    return a;
}

static void draw_loss(const canvas *c, const void *data)
{
    draw_pair(c, data, HISTORY_LOSS, "loss", AXIS_NUMBER);
}

static void draw_accuracy(const canvas *c, const void *data)
{
    const history *h = data;
    axes a = draw_pair(c, h, HISTORY_ACCURACY, "accuracy", AXIS_PERCENT);
    long best = history_best(h);
    if (best < 0)
        return;
    char text[64];
    double epoch = h->columns[HISTORY_EPOCH][best], accuracy = h->columns[HISTORY_VALIDATION_ACCURACY][best];
    double x = axes_x(&a, epoch), y = axes_y(&a, accuracy);
    snprintf(text, sizeof text, "%.2f %% in epoch %.0f", 100 * accuracy, epoch);
    canvas_colour(c, c->theme->series[1], 1);
    canvas_dot(c, x, y, 4);
    canvas_font(c, TEXT_NORMAL, 1);
    int to_the_left = x > (a.left + a.right) / 2;
    canvas_text(c, to_the_left ? x + 4 : x - 4, y + (y < a.top + 30 ? 22 : -10), to_the_left ? ALIGN_RIGHT : ALIGN_LEFT,
                text);
}

figure training_curves_of_loss(const history *h)
{
    return (figure){ "loss", "Loss per epoch", width, height, draw_loss, h };
}

figure training_curves_of_accuracy(const history *h)
{
    return (figure){ "accuracy", "Accuracy per epoch", width, height, draw_accuracy, h };
}
