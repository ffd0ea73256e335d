/* Resizing with a triangle filter as wide as an output pixel, at least two source pixels; as Pillow's bilinear. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/memory.h"
#include "image/vector.h"
#include "image/warp.h"

static const float grey = 127.5f;

/* Which source pixels make up each output pixel along one axis. */
typedef struct axis {
    uint32_t size;  /* of the output */
    size_t taps;    /* weights reserved for each output pixel */
    int64_t *first; /* source pixel; −1: the output pixel lies outside and is grey */
    int64_t *count;
    float *weights;
    int64_t low, high; /* the source pixels used: low to below high */
} axis;

static void axis_release(cnn_context *context, axis *self)
{
    cnn_release(context, self->first);
    cnn_release(context, self->count);
    cnn_release(context, self->weights);
}

/* The weights of the source pixels around `centre`, which sum to 1. */
static void set_weights(axis *self, uint32_t index, double centre, double radius, int64_t source_size)
{
    double low = floor(centre - radius + 0.5), high = floor(centre + radius + 0.5);
    int64_t first = low < 0 ? 0 : (int64_t)low;
    int64_t end = high > (double)source_size ? source_size : (int64_t)high;
    double sum = 0;
    for (int64_t i = first; i < end; i++)
        sum += fmax(0, radius - fabs((double)i + 0.5 - centre));
    float *weights = self->weights + index * self->taps;
    for (int64_t i = first; i < end; i++)
        weights[i - first] = (float)(fmax(0, radius - fabs((double)i + 0.5 - centre)) / sum);
    self->first[index] = first;
    self->count[index] = end - first;
    self->low = first < self->low ? first : self->low;
    self->high = end > self->high ? end : self->high;
}

/* A position to a multiple of 2^-24, so that an image and its mirror get the same weights. */
static double snapped(double position)
{
    return rint(position * 0x1p24) * 0x1p-24;
}

static void fill_axis(axis *self, int64_t source_size, double step, double offset, cnn_border border)
{
    double radius = fmax(1, fabs(step));
    self->low = source_size;
    for (uint32_t i = 0; i < self->size; i++) {
        double centre = snapped((i + 0.5) * step + offset);
        double inside = fmin(fmax(centre, 0), (double)source_size);
        if (border == CNN_BORDER_GREY && centre != inside)
            self->first[i] = -1;
        else
            set_weights(self, i, inside, radius, source_size);
    }
}

static cnn_status axis_create(cnn_context *context, axis *self, uint32_t size, int64_t source_size, double step,
                              double offset, cnn_border border)
{
    double widest = 2 * ceil(fmax(1, fabs(step))) + 1;
    self->size = size;
    self->taps = widest < (double)source_size ? (size_t)widest : (size_t)source_size;
    size_t count;
    if (!cnn_multiply(size, self->taps, &count))
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "resizing %lld pixels to %u needs too much memory",
                        (long long)source_size, size);
    self->first = cnn_allocate_zeroed(context, size, sizeof *self->first);
    self->count = cnn_allocate_zeroed(context, size, sizeof *self->count);
    self->weights = cnn_allocate_zeroed(context, count, sizeof *self->weights);
    if (!self->first || !self->count || !self->weights)
        return CNN_ERROR_OUT_OF_MEMORY;
    fill_axis(self, source_size, step, offset, border);
    return CNN_OK;
}

/* Rows are summed two at a time, which spares half of the loads and stores of the sum. */
static void sum_rows(float *restrict sum, const uint8_t *source, size_t stride, size_t length, const float *weights,
                     int64_t count)
{
    for (int64_t i = 0; i < count; i += 2) {
        const uint8_t *upper = source + (size_t)i * stride;
        const uint8_t *lower = i + 1 < count ? upper + stride : upper;
        float a = weights[i], b = i + 1 < count ? weights[i + 1] : 0;
        if (i == 0)
            for (size_t x = 0; x < length; x++)
                sum[x] = a * upper[x] + b * lower[x];
        else
            for (size_t x = 0; x < length; x++)
                sum[x] += a * upper[x] + b * lower[x];
    }
}

