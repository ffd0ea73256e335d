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
ALWAYS_INLINE void pool_vector(const cnn_pooling *p, int64_t pixel, int64_t channel, int32_t height, int32_t width,
                               size_t lanes)
{
    const float *from = p->from + pixel * width * p->pixel_stride + channel;
    ptrdiff_t to = pixel * p->to_stride + channel;
    pooled best = pool_window(from, p->row_stride, p->pixel_stride, height, width, lanes);
    store_some(p->to + to, vf_min(vf_broadcast(p->high), vf_max(vf_broadcast(p->low), best.value)), lanes);
    if (p->argmax)
        vf_store_bytes(p->argmax + to, best.place, lanes);
}

ALWAYS_INLINE void pool_windows(const cnn_pooling *p, int32_t height, int32_t width)
{
    for (int64_t i = 0; i < p->pixels; i++) {
        int64_t c = 0;
        for (; c + VF_WIDTH <= p->channels; c += VF_WIDTH)
            pool_vector(p, i, c, height, width, VF_WIDTH);
        if (c < p->channels)
            pool_vector(p, i, c, height, width, (size_t)(p->channels - c));
    }
}

static void pool(const cnn_pooling *p)
{
    if (p->window[0] == 2 && p->window[1] == 2) /* nearly always; constants make it several times as fast */
        pool_windows(p, 2, 2);
    else
        pool_windows(p, p->window[0], p->window[1]);
}

ALWAYS_INLINE vf mask_vector(const float *gradient, const float *output, vf low, vf high, size_t lanes)
{
    vf value = load_some(gradient, lanes);
    if (!output)
        return value;
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

ALWAYS_INLINE void unpool_vector(const cnn_unpooling *row, ptrdiff_t from, uint8_t place, float *to, size_t lanes)
{
    vf value = mask_vector(row->gradient + from, row->output ? row->output + from : NULL, vf_broadcast(row->low),
                           vf_broadcast(row->high), lanes);
    store_some(to, vf_select(vf_equal_bytes(row->argmax + from, lanes, place), value, vf_zero()), lanes);
}

static void unpool_gradient(const cnn_unpooling *row)
{
    float *to = row->to;
    int64_t window = row->first / row->window;
    int32_t within = (int32_t)(row->first % row->window);
    for (int64_t x = row->first; x < row->last; x++, to += row->to_stride) {
        ptrdiff_t from = window * row->stride;
        uint8_t place = (uint8_t)(row->place + within);
        int64_t c = 0;
        for (; c + VF_WIDTH <= row->channels; c += VF_WIDTH)
            unpool_vector(row, from + c, place, to + c, VF_WIDTH);
        if (c < row->channels)
            unpool_vector(row, from + c, place, to + c, (size_t)(row->channels - c));
        if (++within == row->window) {
            within = 0;
            window++;
        }
    }
}

static void sum_rows(const float *from, ptrdiff_t stride, int64_t rows, int64_t columns, float *sum)
{
    for (int64_t i = 0; i < columns; i += VF_WIDTH) {
        size_t lanes = at_most_a_vector(columns - i);
        vf total = load_some(sum + i, lanes);
        for (int64_t row = 0; row < rows; row++)
            total = vf_add(total, load_some(from + row * stride + i, lanes));
        store_some(sum + i, total, lanes);
    }
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
