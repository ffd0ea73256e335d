#include "report/filters.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 13, SIZE = 25, GAP = 5, MOST = 128 };

int filters_find(const cnn_model *model, filters *found)
{
    cnn_parameter parameter = { .struct_size = sizeof parameter };
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        if (cnn_model_parameter(model, i, &parameter))
            return 0;
        const cnn_tensor *value = parameter.value;
        if (cnn_tensor_rank(value) != 4)
            continue;
        if (cnn_tensor_dtype(value) != CNN_FLOAT32 || cnn_tensor_dim(value, 2) != 3)
            return 0;
        *found = (filters){ cnn_tensor_data(parameter.value), (int)cnn_tensor_dim(value, 0),
                            (int)cnn_tensor_dim(value, 1), (int)cnn_tensor_dim(value, 3) };
        return found->height * found->width > 1;
    }
    return 0;
}

static float weight(const filters *f, int filter, int pixel, int channel)
{
    return f->weights[((size_t)pixel * 3 + (size_t)channel) * (size_t)f->count + (size_t)filter];
}

/* Grey is 0; the largest weight of a filter is as bright, or dark, as can be. */
static void draw_filter(const canvas *c, const filters *f, int filter, double x, double y)
{
    float most = 0;
    for (int i = 0; i < f->height * f->width * 3; i++)
        most = fmaxf(most, fabsf(weight(f, filter, i / 3, i % 3)));
    double width = (double)SIZE / f->width, height = (double)SIZE / f->height;
    for (int i = 0; i < f->height * f->width; i++) {
        uint32_t colour = 0;
        for (int channel = 0; channel < 3; channel++) {
            float value = most > 0 ? weight(f, filter, i, channel) / most : 0;
            colour = colour << 8 | (uint32_t)lrintf(127.5f + 127.5f * value);
        }
        canvas_colour(c, colour, 1);
        int row = i / f->width, column = i % f->width;
        canvas_box(c, x + column * width, y + row * height, width, height);
    }
}

static int shown(const filters *f)
{
    return f->count < MOST ? f->count : MOST;
}

static void draw(const canvas *c, const void *data)
{
    const filters *f = data;
    cairo_set_antialias(c->cr, CAIRO_ANTIALIAS_NONE); /* no seams between pixels */
    for (int i = 0; i < shown(f); i++) {
        int row = i / COLUMNS, column = i % COLUMNS;
        draw_filter(c, f, i, column * (SIZE + GAP), row * (SIZE + GAP));
    }
    cairo_set_antialias(c->cr, CAIRO_ANTIALIAS_DEFAULT);
}

figure filters_figure(const filters *f)
{
    int rows = (shown(f) + COLUMNS - 1) / COLUMNS;
    return (figure){
        "filters", "Filters of the first layer", COLUMNS * (SIZE + GAP) - GAP, rows * (SIZE + GAP) - GAP, draw, f
    };
}
