/* A tile is some pixels side by side, in one row of the result or in two, of one vector of channels, in registers: a
 * source pixel is read once for all the results that it is part of. Two rows make sums enough for the processor to work
 * on while each waits for its last addition. */
#include "kernels/depthwise/depthwise.h"
#include "simd/vector.h"

/* 7 divides the widths of maps that halve from 224 pixels. */
enum { MAX_ROWS = VF_REGISTERS == 32 ? 2 : 1, PIXELS = 7, MAX_TAPS = 5 };

typedef struct tile_shape {
    int taps, stride;
    bool ragged, edge; /* the vector is not whole; the members below matter */
    size_t lanes;
    int64_t first, last, count; /* columns of the source that are inside, and pixels of the result */
} tile_shape;

/* Where a tile is: its first pixel's number in a row, the source's column that this pixel's first tap meets. */
typedef struct tile_place {
    int64_t pixel, column, channel;
} tile_place;

typedef struct tile_sums {
    vf row[MAX_ROWS][PIXELS];
} tile_sums;

ALWAYS_INLINE vf load_lanes(tile_shape s, const float *from)
{
    return s.ragged ? vf_load_partial(from, s.lanes) : vf_load(from);
}

/* Of a place from which pixels are counted. Were it known how it comes about, the compiler would compute each pixel's
 * place ahead of the loop over channels, and run out of registers. */
ALWAYS_INLINE ptrdiff_t opaque(ptrdiff_t place)
{
#if defined(__GNUC__)
    __asm__("" : "+r"(place));
#endif
    return place;
}

/* Source rows first to last - 1, each of which is added for all the results that it is part of. Row i of the source
 * meets row i of the taps in the result's first row, if `upper`, and row i - stride in its second, if `lower`. */
typedef struct source_rows {
    int64_t first, last;
    bool upper, lower;
} source_rows;

ALWAYS_INLINE void add_source_rows(cnn_depthwise_rows p, tile_shape s, tile_place at, source_rows rows, tile_sums *sums)
{
    const int64_t first = rows.first > p.first ? rows.first : p.first, last = rows.last < p.last ? rows.last : p.last;
    for (int64_t i = first; i < last; i++) {
        const float *from = p.from + opaque((i - p.first) * p.row_stride + at.column * p.pixel_stride + at.channel);
        const float *weights = p.weights + opaque(i * s.taps * p.tap_stride + at.channel);
        vf factors[MAX_ROWS][MAX_TAPS];
        UNROLLED (u, s.taps) {
            if (rows.upper)
                factors[0][u] = load_lanes(s, weights + u * p.tap_stride);
            if (rows.lower)
                factors[MAX_ROWS - 1][u] = load_lanes(s, weights + (u - s.stride * s.taps) * p.tap_stride);
        }
        UNROLLED (j, (PIXELS - 1) * s.stride + s.taps) {
            if (s.edge && (j < s.first || j >= s.last))
                continue;
            vf value = load_lanes(s, from + j * p.pixel_stride);
            UNROLLED (u, s.taps) {
                if (j < u || (j - u) % s.stride != 0 || (j - u) / s.stride >= PIXELS)
                    continue;
                vf *upper_sum = &sums->row[0][(j - u) / s.stride],
                   *lower_sum = &sums->row[MAX_ROWS - 1][(j - u) / s.stride];
                if (rows.upper)
                    *upper_sum = vf_fmadd(value, factors[0][u], *upper_sum);
                if (rows.lower)
                    *lower_sum = vf_fmadd(value, factors[MAX_ROWS - 1][u], *lower_sum);
            }
        }
    }
}

