/* Pooling, its undoing, sums and transposes: what is done to rows of pixels around products. */
#include "kernels/row.h"
#include "kernels/vector.h"

static inline vf load_some(const float *from, size_t count)
{
    return count < VF_WIDTH ? vf_load_partial(from, count) : vf_load(from);
}

static inline void store_some(float *to, vf a, size_t count)
{
    if (count < VF_WIDTH)
        vf_store_partial(to, a, count);
    else
        vf_store(to, a);
}

static inline size_t at_most_a_vector(int64_t count)
{
    return count < VF_WIDTH ? (size_t)count : VF_WIDTH;
}

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { FETCH_AHEAD = 1024 }; /* floats; gradients come from main memory, and the processor's own guess is too short */

typedef struct pooled {
    vf value, place;
} pooled;

/* The maximum of a window and its place; the first of equals. */
ALWAYS_INLINE pooled pool_window(const float *from, ptrdiff_t row_stride, ptrdiff_t pixel_stride, int32_t height,
                                 int32_t width, size_t lanes)
{
    pooled best = { load_some(from, lanes), vf_zero() };
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = !y; x < width; x++) {
            vf value = load_some(from + (y * row_stride + x) * pixel_stride, lanes);
            vf_mask better = vf_greater(value, best.value);
            best.value = vf_select(better, value, best.value);
            best.place = vf_select(better, vf_broadcast((float)(y * width + x)), best.place);
        }
    return best;
}

/* A vector of channels of one window. */
ALWAYS_INLINE void pool_vector(cnn_pooling p, int64_t pixel, int64_t channel, int32_t height, int32_t width,
                               size_t lanes)
{
    const float *from = p.from + pixel * width * p.pixel_stride + channel;
    ptrdiff_t to = pixel * p.to_stride + channel;
    pooled best = pool_window(from, p.row_stride, p.pixel_stride, height, width, lanes);
    store_some(p.to + to, vf_min(vf_broadcast(p.high), vf_max(vf_broadcast(p.low), best.value)), lanes);
    if (p.argmax)
        vf_store_bytes(p.argmax + to, best.place, lanes);
}

ALWAYS_INLINE void pool_windows(cnn_pooling p, int32_t height, int32_t width)
{
    for (int64_t i = 0; i < p.pixels; i++) {
        int64_t c = 0;
        for (; c + VF_WIDTH <= p.channels; c += VF_WIDTH)
            pool_vector(p, i, c, height, width, VF_WIDTH);
        if (c < p.channels)
            pool_vector(p, i, c, height, width, (size_t)(p.channels - c));
    }
}

static void pool(const cnn_pooling *p)
{
    if (p->window[0] == 2 && p->window[1] == 2) /* nearly always; constants make it several times as fast */
        pool_windows(*p, 2, 2);
    else
        pool_windows(*p, p->window[0], p->window[1]);
}

ALWAYS_INLINE vf mask_vector(const float *gradient, const float *output, vf low, vf high, size_t lanes)
{
    __builtin_prefetch(gradient + FETCH_AHEAD);
    vf value = load_some(gradient, lanes);
    if (!output)
        return value;
    __builtin_prefetch(output + FETCH_AHEAD);
    vf result = load_some(output, lanes);
    return vf_select(vf_both(vf_greater(result, low), vf_greater(high, result)), value, vf_zero());
}

static void mask_gradient(const float *gradient, const float *output, float low, float high, int64_t count, float *to)
{
    vf lowest = vf_broadcast(low), highest = vf_broadcast(high);
    for (int64_t i = 0; i < count; i += VF_WIDTH) {
        size_t lanes = at_most_a_vector(count - i);
        store_some(to + i, mask_vector(gradient + i, output ? output + i : NULL, lowest, highest, lanes), lanes);
    }
}

/* A vector of channels of pixels `within` to `last` - 1 of one window. */
ALWAYS_INLINE void unpool_vector(cnn_unpooling row, ptrdiff_t from, int32_t within, int32_t last, float *to,
                                 size_t lanes)
{
    __builtin_prefetch(row.argmax + from + FETCH_AHEAD);
    vf value = mask_vector(row.gradient + from, row.output ? row.output + from : NULL, vf_broadcast(row.low),
                           vf_broadcast(row.high), lanes);
    for (int32_t i = within; i < last; i++, to += row.to_stride)
        store_some(to, vf_select(vf_equal_bytes(row.argmax + from, lanes, (uint8_t)(row.place + i)), value, vf_zero()),
                   lanes);
}

