#include "report/axes.h"

#include <math.h>
#include <stdio.h>

enum { LEFT = 46, RIGHT = 20, TOP = 26, BOTTOM = 40, TICK_LENGTH = 5 };

/* 1, 2 or 5 times a power of ten, so that there are about `count` steps in a range. */
static double round_step(double range, int count)
{
    double raw = range / count, power = pow(10, floor(log10(raw)));
    double digit = raw / power;
    return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
}

void axis_fit(axis *a, double least, double most)
{
    if (!(most > least))
        most = least + (fabs(least) > 0 ? fabs(least) : 1) * 0.1;
    a->step = round_step(most - least, 5);
    a->from = floor(least / a->step + 1e-9) * a->step;
    a->to = ceil(most / a->step - 1e-9) * a->step;
}

/* Where a value is between the axis' ends. */
static double share(const axis *a, double value)
{
    static const double first = 0.15; /* of 1, in powers of ten */
    if (a->format == AXIS_COUNT)
        return value > 0 ? (log10(value) + first) / (log10(a->to) + 2 * first) : 0;
    return (value - a->from) / (a->to - a->from);
}

double axes_x(const axes *a, double value)
{
    return a->left + share(&a->x, value) * (a->right - a->left);
}

double axes_y(const axes *a, double value)
{
    return a->bottom - share(&a->y, value) * (a->bottom - a->top);
}

static void write_tick(const axis *a, double value, char *text, size_t size)
{
    double unit = a->format == AXIS_PERCENT ? a->step * 100 : a->step;
    int digits = unit >= 0.999 ? 0 : (int)ceil(-log10(unit) - 1e-9);
    if (fabs(value) < a->step * 1e-6)
        value = 0;
    snprintf(text, size, "%.*f%s", digits, a->format == AXIS_PERCENT ? value * 100 : value,
             a->format == AXIS_PERCENT ? " %" : "");
}

/* Counts have a tick at each power of ten; those below ten, where that would be one alone, at 0, 1, 2 and 5. */
static double first_count(const axis *a)
{
    return a->to < 10 ? 0 : 1;
}

static double next_count(const axis *a, double value)
{
    if (a->to >= 10)
        return 10 * value;
    return value < 1 ? 1 : value < 2 ? 2 : value < 5 ? 5 : 10;
}

static void draw_ticks(const axes *a, const canvas *c)
{
    char text[32];
    canvas_font(c, TEXT_SMALL, 0);
    int counts = a->y.format == AXIS_COUNT;
    double v = counts ? first_count(&a->y) : a->y.from;
    while (v <= a->y.to + a->y.step * 1e-6) {
        canvas_colour(c, c->theme->grid, 1);
        canvas_line(c, a->left, axes_y(a, v), a->right, axes_y(a, v), 1);
        canvas_colour(c, c->theme->muted, 1);
        write_tick(&a->y, v, text, sizeof text);
        canvas_text(c, a->left - 7, axes_y(a, v) + 4, ALIGN_RIGHT, text);
        v = counts ? next_count(&a->y, v) : v + a->y.step;
    }
    v = ceil(a->x.from / a->x.step - 1e-6) * a->x.step;
    while (v <= a->x.to + a->x.step * 1e-6) {
        canvas_colour(c, c->theme->muted, 0.6);
        canvas_line(c, axes_x(a, v), a->bottom, axes_x(a, v), a->bottom + TICK_LENGTH, 1);
        canvas_colour(c, c->theme->muted, 1);
        write_tick(&a->x, v, text, sizeof text);
        canvas_text(c, axes_x(a, v), a->bottom + 18, ALIGN_CENTER, text);
        v += a->x.step;
    }
}

void axes_draw(axes *a, const canvas *c, int keys)
{
    a->left = LEFT;
    a->right = c->width - RIGHT;
    a->top = TOP + keys * AXES_KEY_LINE;
    a->bottom = c->height - BOTTOM;
    if (!(a->x.step > 0))
        a->x.step = round_step(a->x.to - a->x.from, 6);
    if (a->y.format == AXIS_COUNT)
        a->y.step = 1;
    else if (!(a->y.step > 0))
        a->y.step = round_step(a->y.to - a->y.from, 5);
    draw_ticks(a, c);
    canvas_colour(c, c->theme->muted, 0.6);
    canvas_line(c, a->left, a->bottom, a->right, a->bottom, 1);
    canvas_colour(c, c->theme->ink, 1);
    canvas_font(c, TEXT_NORMAL, 0);
    canvas_text(c, 0, TEXT_NORMAL + keys * AXES_KEY_LINE, ALIGN_LEFT, a->y.label);
    canvas_text(c, a->right, c->height - 4, ALIGN_RIGHT, a->x.label);
}

void axes_curve(const axes *a, const canvas *c, const double *x, const double *y, size_t count, uint32_t colour)
{
    canvas_colour(c, colour, 1);
    cairo_set_line_width(c->cr, 2);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_new_path(c->cr); /* text leaves a point behind */
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(y[i]))
            cairo_new_sub_path(c->cr);
        else
            cairo_line_to(c->cr, axes_x(a, x[i]), axes_y(a, y[i]));
    }
    cairo_stroke(c->cr);
    if (count == 1 && isfinite(y[0]))
        canvas_dot(c, axes_x(a, x[0]), axes_y(a, y[0]), 3);
}

void axes_dashes(const axes *a, const canvas *c, double x0, double y0, double x1, double y1)
{
    static const double dashes[] = { 4, 4 };
    cairo_set_dash(c->cr, dashes, 2, 0);
    canvas_colour(c, c->theme->muted, 0.8);
    canvas_line(c, axes_x(a, x0), axes_y(a, y0), axes_x(a, x1), axes_y(a, y1), 1.2);
    cairo_set_dash(c->cr, NULL, 0, 0);
}

void axes_key(const canvas *c, int line, double *x, double room, uint32_t colour, const char *text)
{
    double y = TEXT_NORMAL + line * AXES_KEY_LINE;
    canvas_colour(c, colour, 1);
    canvas_box(c, *x, y - 9, 12, 9);
    canvas_colour(c, c->theme->ink, 1);
    canvas_font(c, TEXT_NORMAL, 0);
    canvas_text_within(c, *x + 18, y, ALIGN_LEFT, room - 18, text);
    *x += 18 + canvas_text_width(c, text) + 18;
}
