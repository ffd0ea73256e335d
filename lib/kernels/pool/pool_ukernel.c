#include "kernels/pool/pool.h"
#include "simd/autovectorize.h"
#include "simd/bf16.h"

/* From `first` to below `end`. */
typedef struct span {
    int64_t first, end;
} span;

/* The part of window number `index` that lies in an image of `size`, in the image's coordinates. */
static span covered(int64_t index, int32_t kernel, int32_t stride, int32_t padding, int64_t size)
{
    int64_t first = index * stride - padding, end = first + kernel;
    return (span){ first > 0 ? first : 0, end < size ? end : size };
}

/* The windows, of `count`, that cover pixel `at`. */
static span covering(int64_t at, int32_t kernel, int32_t stride, int32_t padding, int64_t count)
{
    int64_t padded = at + padding;
    int64_t first = padded < kernel ? 0 : (padded - kernel) / stride + 1, end = padded / stride + 1;
    return (span){ first, end < count ? end : count };
}

static span rows_of(const cnn_pool_shape *shape, int64_t y)
{
    return covered(y, shape->kernel[0], shape->stride[0], shape->pad_top, shape->in_height);
}

static span columns_of(const cnn_pool_shape *shape, int64_t x)
{
    return covered(x, shape->kernel[1], shape->stride[1], shape->pad_left, shape->in_width);
}

/* The channels that a function takes of a pixel: `count` from `channel` on. A count of VF_WIDTH that is a constant
 * spares the inner loops a test. */
typedef struct channel_vector {
    const cnn_pool_shape *shape;
    bool bf16;
    int64_t channel, count;
} channel_vector;

ALWAYS_INLINE vf load_pixel(channel_vector v, const void *image, int64_t row, int64_t column)
{
    int64_t at = (row * v.shape->in_width + column) * v.shape->channels + v.channel;
    return vf_load_values(v.bf16, image, at, vf_lanes_left(v.count));
}

/* The maxima of up to VF_WIDTH channels of one window. */
ALWAYS_INLINE vf max_of(channel_vector v, const void *image, span rows, span columns)
{
    vf best = load_pixel(v, image, rows.first, columns.first);
    for (int64_t row = rows.first; row < rows.end; row++)
        for (int64_t column = columns.first; column < columns.end; column++)
            best = vf_max(load_pixel(v, image, row, column), best);
    return best;
}

typedef struct window_corner {
    int64_t top, left;
} window_corner;

/* The same with their places. `corner` is the window's, padding included. Places are counted in floats, which hold them
 * exactly. */
ALWAYS_INLINE vf argmax_of(channel_vector v, const void *image, span rows, span columns, window_corner corner,
                           uint16_t *argmax)
{
    const int32_t kernel_width = v.shape->kernel[1];
    vf best = load_pixel(v, image, rows.first, columns.first);
    vf places = vf_broadcast((float)((rows.first - corner.top) * kernel_width + columns.first - corner.left));
    for (int64_t row = rows.first; row < rows.end; row++) {
        for (int64_t column = columns.first; column < columns.end; column++) {
            vf value = load_pixel(v, image, row, column);
            vf_mask greater = vf_greater(value, best);
            best = vf_select(greater, value, best);
            float place = (float)((row - corner.top) * kernel_width + column - corner.left);
            places = vf_select(greater, vf_broadcast(place), places);
        }
    }
    float lanes[VF_WIDTH];
    uint16_t numbers[VF_WIDTH];
    vf_store(lanes, places);
    for (int i = 0; i < VF_WIDTH; i++)
        numbers[i] = (uint16_t)(int32_t)lanes[i];
    memcpy(argmax, numbers, vf_lanes_left(v.count) * sizeof *numbers);
    return best;
}

