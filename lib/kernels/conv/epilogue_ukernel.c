/* Pooling, its undoing, sums and transposes: what is done to rows of pixels around products. */
#include "kernels/conv/epilogue.h"
#include "simd/vector.h"

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
ALWAYS_INLINE void pool_vector(cnn_pooling p, bool narrow, int64_t pixel, int64_t channel, int32_t height,
                               int32_t width, size_t lanes)
{
    const float *from = p.from + pixel * width * p.pixel_stride + channel;
    ptrdiff_t to = pixel * p.to_stride + channel;
    pooled best = pool_window(from, p.row_stride, p.pixel_stride, height, width, lanes);
    vf_store_values(narrow, p.to, to, vf_min(vf_broadcast(p.high), vf_max(vf_broadcast(p.low), best.value)), lanes);
    if (p.argmax)
        vf_store_bytes(p.argmax + to, best.place, lanes);
}

ALWAYS_INLINE void pool_windows(cnn_pooling p, bool narrow, int32_t height, int32_t width)
{
    for (int64_t i = 0; i < p.pixels; i++) {
        int64_t c = 0;
        for (; c + VF_WIDTH <= p.channels; c += VF_WIDTH)
            pool_vector(p, narrow, i, c, height, width, VF_WIDTH);
        if (c < p.channels)
            pool_vector(p, narrow, i, c, height, width, (size_t)(p.channels - c));
    }
}

static void pool(const cnn_pooling *p)
{
    bool by_two = p->window[0] == 2 && p->window[1] == 2; /* nearly always; constants make it several times as fast */
    if (by_two && p->narrow)
        pool_windows(*p, true, 2, 2);
    else if (by_two)
        pool_windows(*p, false, 2, 2);
    else if (p->window[0] == 1 && p->window[1] == 1 && p->narrow)
        pool_windows(*p, true, 1, 1);
    else
        pool_windows(*p, p->narrow, p->window[0], p->window[1]);
}

ALWAYS_INLINE void fetch_ahead(const void *values, ptrdiff_t at, bool narrow)
{
    __builtin_prefetch((const char *)values + (at + FETCH_AHEAD) * (narrow ? 2 : 4));
}

ALWAYS_INLINE vf mask_vector(const void *gradient, const void *output, ptrdiff_t at, bool narrow, vf low, vf high,
                             size_t lanes)
{
    fetch_ahead(gradient, at, narrow);
    vf value = vf_load_values(narrow, gradient, at, lanes);
    if (!output)
        return value;
    fetch_ahead(output, at, narrow);
    vf result = vf_load_values(narrow, output, at, lanes);
    return vf_select(vf_both(vf_greater(result, low), vf_greater(high, result)), value, vf_zero());
}

ALWAYS_INLINE bool reads_narrow(cnn_row_types types)
{
    return types != CNN_ROW_FLOATS;
}

ALWAYS_INLINE bool writes_narrow(cnn_row_types types)
{
    return types == CNN_ROW_NARROW;
}

ALWAYS_INLINE void mask_gradient(cnn_row_types types, const void *gradient, const void *output, float low, float high,
                                 int64_t count, void *to)
{
    vf lowest = vf_broadcast(low), highest = vf_broadcast(high);
    int64_t i = 0;
    for (; i + VF_WIDTH <= count; i += VF_WIDTH)
        vf_store_values(writes_narrow(types), to, i,
                        mask_vector(gradient, output, i, reads_narrow(types), lowest, highest, VF_WIDTH), VF_WIDTH);
    if (i < count)
        vf_store_values(writes_narrow(types), to, i,
                        mask_vector(gradient, output, i, reads_narrow(types), lowest, highest, (size_t)(count - i)),
                        (size_t)(count - i));
}

/* A vector of channels of pixels `within` to `last` - 1 of one window; `to` counts from row.to. */
ALWAYS_INLINE void unpool_vector(cnn_row_types types, cnn_unpooling row, ptrdiff_t from, int32_t within, int32_t last,
                                 ptrdiff_t to, size_t lanes)
{
    __builtin_prefetch(row.argmax + from + FETCH_AHEAD);
    vf value = mask_vector(row.gradient, row.output, from, reads_narrow(types), vf_broadcast(row.low),
                           vf_broadcast(row.high), lanes);
    for (int32_t i = within; i < last; i++, to += row.to_stride)
        vf_store_values(writes_narrow(types), row.to, to,
                        vf_select(vf_equal_bytes(row.argmax + from, lanes, (uint8_t)(row.place + i)), value, vf_zero()),
                        lanes);
}

