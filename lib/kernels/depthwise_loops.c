/* A tile is some pixels side by side, of one vector of channels, in registers: a source pixel is read once for all the
 * results that it is part of. */
#include "kernels/depthwise.h"
#include "kernels/vector.h"

enum { MAX_PIXELS = 8, MAX_TAPS = 5 };

typedef struct tile_shape {
    int taps, step, pixels;
    bool edge; /* the members below matter */
    size_t lanes;
    int64_t first, last, count; /* columns of the source that are inside, and pixels of the result */
} tile_shape;

ALWAYS_INLINE vf load_lanes(const float *from, size_t lanes)
{
    return lanes < VF_WIDTH ? vf_load_partial(from, lanes) : vf_load(from);
}

/* `column` is the source's that meets the first tap of the first pixel. */
ALWAYS_INLINE void add_tap_row(const cnn_depthwise_row *p, tile_shape s, const float *from, const float *weights,
                               int64_t column, vf sum[MAX_PIXELS])
{
    vf factors[MAX_TAPS];
    UNROLLED (u, s.taps)
        factors[u] = load_lanes(weights + u * p->tap_stride, s.lanes);
    UNROLLED (j, (s.pixels - 1) * s.step + s.taps) {
        if (s.edge && (j < s.first || j >= s.last))
            continue;
        vf value = load_lanes(from + (column + j) * p->pixel_stride, s.lanes);
        UNROLLED (u, s.taps)
            if (j >= u && (j - u) % s.step == 0 && (j - u) / s.step < s.pixels)
                sum[(j - u) / s.step] = vf_fmadd(value, factors[u], sum[(j - u) / s.step]);
    }
}

ALWAYS_INLINE void run_vector(const cnn_depthwise_row *p, tile_shape s, int64_t pixel, int64_t column, int64_t channel)
{
    vf sum[MAX_PIXELS], bias = p->bias ? load_lanes(p->bias + channel, s.lanes) : vf_zero();
    UNROLLED (t, s.pixels)
        sum[t] = bias;
    for (int64_t v = 0; v < p->tap_rows; v++)
        add_tap_row(p, s, p->from + v * p->row_stride + channel, p->weights + v * s.taps * p->tap_stride + channel,
                    column, sum);
    vf low = vf_broadcast(p->low), high = vf_broadcast(p->high);
    ptrdiff_t to = pixel * p->to_stride + channel;
    UNROLLED (t, s.pixels)
        if (!s.edge || t < s.count) {
            vf result = p->addend ? vf_add(sum[t], load_lanes(p->addend + to + t * p->to_stride, s.lanes)) : sum[t];
            vf_store_values(false, p->to, to + t * p->to_stride, vf_min(high, vf_max(low, result)), s.lanes);
        }
}

ALWAYS_INLINE void run_tile(const cnn_depthwise_row *p, tile_shape s, int64_t pixel, int64_t column)
{
    int64_t channel = 0;
    s.lanes = VF_WIDTH;
    for (; channel + VF_WIDTH <= p->channels; channel += VF_WIDTH)
        run_vector(p, s, pixel, column, channel);
    s.lanes = (size_t)(p->channels - channel);
    if (s.lanes)
        run_vector(p, s, pixel, column, channel);
}

/* The last tile begins early enough to be whole, if the row is as long as a tile: some pixels are made twice. */
ALWAYS_INLINE void run_row(const cnn_depthwise_row *p, tile_shape s)
{
    for (int64_t x = 0; x < p->width; x += s.pixels) {
        int64_t pixel = x + s.pixels > p->width && p->width >= s.pixels ? p->width - s.pixels : x;
        int64_t column = p->origin + pixel * s.step, columns = (s.pixels - 1) * s.step + s.taps;
        s.count = p->width - pixel < s.pixels ? p->width - pixel : s.pixels;
        s.first = column < 0 ? -column : 0;
        s.last = p->source_width - column < columns ? p->source_width - column : columns;
        s.edge = s.first > 0 || s.last < columns || s.count < s.pixels;
        if (s.edge) {
            s.edge = true;
            run_tile(p, s, pixel, column);
        } else {
            s.edge = false;
            run_tile(p, s, pixel, column);
        }
    }
}

static void row(const cnn_depthwise_row *p)
{
    if (p->taps == 3 && p->step == 1)
        run_row(p, (tile_shape){ .taps = 3, .step = 1, .pixels = 8 });
    else if (p->taps == 3)
        run_row(p, (tile_shape){ .taps = 3, .step = 2, .pixels = 6 });
    else if (p->step == 1)
        run_row(p, (tile_shape){ .taps = 5, .step = 1, .pixels = 8 });
    else
        run_row(p, (tile_shape){ .taps = 5, .step = 2, .pixels = 6 });
}

const cnn_depthwise_kernels CNN_FOR_ISA(cnn_depthwise_kernels) = { .row = row };