/* Results of the row's window `x` go to its place in `row` and `argmax`. */
ALWAYS_INLINE void max_window(channel_vector v, const void *image, int64_t y, int64_t x, void *row, uint16_t *argmax)
{
    const cnn_pool_shape *shape = v.shape;
    span rows = rows_of(shape, y), columns = columns_of(shape, x);
    window_corner corner = { y * shape->stride[0] - shape->pad_top, x * shape->stride[1] - shape->pad_left };
    int64_t to = x * shape->channels + v.channel;
    vf best = argmax ? argmax_of(v, image, rows, columns, corner, argmax + to) : max_of(v, image, rows, columns);
    vf_store_values(v.bf16, row, to, best, vf_lanes_left(v.count));
}

ALWAYS_INLINE void max_windows(const cnn_pool_shape *shape, bool bf16, const void *image, int64_t y, void *row,
                               uint16_t *argmax)
{
    int64_t channels = shape->channels;
    for (int64_t x = 0; x < shape->out_width; x++) {
        int64_t c = 0;
        for (; c + VF_WIDTH <= channels; c += VF_WIDTH)
            max_window((channel_vector){ shape, bf16, c, VF_WIDTH }, image, y, x, row, argmax);
        if (c < channels)
            max_window((channel_vector){ shape, bf16, c, channels - c }, image, y, x, row, argmax);
    }
}

static void max_row(const cnn_pool_shape *shape, const void *image, int64_t y, void *row, uint16_t *argmax)
{
    if (shape->type == CNN_BFLOAT16)
        max_windows(shape, true, image, y, row, argmax);
    else
        max_windows(shape, false, image, y, row, argmax);
}

ALWAYS_INLINE void avg_window(channel_vector v, const void *image, int64_t y, int64_t x, void *to)
{
    const cnn_pool_shape *shape = v.shape;
    span rows = rows_of(shape, y), columns = columns_of(shape, x);
    vf pixels = vf_broadcast((float)((rows.end - rows.first) * (columns.end - columns.first))), sum = vf_zero();
    for (int64_t row = rows.first; row < rows.end; row++)
        for (int64_t column = columns.first; column < columns.end; column++)
            sum = vf_add(sum, load_pixel(v, image, row, column));
    vf_store_values(v.bf16, to, x * shape->channels + v.channel, vf_div(sum, pixels), vf_lanes_left(v.count));
}

ALWAYS_INLINE void avg_windows(const cnn_pool_shape *shape, bool bf16, const void *image, int64_t y, void *row)
{
    int64_t channels = shape->channels;
    for (int64_t x = 0; x < shape->out_width; x++) {
        int64_t c = 0;
        for (; c + VF_WIDTH <= channels; c += VF_WIDTH)
            avg_window((channel_vector){ shape, bf16, c, VF_WIDTH }, image, y, x, row);
        if (c < channels)
            avg_window((channel_vector){ shape, bf16, c, channels - c }, image, y, x, row);
    }
}

static void avg_row(const cnn_pool_shape *shape, const void *image, int64_t y, void *row)
{
    if (shape->type == CNN_BFLOAT16)
        avg_windows(shape, true, image, y, row);
    else
        avg_windows(shape, false, image, y, row);
}

/* Channels whose sums are kept while all windows over a pixel are read. */
enum { CHANNELS = 64 };

ALWAYS_INLINE float value(bool bf16, const void *values, int64_t i)
{
    return bf16 ? cnn_bf16_widen(((const cnn_bf16 *)values)[i]) : ((const float *)values)[i];
}

ALWAYS_INLINE void store_sums(bool bf16, const float *sums, int64_t count, void *row, int64_t at)
{
    for (int64_t i = 0; i < count; i += VF_WIDTH)
        vf_store_values(bf16, row, at + i, vf_load(sums + i), vf_lanes_left(count - i));
}

