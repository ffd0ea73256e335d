#include "kernels/conv/padded_tile.h"
#include "kernels/conv/epilogue.h"
#include "kernels/elementwise/convert_bf16.h"
#include "kernels/tasks.h"

#include <stdbool.h>
#include <string.h>

bool cnn_conv_gradient_is_plain(const cnn_conv_gradient *gradient)
{
    return gradient->activation == CNN_ACTIVATION_NONE && !gradient->pool[0];
}

/* Columns first to last - 1 of a row that lies inside the image. */
typedef struct row_part {
    int64_t row, first, last;
} row_part;

static size_t value_bytes(bool bf16)
{
    return bf16 ? sizeof(cnn_bf16) : sizeof(float);
}

/* Values of the source from `at` on. */
static const void *values_at(const cnn_tile_source *source, const void *values, int64_t at)
{
    return values ? (const char *)values + at * (int64_t)value_bytes(source->bf16) : NULL;
}

/* Of the tile; `to` may be any pixel of it. */
static char *pixel_at(const cnn_padded_tile *tile, char *to, int64_t pixel)
{
    return to + pixel * tile->pixel_stride * (int64_t)value_bytes(tile->bf16);
}

static void copy_values(const cnn_tile_source *source, const cnn_padded_tile *tile, int64_t from, int64_t count,
                        char *to)
{
    const void *values = values_at(source, source->image, from);
    if (source->bf16 && !tile->bf16)
        source->kernels->convert_bf16->widen(values, (float *)(void *)to, (size_t)count);
    else
        memcpy(to, values, (size_t)count * value_bytes(tile->bf16));
}

/* A row's pixels in one piece, if they lie in the tile as they do in the source; else one by one. */
static bool is_whole(const cnn_tile_source *source, const cnn_padded_tile *tile)
{
    return tile->channels == source->channels && tile->pixel_stride == tile->channels;
}

static void copy_image(const cnn_tile_source *source, const cnn_padded_tile *tile, row_part part, char *to)
{
    int64_t from =
        ((tile->image * source->height + part.row) * source->width + part.first) * source->channels + tile->channel;
    if (is_whole(source, tile)) {
        copy_values(source, tile, from, (part.last - part.first) * tile->channels, to);
        return;
    }
    for (int64_t x = 0; x < part.last - part.first; x++)
        copy_values(source, tile, from + x * source->channels, tile->channels, pixel_at(tile, to, x));
}

static cnn_gradient_types gradient_types(const cnn_tile_source *source, const cnn_padded_tile *tile)
{
    return !source->bf16 ? CNN_GRADIENT_FLOATS : tile->bf16 ? CNN_GRADIENT_BF16 : CNN_GRADIENT_BF16_TO_FLOATS;
}

static void clear_pixels(const cnn_padded_tile *tile, int64_t pixels, char *to)
{
    memset(to, 0, (size_t)(pixels * tile->pixel_stride) * value_bytes(tile->bf16));
}

static void unmask_plain(const cnn_tile_source *source, const cnn_padded_tile *tile, row_part part, char *to)
{
    const cnn_conv_gradient *g = source->gradient;
    int64_t from =
        ((tile->image * source->height + part.row) * source->width + part.first) * source->channels + tile->channel;
    cnn_clamp clamp = cnn_activation_clamp(g->activation);
    const void *output = g->activation == CNN_ACTIVATION_NONE ? NULL : g->output;
    bool whole = is_whole(source, tile);
    int64_t pieces = whole ? 1 : part.last - part.first;
    int64_t count = whole ? (part.last - part.first) * tile->channels : tile->channels;
    cnn_gradient_types types = gradient_types(source, tile);
    for (int64_t i = 0; i < pieces; i++, from += source->channels)
        source->kernels->epilogue->mask_gradient[types](
            values_at(source, g->gradient, from), values_at(source, output, from), clamp, count, pixel_at(tile, to, i));
}

static void unmask_pooled(const cnn_tile_source *source, const cnn_padded_tile *tile, row_part part, char *to)
{
    const cnn_conv_gradient *g = source->gradient;
    int64_t height = source->height / g->pool[0], width = source->width / g->pool[1], y = part.row / g->pool[0];
    if (y >= height) {
        clear_pixels(tile, part.last - part.first, to);
        return;
    }
    cnn_clamp clamp = cnn_activation_clamp(g->activation);
    int64_t from = (tile->image * height + y) * width * source->channels + tile->channel;
    int64_t last = part.last < width * g->pool[1] ? part.last : width * g->pool[1];
    cnn_unpooling row = { .gradient = values_at(source, g->gradient, from),
                          .output = g->activation == CNN_ACTIVATION_NONE ? NULL : values_at(source, g->output, from),
                          .argmax = g->argmax + from,
                          .first = part.first,
                          .last = last,
                          .window = g->pool[1],
                          .place = (int32_t)(part.row % g->pool[0]) * g->pool[1],
                          .channels = tile->channels,
                          .stride = source->channels,
                          .to_stride = tile->pixel_stride,
                          .clamp = clamp,
                          .to = to };
    source->kernels->epilogue->unpool_gradient[gradient_types(source, tile)](&row);
    if (part.last > last) {
        int64_t unread = part.last - (part.first > last ? part.first : last);
        clear_pixels(tile, unread, pixel_at(tile, to, part.last - unread - part.first));
    }
}

static void fill_row(const cnn_tile_source *source, const cnn_padded_tile *tile, int64_t y, char *to)
{
    int64_t first = cnn_clamp_size(tile->left, 0, source->width);
    int64_t last = cnn_clamp_size(tile->left + tile->columns, first, source->width);
    int64_t before = cnn_clamp_size(first - tile->left, 0, tile->columns), inside = last - first;
    clear_pixels(tile, before, to);
    to = pixel_at(tile, to, before);
    row_part part = { y, first, last };
    if (!source->gradient)
        copy_image(source, tile, part, to);
    else if (source->gradient->pool[0])
        unmask_pooled(source, tile, part, to);
    else
        unmask_plain(source, tile, part, to);
    clear_pixels(tile, tile->columns - before - inside, pixel_at(tile, to, inside));
}

void cnn_padded_tile_fill(const cnn_tile_source *source, const cnn_padded_tile *tile, void *to)
{
    for (int64_t row = 0; row < tile->rows; row++) {
        int64_t y = tile->top + row;
        char *row_to = pixel_at(tile, to, row * tile->columns);
        if (y < 0 || y >= source->height)
            clear_pixels(tile, tile->columns, row_to);
        else
            fill_row(source, tile, y, row_to);
    }
}
