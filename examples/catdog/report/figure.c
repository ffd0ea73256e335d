#include "figure.h"

#include <cairo-svg.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../output.h"

enum { MARGIN = 20, TITLE_HEIGHT = 32 };
static const double png_scale = 2;

/* What is drawn lies in memory till the end; SVG then has each letter once. */
static void draw_with_title(const figure *f, cairo_surface_t *surface)
{
    canvas c = { cairo_create(surface), &light_theme, f->width, f->height };
    canvas_colour(&c, c.theme->surface, 1);
    cairo_paint(c.cr);
    canvas_colour(&c, c.theme->ink, 1);
    canvas_font(&c, TEXT_TITLE, 1);
    canvas_text_within(&c, MARGIN, MARGIN + TEXT_TITLE, ALIGN_LEFT, f->width, f->title);
    cairo_translate(c.cr, MARGIN, MARGIN + TITLE_HEIGHT);
    f->draw(&c, f->data);
    cairo_destroy(c.cr);
}

/* Finishes the surface and tells whether all that was drawn on it is where it should be. */
static int finish(cairo_surface_t *surface, cairo_status_t status, const char *path)
{
    int wrong = errno;
    if (!status) {
        cairo_surface_finish(surface);
        wrong = errno;
        status = cairo_surface_status(surface);
    }
    cairo_surface_destroy(surface);
    if (status)
        output_error("the figure '%s' can't be written: %s", path,
                     status == CAIRO_STATUS_WRITE_ERROR && wrong ? strerror(wrong) : cairo_status_to_string(status));
    return status ? -1 : 0;
}

static int save_svg(const figure *f, const char *path)
{
    errno = 0;
    cairo_surface_t *surface =
        cairo_svg_surface_create(path, f->width + 2 * MARGIN, f->height + TITLE_HEIGHT + 2 * MARGIN);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    draw_with_title(f, surface);
    return finish(surface, cairo_surface_status(surface), path);
}

static int save_png(const figure *f, const char *path)
{
    double width = f->width + 2 * MARGIN, height = f->height + TITLE_HEIGHT + 2 * MARGIN;
    errno = 0;
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * png_scale), (int)(height * png_scale));
    cairo_surface_set_device_scale(surface, png_scale, png_scale);
    draw_with_title(f, surface);
    cairo_status_t status = cairo_surface_status(surface);
    if (!status)
        status = cairo_surface_write_to_png(surface, path);
    return finish(surface, status, path);
}

int figure_save(const figure *f, const char *path)
{
    size_t length = strlen(path);
    return length > 4 && !strcmp(path + length - 4, ".svg") ? save_svg(f, path) : save_png(f, path);
}

int figure_save_both(const figure *f, const char *folder)
{
    static const char *const ends[] = { "png", "svg" };
    char path[PATH_MAX];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s.%s", folder, f->name, ends[i]);
        if (figure_save(f, path))
            return -1;
    }
    return 0;
}

int figure_stream(const figure *f, const theme *colours, cairo_write_func_t write, void *closure)
{
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(write, closure, f->width, f->height);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    canvas c = { cairo_create(surface), colours, f->width, f->height };
    f->draw(&c, f->data);
    cairo_destroy(c.cr);
    cairo_surface_finish(surface);
    cairo_status_t status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return status ? -1 : 0;
}
