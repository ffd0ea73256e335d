#include "kernels/strip.h"
#include "kernels/row.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Columns first to last - 1 of a row that lies inside the image. */
typedef struct row_part {
    int64_t row, first, last;
} row_part;

static void copy_image(const cnn_strip_source *source, const cnn_strip *strip, row_part part, float *to)
{
    const float *from = source->image +
                        ((strip->image * source->height + part.row) * source->width + part.first) * source->channels +
                        strip->channel;
    if (strip->channels == source->channels && strip->pixel_stride == strip->channels) {
        memcpy(to, from, (size_t)((part.last - part.first) * strip->channels) * sizeof *to);
        return;
    }
    for (int64_t x = part.first; x < part.last; x++, from += source->channels, to += strip->pixel_stride)
        memcpy(to, from, (size_t)strip->channels * sizeof *to);
}

/* The output's values between which an activation's slope is 1. */
static void limits_of(cnn_activation activation, float *low, float *high)
{
    *low = activation == CNN_ACTIVATION_NONE ? -INFINITY : 0;
    *high = activation == CNN_ACTIVATION_RELU6 ? 6 : INFINITY;
}

static void clear_pixels(const cnn_strip *strip, int64_t pixels, float *to)
{
    memset(to, 0, (size_t)(pixels * strip->pixel_stride) * sizeof *to);
}

static void unmask_plain(const cnn_strip_source *source, const cnn_strip *strip, row_part part, float *to)
{
    const cnn_conv_gradient *g = source->gradient;
    int64_t from =
        ((strip->image * source->height + part.row) * source->width + part.first) * source->channels + strip->channel;
    float low, high;
    limits_of(g->activation, &low, &high);
    const float *output = g->activation == CNN_ACTIVATION_NONE ? NULL : g->output;
    bool whole = strip->channels == source->channels && strip->pixel_stride == strip->channels;
    int64_t pieces = whole ? 1 : part.last - part.first;
    int64_t count = whole ? (part.last - part.first) * strip->channels : strip->channels;
    for (int64_t i = 0; i < pieces; i++, from += source->channels, to += strip->pixel_stride)
        source->kernels->row->mask_gradient(g->gradient + from, output ? output + from : NULL, low, high, count, to);
}

static void unmask_pooled(const cnn_strip_source *source, const cnn_strip *strip, row_part part, float *to)
{
    const cnn_conv_gradient *g = source->gradient;
    int64_t height = source->height / g->pool[0], width = source->width / g->pool[1], y = part.row / g->pool[0];
    if (y >= height) {
        clear_pixels(strip, part.last - part.first, to);
        return;
    }
    float low, high;
    limits_of(g->activation, &low, &high);
    const float *output = g->activation == CNN_ACTIVATION_NONE ? NULL : g->output;
    int64_t from = (strip->image * height + y) * width * source->channels + strip->channel;
    int64_t last = part.last < width * g->pool[1] ? part.last : width * g->pool[1];
    cnn_unpooling row = { .gradient = g->gradient + from,
                          .output = output ? output + from : NULL,
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
    source->kernels->row->unpool_gradient(&row);
    if (part.last > last) {
        int64_t unread = part.last - (part.first > last ? part.first : last);
        clear_pixels(strip, unread, to + (part.last - unread - part.first) * strip->pixel_stride);
    }
}

static int64_t limit(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

void cnn_strip_fill(const cnn_strip_source *source, const cnn_strip *strip, float *to)
{
    int64_t first = limit(strip->left, 0, source->width);
    int64_t last = limit(strip->left + strip->columns, first, source->width);
    int64_t before = limit(first - strip->left, 0, strip->columns), after = strip->columns - before - (last - first);
    for (int64_t y = strip->top; y < strip->top + strip->rows; y++, to += strip->columns * strip->pixel_stride) {
        if (y < 0 || y >= source->height) {
            clear_pixels(strip, strip->columns, to);
            continue;
        }
        clear_pixels(strip, before, to);
        row_part part = { y, first, last };
        float *inside = to + before * strip->pixel_stride;
        if (!source->gradient)
            copy_image(source, strip, part, inside);
        else if (source->gradient->pool[0])
            unmask_pooled(source, strip, part, inside);
        else
            unmask_plain(source, strip, part, inside);
        clear_pixels(strip, after, inside + (last - first) * strip->pixel_stride);
    }
}
