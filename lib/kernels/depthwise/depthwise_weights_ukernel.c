/* A tile is some pixels of the gradient side by side, of one vector of channels. It stays in registers, and so do the
 * sums of some rows of taps, down all rows: a pixel of the image is read once for all the sums of a row of taps. Every
 * sum takes the pixels in their order. */
#include "kernels/depthwise/depthwise_weights.h"
#include "simd/vector.h"

/* 7 divides the widths of maps that halve from 224 pixels. */
enum { PIXELS = VF_REGISTERS == 32 ? 7 : 4, MAX_TAPS = 5, MAX_TAP_ROWS = 3 };

/* What a loop is compiled for; other kernels than those of 3 × 3 or 5 × 5 taps go tap by tap, with any stride, and
 * so does plain C. */
typedef struct variant {
    int tap_rows, taps; /* at a time; a divisor of all rows */
    int stride;         /* across; 0: the call's */
} variant;

typedef struct tile_shape {
    size_t lanes;               /* of the vector */
    bool edge;                  /* the vector or the tile is not whole: the members below matter */
    int64_t first, last, count; /* columns of the image that are inside, and pixels of the gradient */
} tile_shape;

/* Of one vector of channels and a group of rows of taps, from `tap_row` and `tap` on. */
typedef struct tap_group {
    int64_t channel, tap_row, tap;
} tap_group;

typedef struct tap_sums {
    vf row[MAX_TAP_ROWS][MAX_TAPS];
} tap_sums;

typedef const cnn_depthwise_weights call;

ALWAYS_INLINE vf load_lanes(tile_shape s, const float *from)
{
    return s.edge ? vf_load_partial(from, s.lanes) : vf_load(from);
}

/* `column` of the image meets the tile's first pixel at the first tap. `rows` are those of the image that the rows of
 * taps meet, NULL for padding. */
ALWAYS_INLINE void add_tile(call *p, variant v, tile_shape s, const float *gradient, int64_t column,
                            const float *const rows[MAX_TAP_ROWS], tap_sums *sums)
{
    vf factors[PIXELS];
    UNROLLED (t, PIXELS)
        factors[t] = !s.edge || t < s.count ? load_lanes(s, gradient + t * p->gradient_pixel) : vf_zero();
    UNROLLED (r, v.tap_rows) {
        if (!rows[r])
            continue;
        const float *from = rows[r] + column * p->image_pixel;
        const ptrdiff_t step = v.stride ? p->image_pixel : p->stride[1] * p->image_pixel;
        const int stride = v.stride ? v.stride : 1; /* in steps */
        UNROLLED (j, (PIXELS - 1) * stride + v.taps) {
            if (s.edge && (j < s.first || j >= s.last))
                continue;
            vf value = load_lanes(s, from + j * step);
            UNROLLED (u, v.taps)
                if (j >= u && (j - u) % stride == 0 && (j - u) / stride < PIXELS)
                    sums->row[r][u] = vf_fmadd(value, factors[(j - u) / stride], sums->row[r][u]);
        }
    }
}

/* The steps of a tile that lie inside the image. */
ALWAYS_INLINE void set_edges(call *p, variant v, int64_t x, int64_t column, tile_shape *s)
{
    const int64_t stride = v.stride ? v.stride : 1, step = v.stride ? 1 : p->stride[1];
    const int64_t steps = (PIXELS - 1) * stride + v.taps;
    s->count = p->width - x < PIXELS ? p->width - x : PIXELS;
    s->first = column < 0 ? (-column + step - 1) / step : 0;
    s->last = (s->count - 1) * stride + v.taps;
    int64_t inside = p->image_width > column ? (p->image_width - column + step - 1) / step : 0;
    s->last = inside < s->last ? inside : s->last;
    s->edge = s->first > 0 || s->last < steps || s->count < PIXELS || s->lanes < VF_WIDTH;
}

ALWAYS_INLINE void add_row(call *p, variant v, tile_shape s, tap_group at, int64_t y, tap_sums *sums)
{
    const float *rows[MAX_TAP_ROWS];
    UNROLLED (r, v.tap_rows) {
        int64_t row = p->origin[0] + y * p->stride[0] + (at.tap_row + r) * p->dilation[0];
        rows[r] = row < 0 || row >= p->image_height ? NULL : p->image + row * p->image_row + at.channel;
    }
    const float *gradient = p->gradient + y * p->gradient_row + at.channel;
    for (int64_t x = 0; x < p->width; x += PIXELS, gradient += PIXELS * p->gradient_pixel) {
        int64_t column = p->origin[1] + x * p->stride[1] + at.tap * p->dilation[1];
        set_edges(p, v, x, column, &s);
        if (s.edge) {
            s.edge = true;
            add_tile(p, v, s, gradient, column, rows, sums);
        } else {
            s.edge = false;
            add_tile(p, v, s, gradient, column, rows, sums);
        }
    }
}

ALWAYS_INLINE void add_group(call *p, variant v, tile_shape s, tap_group at)
{
    tap_sums sums;
    float *first = p->weights + (at.tap_row * p->taps[1] + at.tap) * p->tap_stride + at.channel;
    UNROLLED (r, v.tap_rows)
        UNROLLED (u, v.taps)
            sums.row[r][u] =
                p->accumulate ? vf_load_lanes(first + (r * p->taps[1] + u) * p->tap_stride, s.lanes) : vf_zero();
    for (int64_t y = 0; y < p->rows; y++)
        add_row(p, v, s, at, y, &sums);
    UNROLLED (r, v.tap_rows)
        UNROLLED (u, v.taps)
            vf_store_lanes(first + (r * p->taps[1] + u) * p->tap_stride, sums.row[r][u], s.lanes);
}

/* All rows of taps of a vector of channels, some at a time. */
ALWAYS_INLINE void add_taps(call *p, variant v, tile_shape s, int64_t channel, int64_t tap)
{
    for (int64_t tap_row = 0; tap_row < p->taps[0]; tap_row += v.tap_rows)
        add_group(p, v, s, (tap_group){ channel, tap_row, tap });
}

ALWAYS_INLINE void add_channels(call *p, variant v, int64_t tap)
{
    for (int64_t channel = 0; channel < p->channels; channel += VF_WIDTH)
        add_taps(p, v, (tile_shape){ .lanes = vf_lanes_left(p->channels - channel) }, channel, tap);
}

static void add_tap_by_tap(call *p)
{
    for (int64_t tap = 0; tap < p->taps[1]; tap++)
        add_channels(p, (variant){ 1, 1, 0 }, tap);
}

static void rows(const cnn_depthwise_weights *p)
{
    if (VF_PLAIN) {
        add_tap_by_tap(p);
        return;
    }
    const int64_t taps = p->dilation[1] == 1 && p->stride[1] <= 2 && p->taps[0] == p->taps[1] ? p->taps[1] : 1;
    if (taps == 3 && p->stride[1] == 1)
        add_channels(p, (variant){ 3, 3, 1 }, 0);
    else if (taps == 3)
        add_channels(p, (variant){ 3, 3, 2 }, 0);
    else if (taps == 5 && p->stride[1] == 1)
        add_channels(p, (variant){ 1, 5, 1 }, 0);
    else if (taps == 5)
        add_channels(p, (variant){ 1, 5, 2 }, 0);
    else
        add_tap_by_tap(p);
}

const cnn_depthwise_weights_kernels CNN_FOR_ISA(cnn_depthwise_weights_kernels) = { .rows = rows };