/* One row of pixels, four floats each (the last is no colour), from a row of sums that begins at pixel `low`. */
static void sum_columns(cnn_float4 *target, const float *sums, const axis *columns)
{
    const float *weights = columns->weights;
    for (uint32_t x = 0; x < columns->size; x++, weights += columns->taps) {
        if (columns->first[x] < 0) {
            target[x] = (cnn_float4){ grey, grey, grey, grey };
            continue;
        }
        const float *source = sums + 3 * (columns->first[x] - columns->low);
        cnn_float4 sum = cnn_load_floats(source) * weights[0];
        for (int64_t i = 1; i < columns->count[x]; i++)
            sum += cnn_load_floats(source + 3 * i) * weights[i];
        target[x] = sum;
    }
}

static void fill_grey(cnn_float4 *target, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++)
        target[x] = (cnn_float4){ grey, grey, grey, grey };
}

static void put_floats(const cnn_warp_target *target, uint32_t y, const cnn_float4 *row)
{
    const float *m = target->mean, *s = target->scale;
    cnn_float4 mean = { m[0], m[1], m[2], 0 }, scale = { s[0], s[1], s[2], 0 };
    float *output = target->floats + (size_t)y * target->width * 3;
    for (uint32_t x = 0; x + 1 < target->width; x++) /* the fourth value is overwritten by the next pixel */
        cnn_store_floats(output + 3 * (size_t)x, (row[x] - mean) * scale);
    cnn_float4 last = (row[target->width - 1] - mean) * scale;
    memcpy(output + 3 * ((size_t)target->width - 1), &last, 3 * sizeof(float));
}

static void put_bytes(const cnn_warp_target *target, uint32_t y, const cnn_float4 *row)
{
    uint8_t *output = target->bytes + (size_t)y * target->width * 3;
    for (size_t x = 0; x < target->width; x++)
        for (size_t channel = 0; channel < 3; channel++)
            output[3 * x + channel] = (uint8_t)fminf(row[x][channel] + 0.5f, 255);
}

static void resample_rows(const cnn_photo *photo, const axis *columns, const axis *rows, const cnn_warp_target *target,
                          float *sums, cnn_float4 *pixels)
{
    size_t stride = 3 * (size_t)photo->width;
    size_t length = columns->high > columns->low ? 3 * (size_t)(columns->high - columns->low) : 0;
    for (uint32_t y = 0; y < target->height; y++) {
        if (rows->first[y] < 0) {
            fill_grey(pixels, target->width);
        } else {
            sum_rows(sums, photo->bytes + (size_t)rows->first[y] * stride + 3 * (size_t)columns->low, stride, length,
                     rows->weights + y * rows->taps, rows->count[y]);
            sum_columns(pixels, sums, columns);
        }
        if (target->floats)
            put_floats(target, y, pixels);
        else
            put_bytes(target, y, pixels);
    }
}

cnn_status cnn_resample(cnn_context *context, const cnn_photo *photo, const cnn_affine *affine, cnn_border border,
                        const cnn_warp_target *target)
{
    axis columns = { 0 }, rows = { 0 };
    float *sums = NULL;
    cnn_float4 *pixels = NULL;
    cnn_status status = axis_create(context, &columns, target->width, photo->width, affine->xx, affine->x0, border);
    if (!status)
        status = axis_create(context, &rows, target->height, photo->height, affine->yy, affine->y0, border);
    if (!status) {
        sums = cnn_allocate_zeroed(context, 3 * (size_t)photo->width + 1, sizeof *sums); /* one more is loaded */
        pixels = cnn_allocate_zeroed(context, target->width, sizeof *pixels);
        if (sums && pixels)
            resample_rows(photo, &columns, &rows, target, sums, pixels);
        else
            status = CNN_ERROR_OUT_OF_MEMORY;
    }
    cnn_release(context, sums);
    cnn_release(context, pixels);
    axis_release(context, &columns);
    axis_release(context, &rows);
    return status;
}