/* Each pixel of the row takes the gradients of the windows whose maximum it is. */
ALWAYS_INLINE void max_backward_pixel(channel_vector v, const void *gradient, const uint16_t *argmax, int64_t y,
                                      int64_t x, void *row)
{
    const cnn_pool_shape *shape = v.shape;
    float sums[CHANNELS] = { 0 };
    span rows = covering(y, shape->kernel[0], shape->stride[0], shape->pad_top, shape->out_height);
    span columns = covering(x, shape->kernel[1], shape->stride[1], shape->pad_left, shape->out_width);
    for (int64_t window_y = rows.first; window_y < rows.end; window_y++) {
        int64_t down = y - (window_y * shape->stride[0] - shape->pad_top);
        for (int64_t window_x = columns.first; window_x < columns.end; window_x++) {
            int64_t across = x - (window_x * shape->stride[1] - shape->pad_left);
            int64_t at = (window_y * shape->out_width + window_x) * shape->channels + v.channel;
            uint16_t place = (uint16_t)(down * shape->kernel[1] + across);
            for (int64_t i = 0; i < v.count; i++)
                sums[i] += argmax[at + i] == place ? value(v.bf16, gradient, at + i) : 0.0f;
        }
    }
    store_sums(v.bf16, sums, v.count, row, x * shape->channels + v.channel);
}

ALWAYS_INLINE void max_backward_row(const cnn_pool_shape *shape, bool bf16, const void *gradient,
                                    const uint16_t *argmax, int64_t y, void *row)
{
    for (int64_t x = 0; x < shape->in_width; x++) {
        int64_t c = 0;
        for (; c + CHANNELS <= shape->channels; c += CHANNELS)
            max_backward_pixel((channel_vector){ shape, bf16, c, CHANNELS }, gradient, argmax, y, x, row);
        if (c < shape->channels)
            max_backward_pixel((channel_vector){ shape, bf16, c, shape->channels - c }, gradient, argmax, y, x, row);
    }
}

static void max_backward(const cnn_pool_shape *shape, const void *gradient, const uint16_t *argmax, int64_t y,
                         void *row)
{
    if (shape->type == CNN_BFLOAT16)
        max_backward_row(shape, true, gradient, argmax, y, row);
    else
        max_backward_row(shape, false, gradient, argmax, y, row);
}

ALWAYS_INLINE void avg_backward_pixel(channel_vector v, const void *gradient, int64_t y, int64_t x, void *row)
{
    const cnn_pool_shape *shape = v.shape;
    float sums[CHANNELS] = { 0 };
    span rows = covering(y, shape->kernel[0], shape->stride[0], shape->pad_top, shape->out_height);
    span columns = covering(x, shape->kernel[1], shape->stride[1], shape->pad_left, shape->out_width);
    for (int64_t window_y = rows.first; window_y < rows.end; window_y++) {
        span down = rows_of(shape, window_y);
        for (int64_t window_x = columns.first; window_x < columns.end; window_x++) {
            span across = columns_of(shape, window_x);
            float part = 1 / (float)((down.end - down.first) * (across.end - across.first));
            int64_t at = (window_y * shape->out_width + window_x) * shape->channels + v.channel;
            for (int64_t i = 0; i < v.count; i++)
                sums[i] += value(v.bf16, gradient, at + i) * part;
        }
    }
    store_sums(v.bf16, sums, v.count, row, x * shape->channels + v.channel);
}

ALWAYS_INLINE void avg_backward_row(const cnn_pool_shape *shape, bool bf16, const void *gradient, int64_t y, void *row)
{
    for (int64_t x = 0; x < shape->in_width; x++) {
        int64_t c = 0;
        for (; c + CHANNELS <= shape->channels; c += CHANNELS)
            avg_backward_pixel((channel_vector){ shape, bf16, c, CHANNELS }, gradient, y, x, row);
        if (c < shape->channels)
            avg_backward_pixel((channel_vector){ shape, bf16, c, shape->channels - c }, gradient, y, x, row);
    }
}

static void avg_backward(const cnn_pool_shape *shape, const void *gradient, int64_t y, void *row)
{
    if (shape->type == CNN_BFLOAT16)
        avg_backward_row(shape, true, gradient, y, row);
    else
        avg_backward_row(shape, false, gradient, y, row);
}

const cnn_pool_kernels CNN_FOR_ISA(cnn_pool_kernels) = {
    .max = max_row,
    .avg = avg_row,
    .max_backward = max_backward,
    .avg_backward = avg_backward,
};
