#include "bars.h"

#include <math.h>

static const double width = 390;
enum { LABELS = 132, VALUES = 76, ROW = 26 };

static void draw(const canvas *c, const void *data)
{
    const bars *b = data;
    double most = 0;
    for (size_t i = 0; i < b->count; i++)
        most = fmax(most, b->list[i].value);
    for (size_t i = 0; i < b->count; i++) {
        double y = (double)i * ROW, length = most > 0 ? b->list[i].value / most * (width - LABELS - VALUES) : 0;
        canvas_colour(c, c->theme->ink, 1);
        canvas_font(c, TEXT_NORMAL, 0);
        canvas_text_within(c, LABELS - 10, y + 17, ALIGN_RIGHT, LABELS - 10, b->list[i].name);
        canvas_colour(c, c->theme->series[0], 1);
        canvas_box(c, LABELS, y + 4, length, ROW - 8);
        canvas_colour(c, c->theme->muted, 1);
        canvas_text(c, LABELS + length + 8, y + 17, ALIGN_LEFT, b->list[i].text);
    }
}

figure bars_figure(const bars *b, const char *name, const char *title)
{
    return (figure){ name, title, width, (double)b->count * ROW, draw, b };
}