ALWAYS_INLINE void unpool_window(cnn_row_types types, cnn_unpooling row, int64_t window, int32_t within, int32_t last,
                                 ptrdiff_t to)
{
    ptrdiff_t from = window * row.stride;
    int64_t c = 0;
    for (; c + VF_WIDTH <= row.channels; c += VF_WIDTH)
        unpool_vector(types, row, from + c, within, last, to + c, VF_WIDTH);
    if (c < row.channels)
        unpool_vector(types, row, from + c, within, last, to + c, (size_t)(row.channels - c));
}

/* `row` is passed by value so that stores of floats can't seem to change it. */
ALWAYS_INLINE void unpool_windows(cnn_row_types types, cnn_unpooling row, int32_t size)
{
    ptrdiff_t to = 0;
    for (int64_t x = row.first; x < row.last;) {
        int32_t within = (int32_t)(x % size),
                last = row.last - x + within < size ? (int32_t)(row.last - x) + within : size;
        if (within == 0 && last == size)
            unpool_window(types, row, x / size, 0, size, to);
        else
            unpool_window(types, row, x / size, within, last, to);
        to += (last - within) * row.to_stride;
        x += last - within;
    }
}

ALWAYS_INLINE void unpool_gradient(cnn_row_types types, const cnn_unpooling *row)
{
    if (row->window == 2)
        unpool_windows(types, *row, 2);
    else
        unpool_windows(types, *row, row->window);
}

#define GRADIENTS(name, types)                                                                                        \
    static void mask_##name(const void *gradient, const void *output, float low, float high, int64_t count, void *to) \
    {                                                                                                                 \
        mask_gradient(types, gradient, output, low, high, count, to);                                                 \
    }                                                                                                                 \
    static void unpool_##name(const cnn_unpooling *row)                                                               \
    {                                                                                                                 \
        unpool_gradient(types, row);                                                                                  \
    }

GRADIENTS(floats, CNN_ROW_FLOATS)
GRADIENTS(narrow, CNN_ROW_NARROW)
GRADIENTS(widened, CNN_ROW_WIDENED)

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

#if defined(VF_HAS_PAIRS)
static void pack_pairs(const float *from, ptrdiff_t row_stride, ptrdiff_t column_stride, int64_t rows, int64_t columns,
                       float *to, ptrdiff_t to_stride)
{
    enum { ROWS = 16 }; /* fit the first-level cache with a stride between columns */
    float upper[VF_WIDTH] = { 0 }, lower[VF_WIDTH] = { 0 };
    for (int64_t first = 0; first < rows; first += ROWS)
        for (int64_t column = 0; column < columns; column += VF_WIDTH) {
            size_t lanes = at_most_a_vector(columns - column);
            int64_t last = first + ROWS < rows ? first + ROWS : rows;
            for (int64_t row = first; row < last; row++) {
                const float *pair = from + 2 * row * row_stride + column * column_stride;
                for (size_t i = 0; i < lanes; i++) {
                    lower[i] = pair[(ptrdiff_t)i * column_stride];
                    upper[i] = pair[row_stride + (ptrdiff_t)i * column_stride];
                }
                store_some(to + row * to_stride + column, vf_pairs_of(vf_load(lower), vf_load(upper)), lanes);
            }
        }
}
#endif

const cnn_row_kernels CNN_FOR_ISA(cnn_row_kernels) = {
    .pool = pool,
    .mask_gradient = { [CNN_ROW_FLOATS] = mask_floats,
                       [CNN_ROW_NARROW] = mask_narrow,
                       [CNN_ROW_WIDENED] = mask_widened },
    .unpool_gradient = { [CNN_ROW_FLOATS] = unpool_floats,
                         [CNN_ROW_NARROW] = unpool_narrow,
                         [CNN_ROW_WIDENED] = unpool_widened },
    .sum_rows = sum_rows,
    .limit = limit,
    .transpose = transpose,
#if defined(VF_HAS_PAIRS)
    .pack_pairs = pack_pairs,
#endif
};
