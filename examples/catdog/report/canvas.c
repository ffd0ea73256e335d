#include "report/canvas.h"

#include <math.h>

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

canvas canvas_create(cairo_surface_t *surface, const theme *colours, double width, double height)
{
    canvas c = { .cr = cairo_create(surface), .theme = colours, .width = width, .height = height };
    c.text = pango_cairo_create_layout(c.cr);
    /* Figures are scaled: what fits one size of pixels needn't fit another. */
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(pango_layout_get_context(c.text), options);
    c.fonts = cairo_font_options_status(options);
    cairo_font_options_destroy(options);
    pango_layout_set_single_paragraph_mode(c.text, TRUE);
    pango_layout_set_auto_dir(c.text, FALSE); /* names of other directions stand in English sentences */
    return c;
}

cairo_status_t canvas_release(canvas *c)
{
    cairo_status_t status = c->fonts ? c->fonts : cairo_status(c->cr);
    g_object_unref(c->text);
    cairo_destroy(c->cr);
    return status;
}

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
    PangoFontDescription *font = pango_font_description_new();
    /* An alias that systems know: of Liberation Sans, Nimbus Sans, Arial or the real one. */
    pango_font_description_set_family_static(font, "Helvetica");
    pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(c->text, font);
    pango_font_description_free(font);
}

/* No ellipsis yet. */
static void set_text(const canvas *c, const char *text)
{
    char *sound = g_utf8_make_valid(text, -1);
    pango_layout_set_width(c->text, -1);
    pango_layout_set_text(c->text, sound, -1);
    g_free(sound);
}

static PangoRectangle text_extents(const canvas *c)
{
    PangoRectangle extents;
    pango_layout_get_extents(c->text, NULL, &extents);
    return extents;
}

static void show_text(const canvas *c, double x, double y, canvas_align align)
{
    pango_cairo_update_layout(c->cr, c->text);
    PangoRectangle extents = text_extents(c);
    double width = pango_units_to_double(extents.width), left = pango_units_to_double(extents.x);
    x -= left + (align == ALIGN_LEFT ? 0 : align == ALIGN_RIGHT ? width : width / 2);
    cairo_move_to(c->cr, x, y - pango_units_to_double(pango_layout_get_baseline(c->text)));
    pango_cairo_show_layout(c->cr, c->text);
    cairo_new_path(c->cr);
}

double canvas_text_width(const canvas *c, const char *text)
{
    set_text(c, text);
    return pango_units_to_double(text_extents(c).width);
}

void canvas_text(const canvas *c, double x, double y, canvas_align align, const char *text)
{
    set_text(c, text);
    show_text(c, x, y, align);
}

void canvas_text_within(const canvas *c, double x, double y, canvas_align align, double most, const char *text)
{
    if (canvas_text_width(c, text) > most) {
        pango_layout_set_ellipsize(c->text, PANGO_ELLIPSIZE_MIDDLE);
        pango_layout_set_width(c->text, pango_units_from_double(most > 0 ? most : 0));
    }
    show_text(c, x, y, align);
    pango_layout_set_ellipsize(c->text, PANGO_ELLIPSIZE_NONE);
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
