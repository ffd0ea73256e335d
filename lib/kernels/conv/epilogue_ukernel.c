/* A vector of channels at a time. */
#include "kernels/conv/epilogue.h"
#include "simd/vector.h"

enum { FETCH_AHEAD = 1024 }; /* floats; gradients come from main memory, and the processor's own guess is too short */

typedef struct pooled {
    vf value, place;
} pooled;

/* The maximum of a window and its place; the first of equals. */
ALWAYS_INLINE pooled pool_window(const float *from, ptrdiff_t row_stride, ptrdiff_t pixel_stride, int32_t height,
                                 int32_t width, size_t lanes)
{
    pooled best = { vf_load_lanes(from, lanes), vf_zero() };
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = !y; x < width; x++) {
            vf value = vf_load_lanes(from + (y * row_stride + x) * pixel_stride, lanes);
            vf_mask better = vf_greater(value, best.value);
            best.value = vf_select(better, value, best.value);
            best.place = vf_select(better, vf_broadcast((float)(y * width + x)), best.place);
        }
    return best;
}

/* A vector of channels of one window. */
ALWAYS_INLINE void pool_vector(cnn_pooling p, int64_t pixel, int64_t channel, size_t lanes)
{
    const float *from = p.from + pixel * p.window[1] * p.pixel_stride + channel;
    ptrdiff_t to = pixel * p.to_stride + channel;
    pooled best = pool_window(from, p.row_stride, p.pixel_stride, p.window[0], p.window[1], lanes);
    vf_store_values(p.bf16, p.to, to, vf_clamp(vf_broadcast(p.clamp.min), vf_broadcast(p.clamp.max), best.value),
                    lanes);
    if (p.argmax)
        vf_store_bytes(p.argmax + to, best.place, lanes);
}

/* The last three are constants to callers that want speed. */
ALWAYS_INLINE void pool_windows(cnn_pooling p, bool bf16, int32_t height, int32_t width)
{
    p.bf16 = bf16;
    p.window[0] = height;
    p.window[1] = width;
    for (int64_t i = 0; i < p.pixels; i++) {
        int64_t c = 0;
        for (; c + VF_WIDTH <= p.channels; c += VF_WIDTH)
            pool_vector(p, i, c, VF_WIDTH);
        if (c < p.channels)
            pool_vector(p, i, c, (size_t)(p.channels - c));
    }
}

static void pool(const cnn_pooling *p)
{
    bool by_two = p->window[0] == 2 && p->window[1] == 2; /* nearly always; constants make it several times as fast */
    if (by_two && p->bf16)
        pool_windows(*p, true, 2, 2);
    else if (by_two)
        pool_windows(*p, false, 2, 2);
    else if (p->window[0] == 1 && p->window[1] == 1 && p->bf16)
        pool_windows(*p, true, 1, 1);
    else
        pool_windows(*p, p->bf16, p->window[0], p->window[1]);
}

ALWAYS_INLINE void fetch_ahead(const void *values, ptrdiff_t at, bool bf16)
{
    __builtin_prefetch((const char *)values + (at + FETCH_AHEAD) * (bf16 ? 2 : 4));
}

/* The gradient where min < output < max, elsewhere 0. */
typedef struct gradient_mask {
    const void *gradient, *output;
    vf min, max;
} gradient_mask;

ALWAYS_INLINE vf mask_vector(gradient_mask m, bool bf16, ptrdiff_t at, size_t lanes)
{
    fetch_ahead(m.gradient, at, bf16);
    vf value = vf_load_values(bf16, m.gradient, at, lanes);
    if (!m.output)
        return value;
    fetch_ahead(m.output, at, bf16);
    vf result = vf_load_values(bf16, m.output, at, lanes);
    return vf_select(vf_both(vf_greater(result, m.min), vf_greater(m.max, result)), value, vf_zero());
}

ALWAYS_INLINE bool reads_bf16(cnn_gradient_types types)
{
    return types != CNN_GRADIENT_FLOATS;
}

ALWAYS_INLINE bool writes_bf16(cnn_gradient_types types)
{
    return types == CNN_GRADIENT_BF16;
}