ALWAYS_INLINE void store_row(cnn_depthwise_rows p, tile_shape s, ptrdiff_t to, vf sum[PIXELS])
{
    if (p.residual)
        UNROLLED (t, PIXELS)
            if (!s.edge || t < s.count)
                sum[t] = vf_add(sum[t], load_lanes(s, p.residual + to + t * p.to_stride));
    vf min = vf_broadcast(p.clamp.min), max = vf_broadcast(p.clamp.max);
    UNROLLED (t, PIXELS)
        if (!s.edge || t < s.count)
            vf_store_values(false, p.to, to + t * p.to_stride, vf_clamp(min, max, sum[t]),
                            s.ragged ? s.lanes : VF_WIDTH);
}

ALWAYS_INLINE void run_tile(cnn_depthwise_rows p, tile_shape s, tile_place at)
{
    tile_sums sums;
    vf bias = p.bias ? load_lanes(s, p.bias + at.channel) : vf_zero();
    UNROLLED (r, MAX_ROWS)
        UNROLLED (t, PIXELS)
            sums.row[r][t] = bias;
    bool two = MAX_ROWS == 2 && p.rows == 2;
    add_source_rows(p, s, at, (source_rows){ 0, two ? s.stride : p.taps[0], true, false }, &sums);
    if (two) {
        add_source_rows(p, s, at, (source_rows){ s.stride, p.taps[0], true, true }, &sums);
        add_source_rows(p, s, at, (source_rows){ p.taps[0], p.taps[0] + s.stride, false, true }, &sums);
    }
    ptrdiff_t to = at.pixel * p.to_stride + at.channel;
    store_row(p, s, opaque(to), sums.row[0]);
    if (two)
        store_row(p, s, opaque(to + p.to_row_stride), sums.row[MAX_ROWS - 1]);
}

/* Whole vectors of channels of a tile. */
ALWAYS_INLINE void run_pixels(cnn_depthwise_rows p, tile_shape s, tile_place at)
{
    for (; at.channel + VF_WIDTH <= p.channels; at.channel += VF_WIDTH)
        run_tile(p, s, at);
}

/* The channels from `at.channel` on. */
ALWAYS_INLINE void run_ragged(cnn_depthwise_rows p, tile_shape s, tile_place at)
{
    s.ragged = s.edge = true;
    for (; at.channel < p.channels; at.channel += VF_WIDTH) {
        s.lanes = vf_lanes_left(p.channels - at.channel);
        run_tile(p, s, at);
    }
}

/* The last tile begins early enough to be whole, if the row is as long as a tile: some pixels are made twice. */
ALWAYS_INLINE void run_rows(cnn_depthwise_rows p, int taps, int stride)
{
    tile_shape s = { .taps = taps, .stride = stride };
    int64_t columns = (PIXELS - 1) * stride + taps;
    for (int64_t x = 0; x < p.width; x += PIXELS) {
        tile_place at = { .pixel = x + PIXELS > p.width && p.width >= PIXELS ? p.width - PIXELS : x };
        at.column = p.origin + at.pixel * stride;
        s.count = p.width - at.pixel < PIXELS ? p.width - at.pixel : PIXELS;
        s.first = at.column < 0 ? -at.column : 0;
        s.last = p.source_width - at.column < columns ? p.source_width - at.column : columns;
        if (!VF_PLAIN) {
            if (s.first > 0 || s.last < columns || s.count < PIXELS) {
                s.edge = true;
                run_pixels(p, s, at);
            } else {
                s.edge = false;
                run_pixels(p, s, at);
            }
            at.channel = p.channels - p.channels % VF_WIDTH;
        }
        run_ragged(p, s, at);
    }
}

static void rows(const cnn_depthwise_rows *p)
{
    if (p->taps[1] == 3 && p->stride == 1)
        run_rows(*p, 3, 1);
    else if (p->taps[1] == 3)
        run_rows(*p, 3, 2);
    else if (p->stride == 1)
        run_rows(*p, 5, 1);
    else
        run_rows(*p, 5, 2);
}

const cnn_depthwise_kernels CNN_FOR_ISA(cnn_depthwise_kernels) = { .most_rows = MAX_ROWS, .rows = rows };
