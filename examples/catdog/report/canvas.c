#include "canvas.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The series keep apart for eyes that mix up red and green, and have contrast enough with their surface. */
const theme light_theme = {
    .name = "light",
    .surface = 0xffffff,
    .ink = 0x1c2430,
    .muted = 0x5b6675,
    .grid = 0xdfe3e8,
    .right = 0x2166c4,
    .wrong = 0xc4501b,
    .series = { 0x2166c4, 0xd9661f, 0x1b8a6b, 0x8b4fc0, 0xa87b00, 0xc22f55, 0x3f6f8f, 0x6b7a1e },
};

const theme dark_theme = {
    .name = "dark",
    .surface = 0x1a1f26,
    .ink = 0xe7eaee,
    .muted = 0x9ba6b3,
    .grid = 0x343c47,
    .right = 0x6cabff,
    .wrong = 0xff9a63,
    .series = { 0x6cabff, 0xff9a63, 0x4fcaa4, 0xc79cf2, 0xe0bd4a, 0xff7f9c, 0x8fbbd6, 0xb9cb62 },
};

void canvas_colour(const canvas *c, uint32_t colour, double alpha)
{
    cairo_set_source_rgba(c->cr, (double)(colour >> 16) / 255, (double)(colour >> 8 & 255) / 255,
                          (double)(colour & 255) / 255, alpha);
}

uint32_t canvas_blend(uint32_t from, uint32_t to, double share)
{
    uint32_t result = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
        double a = (double)(from >> shift & 255), b = (double)(to >> shift & 255);
        result |= (uint32_t)lround(a + (b - a) * share) << shift;
    }
    return result;
}

void canvas_font(const canvas *c, double size, int bold)
{
    /* An alias that systems know: of Liberation Sans, Nimbus Sans, Arial or the real one. */
    cairo_select_font_face(c->cr, "Helvetica", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c->cr, size);
}

double canvas_text_width(const canvas *c, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(c->cr, text, &extents);
    return extents.x_advance;
}

void canvas_text(const canvas *c, double x, double y, canvas_align align, const char *text)
{
    double width = align == ALIGN_LEFT ? 0 : canvas_text_width(c, text);
    cairo_move_to(c->cr, align == ALIGN_RIGHT ? x - width : x - width / 2, y);
    cairo_show_text(c->cr, text);
}

/* Where a character of UTF-8 begins, at `place` or before. */
static size_t character_at(const char *text, size_t place)
{
    while (place && (text[place] & 0xc0) == 0x80)
        place--;
    return place;
}

void canvas_text_within(const canvas *c, double x, double y, canvas_align align, double most, const char *text)
{
    char cut[256];
    size_t length = strlen(text), kept = length < 2 * 120 ? length : 2 * 120;
    if (canvas_text_width(c, text) <= most) {
        canvas_text(c, x, y, align, text);
        return;
    }
    do {
        size_t head = character_at(text, kept / 2), tail = character_at(text, length - kept / 2);
        snprintf(cut, sizeof cut, "%.*s\xe2\x80\xa6%s", (int)head, text, text + tail);
    } while (canvas_text_width(c, cut) > most && (kept -= 2) >= 4);
    canvas_text(c, x, y, align, cut);
}

void canvas_line(const canvas *c, double x0, double y0, double x1, double y1, double width)
{
    cairo_set_line_width(c->cr, width);
    cairo_move_to(c->cr, x0, y0);
    cairo_line_to(c->cr, x1, y1);
    cairo_stroke(c->cr);
}

void canvas_box(const canvas *c, double x, double y, double width, double height)
{
    cairo_rectangle(c->cr, x, y, width, height);
    cairo_fill(c->cr);
}

void canvas_dot(const canvas *c, double x, double y, double radius)
{
    cairo_new_sub_path(c->cr);
    cairo_arc(c->cr, x, y, radius, 0, 2 * 3.14159265358979);
    cairo_fill(c->cr);
}

void canvas_image(const canvas *c, cairo_surface_t *image, double x, double y, double width, double height)
{
    cairo_save(c->cr);
    cairo_translate(c->cr, x, y);
    cairo_scale(c->cr, width / cairo_image_surface_get_width(image), height / cairo_image_surface_get_height(image));
    cairo_set_source_surface(c->cr, image, 0, 0);
    cairo_pattern_set_extend(cairo_get_source(c->cr), CAIRO_EXTEND_PAD);
    cairo_rectangle(c->cr, 0, 0, cairo_image_surface_get_width(image), cairo_image_surface_get_height(image));
    cairo_fill(c->cr);
    cairo_restore(c->cr);
}
