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

typedef struct pooled {
    vf value, place;
} pooled;

/* The maximum of a window and its place; the first of equals. */
static inline pooled pool_window(const float *from, ptrdiff_t row_stride, ptrdiff_t pixel_stride,
                                 const int32_t window[2], size_t lanes)
{
    pooled best = { load_some(from, lanes), vf_zero() };
    for (int32_t y = 0; y < window[0]; y++)
        for (int32_t x = !y; x < window[1]; x++) {
            vf value = load_some(from + (y * row_stride + x) * pixel_stride, lanes);
            vf_mask better = vf_greater(value, best.value);
            best.value = vf_select(better, value, best.value);
            best.place = vf_select(better, vf_broadcast((float)(y * window[1] + x)), best.place);
        }
    return best;
}

static void pool(const float *from, ptrdiff_t row_stride, ptrdiff_t pixel_stride, const int32_t window[2],
                 int64_t pixels, int64_t channels, float low, float high, float *to, uint8_t *argmax,
                 ptrdiff_t to_stride)
{
    vf lowest = vf_broadcast(low), highest = vf_broadcast(high);
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t c = 0; c < channels; c += VF_WIDTH) {
            size_t lanes = at_most_a_vector(channels - c);
            pooled best = pool_window(from + i * window[1] * pixel_stride + c, row_stride, pixel_stride, window, lanes);
            store_some(to + i * to_stride + c, vf_min(highest, vf_max(lowest, best.value)), lanes);
            if (argmax)
                vf_store_bytes(argmax + i * to_stride + c, best.place, lanes);
        }
}

static void mask_gradient(const float *gradient, const float *output, const uint8_t *argmax, uint8_t place, float low,
                          float high, int64_t count, float *to)
{
    vf lowest = vf_broadcast(low), highest = vf_broadcast(high);
    for (int64_t i = 0; i < count; i += VF_WIDTH) {
        size_t lanes = at_most_a_vector(count - i);
        vf value = load_some(gradient + i, lanes);
        if (output) {
            vf result = load_some(output + i, lanes);
            value = vf_select(vf_both(vf_greater(result, lowest), vf_greater(highest, result)), value, vf_zero());
        }
        if (argmax)
            value = vf_select(vf_equal_bytes(argmax + i, lanes, place), value, vf_zero());
        store_some(to + i, value, lanes);
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
    .sum_rows = sum_rows,
    .limit = limit,
    .transpose = transpose,
};
