/* Resizing with a triangle filter as wide as two output pixels, at least two source pixels; as Pillow's bilinear. */
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/memory.h"
#include "image/average.h"
#include "image/filter.h"
#include "image/warp.h"

static const float grey = 127.5f;

/* Which source pixels make up each output pixel along one axis. */
typedef struct axis {
    uint32_t size;       /* of the output */
    uint32_t begin, end; /* the output pixels that aren't grey */
    size_t taps;         /* weights of each output pixel, an even number; the last ones may be 0 */
    int64_t *first;      /* source pixel */
    int64_t *count;
    int16_t *weights;
    int64_t low, high; /* the source pixels used: low to below high */
} axis;

static void axis_release(cnn_context *context, axis *self)
{
    cnn_release(context, self->first);
    cnn_release(context, self->count);
    cnn_release(context, self->weights);
}

/* `position` is in units of the radius. */
static double triangle(double position)
{
    return fabs(position) < 1 ? 1 - fabs(position) : 0;
}

/* Each weight is what the rounded sum grows by, so that they add up to 1 exactly, however many there are. */
static void round_weights(int16_t *weights, int64_t first, int64_t end, double centre, double radius)
{
    double sum = 0, total = 0;
    for (int64_t i = first; i < end; i++)
        total += triangle(((double)i + 0.5 - centre) / radius);
    double scale = (1 << CNN_WEIGHT_BITS) / total;
    int before = 0;
    for (int64_t i = first; i < end; i++) {
        sum += triangle(((double)i + 0.5 - centre) / radius);
        int after = (int)(sum * scale + 0.5);
        weights[i - first] = (int16_t)(after - before);
        before = after;
    }
}

/* The source pixels that the triangle around `centre` touches. */
static void set_window(axis *self, uint32_t index, double centre, double radius, int64_t source_size)
{
    double low = floor(centre - radius + 0.5), high = floor(centre + radius + 0.5);
    int64_t first = low < 0 ? 0 : (int64_t)low;
    int64_t end = high > (double)source_size ? source_size : (int64_t)high;
    assert(first >= 0 && first < end && end <= source_size);
    self->first[index] = first;
    self->count[index] = end - first;
    self->low = first < self->low ? first : self->low;
    self->high = end > self->high ? end : self->high;
    if ((size_t)(end - first) > self->taps)
        self->taps = cnn_round_up((size_t)(end - first), 2);
}

/* Where an output pixel's centre lies: to a multiple of 2^-24, so that an image and its mirror get the same weights. */
static double centre_of(uint32_t index, double step, double offset)
{
    return rint(((index + 0.5) * step + offset) * 0x1p24) * 0x1p-24;
}

static double clamped(double centre, int64_t source_size)
{
    return fmin(fmax(centre, 0), (double)source_size);
}

/* Output pixel i is at (i + 0.5) × step + offset of an axis of the source. */
typedef struct placement {
    uint32_t size; /* of the output */
    int64_t source_size;
    double step, offset;
    cnn_border border;
} placement;

static double radius_of(const placement *at)
{
    return fmax(1, fabs(at->step));
}

static void set_windows(axis *self, const placement *at)
{
    double radius = radius_of(at);
    self->low = at->source_size;
    self->begin = self->size;
    self->taps = 2;
    for (uint32_t i = 0; i < self->size; i++) {
        double centre = centre_of(i, at->step, at->offset), inside = clamped(centre, at->source_size);
        if (at->border == CNN_BORDER_GREY && centre != inside)
            continue;
        set_window(self, i, inside, radius, at->source_size);
        self->begin = i < self->begin ? i : self->begin;
        self->end = i + 1;
    }
}

static cnn_status axis_create(cnn_context *context, const placement *at, axis *self)
{
    self->size = at->size;
    self->first = cnn_allocate_zeroed(context, at->size, sizeof *self->first);
    self->count = cnn_allocate_zeroed(context, at->size, sizeof *self->count);
    if (!self->first || !self->count)
        return CNN_ERROR_OUT_OF_MEMORY;
    set_windows(self, at);
    size_t weights;
    if (!cnn_multiply(at->size, self->taps, &weights))
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "resizing %lld pixels to %u needs too much memory",
                        (long long)at->source_size, at->size);
    self->weights = cnn_allocate_zeroed(context, weights, sizeof *self->weights);
    if (!self->weights)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (uint32_t i = self->begin; i < self->end; i++)
        round_weights(self->weights + i * self->taps, self->first[i], self->first[i] + self->count[i],
                      clamped(centre_of(i, at->step, at->offset), at->source_size), radius_of(at));
    return CNN_OK;
}

/* Sums are normalised as (sum − mean) × scale. */
typedef struct normalisation {
    cnn_float4 mean, scale;
} normalisation;

/* The pixels of a row that aren't grey; a fourth value is stored behind each. `pairs` is a constant where that pays. */
static inline void sum_columns(float *row, const int16_t *sums, const axis *columns, size_t pairs, normalisation norm)
{
    const uint32_t begin = columns->begin, end = columns->end;
    const int16_t *weights = columns->weights + begin * columns->taps;
    for (uint32_t x = begin; x < end; x++, weights += 2 * pairs) {
        cnn_float4 sum = cnn_sum_pixels(sums + 3 * (columns->first[x] - columns->low), weights, pairs);
        cnn_store_floats(row + 3 * (size_t)x, (sum - norm.mean) * norm.scale);
    }
}

