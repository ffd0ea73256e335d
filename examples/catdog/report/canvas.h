/* The surface that figures are drawn on: cairo with a theme's colours, and Pango for text of all scripts. */
#ifndef CATDOG_REPORT_CANVAS_H
#define CATDOG_REPORT_CANVAS_H

#include <stdint.h>

#include <pango/pangocairo.h>

enum { THEME_SERIES = 8 };

/* Colours as 0xRRGGBB. */
typedef struct theme {
    const char *name;
    uint32_t surface, ink, muted, grid; /* behind everything, text, lesser text, lines */
    uint32_t right, wrong;              /* how a prediction was */
    uint32_t series[THEME_SERIES];
} theme;

extern const theme light_theme, dark_theme;

typedef struct canvas {
    cairo_t *cr;
    PangoLayout *text; /* a line of text, in the font that is set */
    const theme *theme;
    double width, height;
    cairo_status_t fonts; /* whether there was memory for how letters are drawn */
} canvas;

typedef enum canvas_align { ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT } canvas_align;

enum { TEXT_SMALL = 11, TEXT_NORMAL = 12, TEXT_TITLE = 16 };

canvas canvas_create(cairo_surface_t *surface, const theme *colours, double width, double height);

/* Returns whether everything could be drawn, which the surface does not report. */
cairo_status_t canvas_release(canvas *c);

void canvas_colour(const canvas *c, uint32_t colour, double alpha);

/* The colour between two, `share` of the way from the first. */
uint32_t canvas_blend(uint32_t from, uint32_t to, double share);

/* Draws text in the current colour, with its baseline at `y`. Invalid UTF-8 becomes U+FFFD. */
void canvas_font(const canvas *c, double size, int bold);
double canvas_text_width(const canvas *c, const char *text);
void canvas_text(const canvas *c, double x, double y, canvas_align align, const char *text);

/* The same, but with an ellipsis in its middle where it is wider than `most`. */
void canvas_text_within(const canvas *c, double x, double y, canvas_align align, double most, const char *text);

void canvas_line(const canvas *c, double x0, double y0, double x1, double y1, double width);
void canvas_box(const canvas *c, double x, double y, double width, double height); /* filled */
void canvas_dot(const canvas *c, double x, double y, double radius);

/* An image, scaled to fill the box. */
void canvas_image(const canvas *c, cairo_surface_t *image, double x, double y, double width, double height);

#endif
