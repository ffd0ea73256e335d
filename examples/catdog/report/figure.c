#include "report/figure.h"

#include <cairo-svg.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cnn/cnn.h>

#include "cli/destination.h"
#include "cli/memory_stream.h"
#include "cli/output.h"
#include "cli/paths.h"

enum { MARGIN = 20, TITLE_HEIGHT = 32, PNG_END_BYTES = 12, PLENTY_BYTES = 32 << 20 };
static const double png_scale = 2;

/* Cairo crashes where it has no memory for the edges of a shape, so that there must be plenty before it begins. */
static bool has_plenty_of_memory(void)
{
    void *volatile memory = malloc(PLENTY_BYTES);
    free(memory);
    errno = 0;
    return memory;
}

/* Cairo draws nothing where it has no memory to note what clips it, and reports success. malloc() leaves its error. */
static cairo_status_t status_with_memory(cairo_status_t status)
{
    return !status && errno == ENOMEM ? CAIRO_STATUS_NO_MEMORY : status;
}

/* The whole drawing is kept in memory, which lets SVG define each letter once. */
static cairo_status_t draw_with_title(const figure *f, cairo_surface_t *surface)
{
    canvas c = canvas_create(surface, &light_theme, f->width, f->height);
    canvas_colour(&c, c.theme->surface, 1);
    cairo_paint(c.cr);
    canvas_colour(&c, c.theme->ink, 1);
    canvas_font(&c, TEXT_TITLE, 1);
    canvas_text_within(&c, MARGIN, MARGIN + TEXT_TITLE, ALIGN_LEFT, f->width, f->title);
    cairo_translate(c.cr, MARGIN, MARGIN + TITLE_HEIGHT);
    f->draw(&c, f->data);
    return canvas_release(&c);
}

static cairo_status_t append(void *memory, const unsigned char *bytes, unsigned length)
{
    return fwrite(bytes, 1, length, memory) == length ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_NO_MEMORY;
}

static cairo_status_t draw_svg(const figure *f, FILE *memory)
{
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(append, memory, f->width + 2 * MARGIN,
                                                                   f->height + TITLE_HEIGHT + 2 * MARGIN);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    cairo_status_t status = draw_with_title(f, surface);
    cairo_surface_finish(surface);
    if (!status)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    fputs(DESTINATION_SVG_END, memory);
    return status;
}

static cairo_status_t draw_png(const figure *f, FILE *memory)
{
    double width = f->width + 2 * MARGIN, height = f->height + TITLE_HEIGHT + 2 * MARGIN;
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * png_scale), (int)(height * png_scale));
    cairo_surface_set_device_scale(surface, png_scale, png_scale);
    cairo_status_t status = draw_with_title(f, surface);
    if (!status)
        status = cairo_surface_write_to_png_stream(surface, append, memory);
    cairo_surface_destroy(surface);
    if (!status && !fseek(memory, -PNG_END_BYTES, SEEK_CUR))
        fwrite(DESTINATION_PNG_END, 1, sizeof DESTINATION_PNG_END - 1, memory);
    return status;
}

static cairo_status_t draw(const figure *f, int svg, char **bytes, size_t *size)
{
    FILE *memory = has_plenty_of_memory() ? open_memstream(bytes, size) : NULL;
    if (!memory)
        return CAIRO_STATUS_NO_MEMORY;
    cairo_status_t status = svg ? draw_svg(f, memory) : draw_png(f, memory);
    status = status_with_memory(status);
    return memory_stream_close(memory, bytes) || status ? status : CAIRO_STATUS_NO_MEMORY;
}

int figure_save(const figure *f, const char *path, int force)
{
    char *bytes = NULL;
    size_t size = 0;
    cairo_status_t status = draw(f, paths_ends_in(path, ".svg"), &bytes, &size);
    int wrong = -1;
    if (status)
        output_error("the figure '%s' can't be drawn: %s", path, cairo_status_to_string(status));
    else if (!destination_check_content(path, DESTINATION_PICTURE, force))
        wrong = cnn_file_save(path, bytes, size) ? output_library_error() : 0;
    free(bytes);
    return wrong;
}

static const char *const ends[] = { "png", "svg" };

int figure_save_both(const figure *f, const char *folder, int force)
{
    char path[PATH_MAX];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s.%s", folder, f->name, ends[i]);
        if (figure_save(f, path, force))
            return -1;
    }
    return 0;
}

int figure_remove_both(const char *name, const char *folder)
{
    char path[PATH_MAX];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s.%s", folder, name, ends[i]);
        if (destination_is_own_picture(path) && unlink(path)) {
            output_error("'%s', which is of an older report, can't be removed: %s", path, strerror(errno));
            return -1;
        }
    }
    return 0;
}

int figure_stream(const figure *f, const theme *colours, cairo_write_func_t write, void *closure)
{
    if (!has_plenty_of_memory())
        return -1;
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(write, closure, f->width, f->height);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    canvas c = canvas_create(surface, colours, f->width, f->height);
    f->draw(&c, f->data);
    cairo_status_t status = canvas_release(&c);
    cairo_surface_finish(surface);
    if (!status)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return status_with_memory(status) ? -1 : 0;
}