ALWAYS_INLINE void unpool_window(cnn_unpooling row, int64_t window, int32_t within, int32_t last, float *to)
{
    ptrdiff_t from = window * row.stride;
    int64_t c = 0;
    for (; c + VF_WIDTH <= row.channels; c += VF_WIDTH)
        unpool_vector(row, from + c, within, last, to + c, VF_WIDTH);
    if (c < row.channels)
        unpool_vector(row, from + c, within, last, to + c, (size_t)(row.channels - c));
}

/* `row` is passed by value so that stores of floats can't seem to change it. */
ALWAYS_INLINE void unpool_windows(cnn_unpooling row, int32_t size)
{
    float *to = row.to;
    for (int64_t x = row.first; x < row.last;) {
        int32_t within = (int32_t)(x % size),
                last = row.last - x + within < size ? (int32_t)(row.last - x) + within : size;
        if (within == 0 && last == size)
            unpool_window(row, x / size, 0, size, to);
        else
            unpool_window(row, x / size, within, last, to);
        to += (last - within) * row.to_stride;
        x += last - within;
    }
}

static void unpool_gradient(const cnn_unpooling *row)
{
    if (row->window == 2)
        unpool_windows(*row, 2);
    else
        unpool_windows(*row, row->window);
}

/* Several vectors at once, for the additions to one wait for each other. */
ALWAYS_INLINE void sum_columns(const float *from, ptrdiff_t stride, int64_t rows, float *sum, int vectors, size_t lanes)
{
    vf total[4];
    for (int v = 0; v < vectors; v++)
        total[v] = load_some(sum + v * VF_WIDTH, lanes);
    for (int64_t row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++)
            total[v] = vf_add(total[v], load_some(from + row * stride + v * VF_WIDTH, lanes));
    for (int v = 0; v < vectors; v++)
        store_some(sum + v * VF_WIDTH, total[v], lanes);
}

static void sum_rows(const float *from, ptrdiff_t stride, int64_t rows, int64_t columns, float *sum)
{
    int64_t i = 0;
    for (; i + 4 * VF_WIDTH <= columns; i += 4 * VF_WIDTH)
        sum_columns(from + i, stride, rows, sum + i, 4, VF_WIDTH);
    for (; i + 2 * VF_WIDTH <= columns; i += 2 * VF_WIDTH)
        sum_columns(from + i, stride, rows, sum + i, 2, VF_WIDTH);
    for (; i < columns; i += VF_WIDTH)
        sum_columns(from + i, stride, rows, sum + i, 1, at_most_a_vector(columns - i));
}

static void limit(float *values, int64_t count, float low, float high)
{
    vf lowest = vf_broadcast(low), highest = vf_broadcast(high);
    for (int64_t i = 0; i < count; i += VF_WIDTH) {
        size_t lanes = at_most_a_vector(count - i);
        store_some(values + i, vf_min(highest, vf_max(lowest, load_some(values + i, lanes))), lanes);
    }
}

/* By squares that fit the first-level cache. */
static void transpose(const float *from, ptrdiff_t from_stride, int64_t rows, int64_t columns, float *to,
                      ptrdiff_t to_stride)
{
    enum { SIDE = 16 };
    for (int64_t row = 0; row < rows; row += SIDE)
        for (int64_t column = 0; column < columns; column += SIDE) {
            int64_t last_row = row + SIDE < rows ? row + SIDE : rows;
            int64_t last_column = column + SIDE < columns ? column + SIDE : columns;
            for (int64_t c = column; c < last_column; c++)
                for (int64_t r = row; r < last_row; r++)
                    to[c * to_stride + r] = from[r * from_stride + c];
        }
}

const cnn_row_kernels CNN_FOR_ISA(cnn_row_kernels) = {
    .pool = pool,
    .mask_gradient = mask_gradient,
    .unpool_gradient = unpool_gradient,
    .sum_rows = sum_rows,
    .limit = limit,
    .transpose = transpose,
};