ALWAYS_INLINE void mask_gradient(cnn_gradient_types types, const void *gradient, const void *output, cnn_clamp clamp,
                                 int64_t count, void *to)
{
    const gradient_mask m = { gradient, output, vf_broadcast(clamp.min), vf_broadcast(clamp.max) };
    int64_t i = 0;
    for (; i + VF_WIDTH <= count; i += VF_WIDTH)
        vf_store_values(writes_bf16(types), to, i, mask_vector(m, reads_bf16(types), i, VF_WIDTH), VF_WIDTH);
    if (i < count)
        vf_store_values(writes_bf16(types), to, i, mask_vector(m, reads_bf16(types), i, (size_t)(count - i)),
                        (size_t)(count - i));
}

/* Pixels first to last - 1 of a window. */
typedef struct window_part {
    int32_t first, last;
} window_part;

/* A vector of channels; `to` counts from row.to. */
ALWAYS_INLINE void unpool_vector(cnn_gradient_types types, cnn_unpooling row, ptrdiff_t from, window_part part,
                                 ptrdiff_t to, size_t lanes)
{
    __builtin_prefetch(row.argmax + from + FETCH_AHEAD);
    const gradient_mask m = { row.gradient, row.output, vf_broadcast(row.clamp.min), vf_broadcast(row.clamp.max) };
    vf value = mask_vector(m, reads_bf16(types), from, lanes);
    for (int32_t i = part.first; i < part.last; i++, to += row.to_stride)
        vf_store_values(writes_bf16(types), row.to, to,
                        vf_select(vf_equal_bytes(row.argmax + from, lanes, (uint8_t)(row.place + i)), value, vf_zero()),
                        lanes);
}

ALWAYS_INLINE void unpool_window(cnn_gradient_types types, cnn_unpooling row, int64_t window, window_part part,
                                 ptrdiff_t to)
{
    ptrdiff_t from = window * row.stride;
    int64_t c = 0;
    for (; c + VF_WIDTH <= row.channels; c += VF_WIDTH)
        unpool_vector(types, row, from + c, part, to + c, VF_WIDTH);
    if (c < row.channels)
        unpool_vector(types, row, from + c, part, to + c, (size_t)(row.channels - c));
}

/* `row` is passed by value so that stores of floats can't seem to change it. */
ALWAYS_INLINE void unpool_windows(cnn_gradient_types types, cnn_unpooling row, int32_t size)
{
    ptrdiff_t to = 0;
    for (int64_t x = row.first; x < row.last;) {
        int32_t within = (int32_t)(x % size),
                last = row.last - x + within < size ? (int32_t)(row.last - x) + within : size;
        if (within == 0 && last == size)
            unpool_window(types, row, x / size, (window_part){ 0, size }, to);
        else
            unpool_window(types, row, x / size, (window_part){ within, last }, to);
        to += (last - within) * row.to_stride;
        x += last - within;
    }
}

ALWAYS_INLINE void unpool_gradient(cnn_gradient_types types, const cnn_unpooling *row)
{
    if (row->window == 2)
        unpool_windows(types, *row, 2);
    else
        unpool_windows(types, *row, row->window);
}

#define GRADIENTS(name, types)                                                                                  \
    static void mask_##name(const void *gradient, const void *output, cnn_clamp clamp, int64_t count, void *to) \
    {                                                                                                           \
        mask_gradient(types, gradient, output, clamp, count, to);                                               \
    }                                                                                                           \
    static void unpool_##name(const cnn_unpooling *row)                                                         \
    {                                                                                                           \
        unpool_gradient(types, row);                                                                            \
    }

GRADIENTS(floats, CNN_GRADIENT_FLOATS)
GRADIENTS(bf16, CNN_GRADIENT_BF16)
GRADIENTS(widened, CNN_GRADIENT_BF16_TO_FLOATS)

const cnn_epilogue_kernels CNN_FOR_ISA(cnn_epilogue_kernels) = {
    .pool = pool,
    .mask_gradient = { [CNN_GRADIENT_FLOATS] = mask_floats,
                       [CNN_GRADIENT_BF16] = mask_bf16,
                       [CNN_GRADIENT_BF16_TO_FLOATS] = mask_widened },
    .unpool_gradient = { [CNN_GRADIENT_FLOATS] = unpool_floats,
                         [CNN_GRADIENT_BF16] = unpool_bf16,
                         [CNN_GRADIENT_BF16_TO_FLOATS] = unpool_widened },
};
