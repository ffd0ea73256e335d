#include "report/html.h"

#include "report/photo.h"

void html_text(FILE *file, const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        switch (byte) {
        case '&': fputs("&amp;", file); break;
        case '<': fputs("&lt;", file); break;
        case '>': fputs("&gt;", file); break;
        case '"': fputs("&quot;", file); break;
        default: fputc(byte < 0x20 || byte == 0x7f ? '?' : byte, file);
        }
    }
}

void html_name(FILE *file, const char *name)
{
    fputs("<bdi>", file);
    html_text(file, name);
    fputs("</bdi>", file);
}

/* A base64 encoder: three bytes become four letters. */
typedef struct base64 {
    FILE *file;
    unsigned char waiting[3];
    int count;
} base64;

static void write_three(base64 *b)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = (uint32_t)b->waiting[0] << 16 | (uint32_t)b->waiting[1] << 8 | b->waiting[2];
    for (int i = 0; i < 4; i++)
        fputc(i <= b->count ? letters[bits >> (18 - 6 * i) & 63] : '=', b->file);
    *b = (base64){ .file = b->file };
}

static cairo_status_t write_base64(void *closure, const unsigned char *bytes, unsigned length)
{
    base64 *b = closure;
    for (unsigned i = 0; i < length; i++) {
        b->waiting[b->count++] = bytes[i];
        if (b->count == 3)
            write_three(b);
    }
    return CAIRO_STATUS_SUCCESS;
}

static void end_base64(base64 *b)
{
    if (b->count)
        write_three(b);
}

static int write_image(FILE *file, const figure *f, const theme *colours, const char *alt)
{
    base64 b = { .file = file };
    fprintf(file, "<img class=\"%s\" width=\"%.0f\" height=\"%.0f\" alt=\"", colours->name, f->width, f->height);
    html_text(file, alt);
    fputs("\" src=\"data:image/svg+xml;base64,", file);
    int wrong = figure_stream(f, colours, write_base64, &b);
    end_base64(&b);
    fputs("\">\n", file);
    return wrong;
}

static void begin(FILE *file, const char *name, const char *title, const char *kind, const char *explanation)
{
    fprintf(file, "<figure id=\"%s\" class=\"%s\">\n<figcaption><h3>%s</h3><p>%s</p></figcaption>\n", name, kind, title,
            explanation);
}

int html_figure(FILE *file, const figure *f, const char *alt, const char *explanation)
{
    begin(file, f->name, f->title, "diagram", explanation);
    int wrong = write_image(file, f, &light_theme, alt) || write_image(file, f, &dark_theme, alt);
    fputs("</figure>\n", file);
    return wrong ? -1 : 0;
}

static void write_cell(FILE *file, const cell *shown)
{
    static const char *const kinds[] = { "", " class=\"right\"", " class=\"wrong\"" };
    size_t size;
    const unsigned char *jpeg = photo_jpeg(shown->photo, &size);
    base64 b = { .file = file };
    fprintf(file, "<li%s><img width=\"%d\" height=\"%d\" alt=\"", kinds[shown->mark],
            cairo_image_surface_get_width(shown->photo), cairo_image_surface_get_height(shown->photo));
    html_text(file, shown->alt);
    fputs("\" src=\"data:image/jpeg;base64,", file);
    write_base64(&b, jpeg, (unsigned)size);
    end_base64(&b);
    fputs("\"><b>", file);
    html_text(file, shown->title);
    fputs("</b>", file);
    if (shown->note[0]) {
        fputs("<span>", file);
        html_text(file, shown->note);
        fputs("</span>", file);
    }
    fputs("</li>\n", file);
}

void html_grid(FILE *file, const grid *g, const char *kind, const char *name, const char *title,
               const char *explanation)
{
    begin(file, name, title, "wide", explanation);
    fprintf(file, "<ul class=\"%s\">\n", kind);
    for (size_t i = 0; i < g->count; i++)
        write_cell(file, &g->cells[i]);
    fputs("</ul>\n</figure>\n", file);
}