static void sum_row(float *row, const int16_t *sums, const axis *columns, normalisation norm)
{
    switch (columns->taps) {
    case 2: sum_columns(row, sums, columns, 1, norm); break;
    case 4: sum_columns(row, sums, columns, 2, norm); break;
    default: sum_columns(row, sums, columns, columns->taps / 2, norm); break;
    }
}

static void fill_grey(float *row, uint32_t begin, uint32_t end, const cnn_warp_target *target)
{
    for (uint32_t x = begin; x < end; x++)
        for (int channel = 0; channel < 3; channel++)
            row[3 * (size_t)x + channel] = (grey - target->mean[channel]) * target->scale[channel];
}

/* `row` has room for one value more. */
typedef struct resampling {
    const cnn_photo *photo;
    const axis *columns, *rows;
    const cnn_warp_target *target;
    int16_t *sums; /* of a row */
    float *spare;  /* a row, and one number more */
} resampling;

static void resample_row(const resampling *self, uint32_t y, float *row)
{
    const cnn_photo *photo = self->photo;
    const axis *columns = self->columns, *rows = self->rows;
    const cnn_warp_target *target = self->target;
    if (y < rows->begin || y >= rows->end || columns->begin >= columns->end) {
        fill_grey(row, 0, target->width, target);
        return;
    }
    normalisation norm = { { 0 }, { 0 } };
    for (int channel = 0; channel < 3; channel++) {
        norm.mean[channel] = target->mean[channel] * (1 << CNN_SUM_BITS);
        norm.scale[channel] = target->scale[channel] / (1 << CNN_SUM_BITS);
    }
    size_t stride = 3 * (size_t)photo->width, length = 3 * (size_t)(columns->high - columns->low);
    const uint8_t *source = photo->bytes + (size_t)rows->first[y] * stride + 3 * (size_t)columns->low;
    cnn_sum_rows(self->sums, source, stride, length, rows->weights + y * rows->taps, (size_t)rows->count[y]);
    sum_row(row, self->sums, columns, norm);
    fill_grey(row, 0, columns->begin, target);
    fill_grey(row, columns->end, target->width, target);
}

static void put_bytes(uint8_t *output, const float *row, size_t count)
{
    for (size_t i = 0; i < count; i++)
        output[i] = (uint8_t)(row[i] + 0.5f);
}

/* The last row of floats goes through `spare`, as it has no room behind it. */
static void resample_rows(const resampling *self)
{
    const cnn_warp_target *target = self->target;
    size_t length = 3 * (size_t)target->width;
    for (uint32_t y = 0; y < target->height; y++) {
        bool in_place = target->floats && y + 1 < target->height;
        float *row = in_place ? target->floats + y * length : self->spare;
        resample_row(self, y, row);
        if (target->bytes)
            put_bytes(target->bytes + y * length, row, length);
        if (target->floats && !in_place)
            memcpy(target->floats + y * length, row, length * sizeof *row);
    }
}

static cnn_status resample_pixels(cnn_context *context, const cnn_photo *photo, const cnn_affine *affine,
                                  cnn_border border, const cnn_warp_target *target)
{
    axis columns = { 0 }, rows = { 0 };
    int16_t *sums = NULL;
    float *spare = NULL;
    const placement across = { target->width, photo->width, affine->xx, affine->x0, border };
    const placement down = { target->height, photo->height, affine->yy, affine->y0, border };
    cnn_status status = axis_create(context, &across, &columns);
    if (!status)
        status = axis_create(context, &down, &rows);
    if (!status) {
        size_t padded = (size_t)photo->width + columns.taps + 1; /* weights of 0 reach beyond the last pixel */
        sums = cnn_allocate_zeroed(context, 3 * padded, sizeof *sums);
        spare = cnn_allocate_zeroed(context, 3 * (size_t)target->width + 1, sizeof *spare);
        if (sums && spare)
            resample_rows(&(const resampling){ photo, &columns, &rows, target, sums, spare });
        else
            status = CNN_ERROR_OUT_OF_MEMORY;
    }
    cnn_release(context, sums);
    cnn_release(context, spare);
    axis_release(context, &columns);
    axis_release(context, &rows);
    return status;
}

/* Pixels to average before the filter looks at them, which would have thousands of weights for each output pixel: 16
 * blocks at the least remain of what one covers. */
static int64_t block_size(double step, int64_t limit)
{
    enum { KEPT = 16 };
    double block = floor(fabs(step) / KEPT);
    return block < 2 ? 1 : block < (double)limit ? (int64_t)block : limit;
}

cnn_status cnn_resample(cnn_context *context, const cnn_photo *photo, const cnn_affine *affine, cnn_border border,
                        const cnn_warp_target *target)
{
    int64_t width = block_size(affine->xx, photo->width), height = block_size(affine->yy, photo->height);
    if (width == 1 && height == 1)
        return resample_pixels(context, photo, affine, border, target);
    cnn_photo smaller;
    uint8_t *bytes;
    cnn_status status = cnn_average_blocks(context, photo, width, height, &smaller, &bytes);
    if (status)
        return status;
    double x = 1.0 / (double)width, y = 1.0 / (double)height;
    cnn_affine map = { .xx = affine->xx * x, .x0 = affine->x0 * x, .yy = affine->yy * y, .y0 = affine->y0 * y };
    status = resample_pixels(context, &smaller, &map, border, target);
    cnn_release(context, bytes);
    return status;
}
