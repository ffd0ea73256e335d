#include "kernels/loops.h"
#include "kernels/pooling.h"

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

static inline vf load(const float *from, int64_t count)
{
    return count >= VF_WIDTH ? vf_load(from) : vf_load_partial(from, (size_t)count);
}

static inline void store(float *to, vf a, int64_t count)
{
    if (count >= VF_WIDTH)
        vf_store(to, a);
    else
        vf_store_partial(to, a, (size_t)count);
}

/* The maxima of up to VF_WIDTH channels of one window. */
static inline vf max_of(const cnn_pool_shape *shape, const float *image, span rows, span columns, int64_t count)
{
    vf best = load(image + (rows.first * shape->in_width + columns.first) * shape->channels, count);
    for (int64_t row = rows.first; row < rows.end; row++)
        for (int64_t column = columns.first; column < columns.end; column++)
            best = vf_max(load(image + (row * shape->in_width + column) * shape->channels, count), best);
    return best;
}

/* The same with their places. `top` and `left` are the window's, padding included. Places are counted in floats, which
 * hold them exactly. */
static inline vf argmax_of(const cnn_pool_shape *shape, const float *image, span rows, span columns, int64_t top,
                           int64_t left, int64_t count, uint16_t *argmax)
{
    vf best = load(image + (rows.first * shape->in_width + columns.first) * shape->channels, count);
    vf places = vf_broadcast((float)((rows.first - top) * shape->kernel[1] + columns.first - left));
    for (int64_t row = rows.first; row < rows.end; row++) {
        for (int64_t column = columns.first; column < columns.end; column++) {
            vf value = load(image + (row * shape->in_width + column) * shape->channels, count);
            vf_mask greater = vf_greater(value, best);
            best = vf_select(greater, value, best);
            places = vf_select(greater, vf_broadcast((float)((row - top) * shape->kernel[1] + column - left)), places);
        }
    }
    float lanes[VF_WIDTH];
    uint16_t numbers[VF_WIDTH];
    vf_store(lanes, places);
    for (int i = 0; i < VF_WIDTH; i++)
        numbers[i] = (uint16_t)(int32_t)lanes[i];
    memcpy(argmax, numbers, (size_t)(count < VF_WIDTH ? count : VF_WIDTH) * sizeof *numbers);
    return best;
}

/* `count` is VF_WIDTH or, at the end of the channels, less: called with the constant, the inner loops lose the test. */
static inline void max_window(const cnn_pool_shape *shape, const float *image, int64_t y, int64_t x, int64_t count,
                              float *to, uint16_t *argmax)
{
    span rows = rows_of(shape, y), columns = columns_of(shape, x);
    int64_t top = y * shape->stride[0] - shape->pad_top, left = x * shape->stride[1] - shape->pad_left;
    vf best = argmax ? argmax_of(shape, image, rows, columns, top, left, count, argmax)
                     : max_of(shape, image, rows, columns, count);
    store(to, best, count);
}

static void max_row(const cnn_pool_shape *shape, const float *image, int64_t y, float *row, uint16_t *argmax)
{
    int64_t channels = shape->channels;
    for (int64_t x = 0; x < shape->out_width; x++) {
        int64_t c = 0, at = x * channels;
        for (; c + VF_WIDTH <= channels; c += VF_WIDTH)
            max_window(shape, image + c, y, x, VF_WIDTH, row + at + c, argmax ? argmax + at + c : NULL);
        if (c < channels)
            max_window(shape, image + c, y, x, channels - c, row + at + c, argmax ? argmax + at + c : NULL);
    }
}

static inline void avg_window(const cnn_pool_shape *shape, const float *image, int64_t y, int64_t x, int64_t count,
                              float *to)
{
    span rows = rows_of(shape, y), columns = columns_of(shape, x);
    vf pixels = vf_broadcast((float)((rows.end - rows.first) * (columns.end - columns.first))), sum = vf_zero();
    for (int64_t row = rows.first; row < rows.end; row++)
        for (int64_t column = columns.first; column < columns.end; column++)
            sum = vf_add(sum, load(image + (row * shape->in_width + column) * shape->channels, count));
    store(to, vf_div(sum, pixels), count);
}

static void avg_row(const cnn_pool_shape *shape, const float *image, int64_t y, float *row)
{
    int64_t channels = shape->channels;
    for (int64_t x = 0; x < shape->out_width; x++) {
        int64_t c = 0, at = x * channels;
        for (; c + VF_WIDTH <= channels; c += VF_WIDTH)
            avg_window(shape, image + c, y, x, VF_WIDTH, row + at + c);
        if (c < channels)
            avg_window(shape, image + c, y, x, channels - c, row + at + c);
    }
}

/* Each pixel of the row takes the gradients of the windows whose maximum it is. */
static void max_backward(const cnn_pool_shape *shape, const float *gradient, const uint16_t *argmax, int64_t y,
                         float *row)
{
    size_t channels = (size_t)shape->channels;
    span windows = covering(y, shape->kernel[0], shape->stride[0], shape->pad_top, shape->out_height);
    memset(row, 0, (size_t)shape->in_width * channels * sizeof *row);
    for (int64_t v = windows.first; v < windows.end; v++) {
        int64_t down = y - (v * shape->stride[0] - shape->pad_top);
        for (int64_t u = 0; u < shape->out_width; u++) {
            span columns = columns_of(shape, u);
            int64_t left = u * shape->stride[1] - shape->pad_left;
            size_t at = (size_t)(v * shape->out_width + u) * channels;
            const float *restrict from = gradient + at;
            const uint16_t *restrict chosen = argmax + at;
            for (int64_t x = columns.first; x < columns.end; x++) {
                float *restrict to = row + (size_t)x * channels;
                uint16_t place = (uint16_t)(down * shape->kernel[1] + x - left);
                for (size_t c = 0; c < channels; c++)
                    to[c] += chosen[c] == place ? from[c] : 0.0f;
            }
        }
    }
}

static void avg_backward(const cnn_pool_shape *shape, const float *gradient, int64_t y, float *row)
{
    size_t channels = (size_t)shape->channels;
    span windows = covering(y, shape->kernel[0], shape->stride[0], shape->pad_top, shape->out_height);
    memset(row, 0, (size_t)shape->in_width * channels * sizeof *row);
    for (int64_t v = windows.first; v < windows.end; v++) {
        span rows = rows_of(shape, v);
        for (int64_t u = 0; u < shape->out_width; u++) {
            span columns = columns_of(shape, u);
            float share = 1 / (float)((rows.end - rows.first) * (columns.end - columns.first));
            const float *restrict from = gradient + (size_t)(v * shape->out_width + u) * channels;
            for (int64_t x = columns.first; x < columns.end; x++) {
                float *restrict to = row + (size_t)x * channels;
                for (size_t c = 0; c < channels; c++)
                    to[c] += from[c] * share;
            }
        }
    }
}

const cnn_pool_kernels CNN_FOR_ISA(cnn_pool_kernels) = {
    .max = max_row,
    .avg = avg_row,
    .max_backward = max_backward,
    .avg_backward = avg_backward,
};
