#include "kernels/conv/padded_tile.h"
#include "kernels/conv/epilogue.h"
#include "kernels/elementwise/convert_bf16.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Columns first to last - 1 of a row that lies inside the image. */
typedef struct row_part {
    int64_t row, first, last;
} row_part;

static size_t value_bytes(bool narrow)
{
    return narrow ? sizeof(cnn_bf16) : sizeof(float);
}

/* Values of the source from `at` on. */
static const void *values_at(const cnn_strip_source *source, const void *values, int64_t at)
{
    return values ? (const char *)values + at * (int64_t)value_bytes(source->narrow) : NULL;
}

/* Of the strip; `to` may be any pixel of it. */
static char *pixel_at(const cnn_strip *strip, char *to, int64_t pixel)
{
    return to + pixel * strip->pixel_stride * (int64_t)value_bytes(strip->narrow);
}

static void copy_values(const cnn_strip_source *source, const cnn_strip *strip, int64_t from, int64_t count, char *to)
{
    const void *values = values_at(source, source->image, from);
    if (source->narrow && !strip->narrow)
        source->kernels->bf16->widen(values, (float *)(void *)to, (size_t)count);
    else
        memcpy(to, values, (size_t)count * value_bytes(strip->narrow));
}

/* A row's pixels in one piece, if they lie in the strip as they do in the source; else one by one. */
static bool is_whole(const cnn_strip_source *source, const cnn_strip *strip)
{
    return strip->channels == source->channels && strip->pixel_stride == strip->channels;
}

static void copy_image(const cnn_strip_source *source, const cnn_strip *strip, row_part part, char *to)
{
    int64_t from =
        ((strip->image * source->height + part.row) * source->width + part.first) * source->channels + strip->channel;
    if (is_whole(source, strip)) {
        copy_values(source, strip, from, (part.last - part.first) * strip->channels, to);
        return;
    }
    for (int64_t x = 0; x < part.last - part.first; x++)
        copy_values(source, strip, from + x * source->channels, strip->channels, pixel_at(strip, to, x));
}

static cnn_row_types row_types(const cnn_strip_source *source, const cnn_strip *strip)
{
    return !source->narrow ? CNN_ROW_FLOATS : strip->narrow ? CNN_ROW_NARROW : CNN_ROW_WIDENED;
}

/* The output's values between which an activation's slope is 1. */
static void limits_of(cnn_activation activation, float *low, float *high)
{
    *low = activation == CNN_ACTIVATION_NONE ? -INFINITY : 0;
    *high = activation == CNN_ACTIVATION_RELU6 ? 6 : INFINITY;
}

static void clear_pixels(const cnn_strip *strip, int64_t pixels, char *to)
{
    memset(to, 0, (size_t)(pixels * strip->pixel_stride) * value_bytes(strip->narrow));
}

static void unmask_plain(const cnn_strip_source *source, const cnn_strip *strip, row_part part, char *to)
{
    const cnn_conv_gradient *g = source->gradient;
    int64_t from =
        ((strip->image * source->height + part.row) * source->width + part.first) * source->channels + strip->channel;
    float low, high;
    limits_of(g->activation, &low, &high);
    const void *output = g->activation == CNN_ACTIVATION_NONE ? NULL : g->output;
    bool whole = is_whole(source, strip);
    int64_t pieces = whole ? 1 : part.last - part.first;
    int64_t count = whole ? (part.last - part.first) * strip->channels : strip->channels;
    cnn_row_types types = row_types(source, strip);
    for (int64_t i = 0; i < pieces; i++, from += source->channels)
        source->kernels->row->mask_gradient[types](values_at(source, g->gradient, from),
                                                   values_at(source, output, from), low, high, count,
                                                   pixel_at(strip, to, i));
}

static void unmask_pooled(const cnn_strip_source *source, const cnn_strip *strip, row_part part, char *to)
{
    const cnn_conv_gradient *g = source->gradient;
    int64_t height = source->height / g->pool[0], width = source->width / g->pool[1], y = part.row / g->pool[0];
    if (y >= height) {
        clear_pixels(strip, part.last - part.first, to);
        return;
    }
    float low, high;
    limits_of(g->activation, &low, &high);
    int64_t from = (strip->image * height + y) * width * source->channels + strip->channel;
    int64_t last = part.last < width * g->pool[1] ? part.last : width * g->pool[1];
    cnn_unpooling row = { .gradient = values_at(source, g->gradient, from),
                          .output = g->activation == CNN_ACTIVATION_NONE ? NULL : values_at(source, g->output, from),
                          .argmax = g->argmax + from,
                          .first = part.first,
                          .last = last,
                          .window = g->pool[1],
                          .place = (int32_t)(part.row % g->pool[0]) * g->pool[1],
                          .channels = strip->channels,
                          .stride = source->channels,
                          .to_stride = strip->pixel_stride,
                          .low = low,
                          .high = high,
                          .to = to };
    source->kernels->row->unpool_gradient[row_types(source, strip)](&row);
    if (part.last > last) {
        int64_t unread = part.last - (part.first > last ? part.first : last);
        clear_pixels(strip, unread, pixel_at(strip, to, part.last - unread - part.first));
    }
}

static int64_t limit(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static void fill_row(const cnn_strip_source *source, const cnn_strip *strip, int64_t y, char *to)
{
    int64_t first = limit(strip->left, 0, source->width);
    int64_t last = limit(strip->left + strip->columns, first, source->width);
    int64_t before = limit(first - strip->left, 0, strip->columns), inside = last - first;
    clear_pixels(strip, before, to);
    to = pixel_at(strip, to, before);
    row_part part = { y, first, last };
    if (!source->gradient)
        copy_image(source, strip, part, to);
    else if (source->gradient->pool[0])
        unmask_pooled(source, strip, part, to);
    else
        unmask_plain(source, strip, part, to);
    clear_pixels(strip, strip->columns - before - inside, pixel_at(strip, to, inside));
}

void cnn_strip_fill(const cnn_strip_source *source, const cnn_strip *strip, void *to)
{
    for (int64_t row = 0; row < strip->rows; row++) {
        int64_t y = strip->top + row;
        char *row_to = pixel_at(strip, to, row * strip->columns);
        if (y < 0 || y >= source->height)
            clear_pixels(strip, strip->columns, row_to);
        else
            fill_row(source, strip, y, row_to);
    }
}
