#include "report/bars.h"

#include <math.h>

static const double width = 390;
enum { MOST_LABELS = 184, GAP = 10, VALUES = 76, ROW = 26 };

static void draw(const canvas *c, const void *data)
{
    const bars *b = data;
    double most = 0, labels = 0;
    canvas_font(c, TEXT_NORMAL, 0);
    for (size_t i = 0; i < b->count; i++) {
        most = fmax(most, b->list[i].value);
        labels = fmax(labels, canvas_text_width(c, b->list[i].name) + GAP);
    }
    labels = fmin(labels, MOST_LABELS);
    for (size_t i = 0; i < b->count; i++) {
        double y = (double)i * ROW, length = most > 0 ? b->list[i].value / most * (width - labels - VALUES) : 0;
        canvas_colour(c, c->theme->ink, 1);
        canvas_font(c, TEXT_NORMAL, 0);
        canvas_text_within(c, labels - GAP, y + 17, ALIGN_RIGHT, labels - GAP, b->list[i].name);
        canvas_colour(c, c->theme->series[0], 1);
        canvas_box(c, labels, y + 4, length, ROW - 8);
        canvas_colour(c, c->theme->muted, 1);
        canvas_text(c, labels + length + 8, y + 17, ALIGN_LEFT, b->list[i].text);
    }
}

figure bars_figure(const bars *b, const char *name, const char *title)
{
    return (figure){ name, title, width, (double)b->count * ROW, draw, b };
}
