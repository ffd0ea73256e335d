/* Convolutions of bytes: direct_conv.c in int8. */
#include <math.h>
#include <string.h>

#include "core/parallel.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/int8/int8_plan.h"

typedef struct job {
    const cnn_conv_shape *shape;
    const cnn_int8_epilogue *epilogue;
    const cnn_int8_plan *plan;
    const uint8_t *input;
    const char *packed;
    uint8_t *bytes; /* the output: these or those */
    float *floats;
    float low, high; /* what results are limited to, before the zero is added */
    ptrdiff_t *a_rows, *c_rows, *a_offsets;
    uint8_t *scratch;
} job;

/* What one task does. */
typedef struct part {
    int64_t group, column, columns; /* of the result's channels, from the group's first */
    int64_t image, images, row, rows;
    uint8_t *strip; /* scratch */
} part;

static bool is_empty(const cnn_conv_shape *s, const cnn_int8_epilogue *epilogue)
{
    int unit = epilogue->pool ? 2 : 1;
    return s->batch <= 0 || s->out_height < unit || s->out_width < unit;
}

size_t cnn_int8_conv_workspace(cnn_context *context, const cnn_conv_shape *shape, const cnn_int8_epilogue *epilogue)
{
    if (is_empty(shape, epilogue))
        return 0;
    cnn_int8_plan plan = cnn_int8_plan_make(context, shape, epilogue->pool);
    return plan.tables_bytes + cnn_context_threads(context) * plan.worker_bytes;
}

/* Pixels in the order in which they are worked on: row by row, in each all images. */
static void fill_pixels(const job *j)
{
    const cnn_conv_shape *s = j->shape;
    const cnn_int8_plan *plan = j->plan;
    ptrdiff_t *a_row = j->a_rows, *c_row = j->c_rows;
    for (int64_t y = 0; y < plan->strip_rows; y++)
        for (int64_t image = 0; image < plan->strip_images; image++)
            for (int64_t x = 0; x < plan->width; x++) {
                *a_row++ = image * plan->image + y * s->stride[0] * plan->row + x * s->stride[1] * plan->pixel;
                *c_row++ = ((image * s->out_height + y) * s->out_width + x) * s->out_channels;
            }
}

/* The same with pooling: the four pixels of a window follow each other. */
static void fill_windows(const job *j)
{
    const cnn_conv_shape *s = j->shape;
    const cnn_int8_plan *plan = j->plan;
    ptrdiff_t *a_row = j->a_rows, *c_row = j->c_rows;
    for (int64_t y = 0; y < plan->strip_rows / 2; y++)
        for (int64_t image = 0; image < plan->strip_images; image++)
            for (int64_t x = 0; x < plan->width / 2; x++) {
                for (int i = 0; i < 4; i++)
                    *a_row++ = image * plan->image + (2 * y + i / 2) * s->stride[0] * plan->row +
                               (2 * x + i % 2) * s->stride[1] * plan->pixel;
                *c_row++ = ((image * (s->out_height / 2) + y) * (s->out_width / 2) + x) * s->out_channels;
            }
}

static void fill_tables(const job *j)
{
    const cnn_conv_shape *s = j->shape;
    const cnn_int8_layout *layout = &j->plan->layout;
    if (j->epilogue->pool)
        fill_windows(j);
    else
        fill_pixels(j);
    for (int64_t run = 0; run < layout->outer; run++) {
        ptrdiff_t *offsets = j->a_offsets + run * layout->inner;
        ptrdiff_t start = run / layout->row_runs * s->dilation[0] * j->plan->row +
                          run % layout->row_runs * s->dilation[1] * j->plan->pixel;
        for (int64_t i = 0; i < layout->inner; i++)
            offsets[i] = start + 4 * i;
    }
}

static part locate_part(const job *j, size_t task, uint32_t worker)
{
    const cnn_int8_plan *plan = j->plan;
    int64_t unit = (int64_t)task / plan->strips, strip = (int64_t)task % plan->strips;
    part p = { .group = unit / plan->panels, .column = unit % plan->panels * CNN_INT8_PANEL };
    p.columns = cnn_lesser(plan->layout.columns - p.column, CNN_INT8_PANEL);
    p.image = strip / plan->strips_per_image * plan->strip_images;
    p.images = cnn_lesser(j->shape->batch - p.image, plan->strip_images);
    p.row = strip % plan->strips_per_image * plan->strip_rows;
    p.rows = cnn_lesser(plan->height - p.row, plan->strip_rows);
    p.strip = j->scratch + worker * plan->worker_bytes;
    return p;
}

/* `pixels` of the input, or of the input's zero if `from` is NULL. */
static uint8_t *copy_pixels(const job *j, const uint8_t *from, int64_t channels, int64_t pixels, uint8_t *to)
{
    const cnn_int8_plan *plan = j->plan;
    uint8_t *end = to + pixels * plan->pixel;
    bool wide = plan->kernels->group == 2 && !plan->layout.depthwise;
    int64_t together = channels == j->shape->in_channels && channels == plan->channels ? pixels : 1;
    int64_t count = together * channels;
    if (!from && wide) {
        int16_t *words = (int16_t *)(void *)to;
        for (int64_t i = 0; i < pixels * channels; i++)
            words[i] = (int16_t)j->epilogue->input.zero;
    } else if (!from)
        memset(to, j->epilogue->input.zero, (size_t)(end - to));
    else
        for (int64_t i = 0; i < pixels; i += together, from += j->shape->in_channels, to += plan->pixel) {
            if (wide)
                plan->kernels->widen(from, count, (int16_t *)(void *)to);
            else
                memcpy(to, from, (size_t)count);
        }
    return end;
}

static int64_t limit(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* The last group of a row of taps may reach this far behind the last pixel; it meets weights of zero there. */
enum { BEHIND = 4 };

/* What a part needs of one image, with its padding. */
static void fill_strip(const job *j, const part *p, int64_t image, uint8_t *to)
{
    const cnn_conv_shape *s = j->shape;
    const cnn_int8_plan *plan = j->plan;
    int64_t columns = plan->source_columns, channels = plan->layout.depthwise ? p->columns : plan->channels;
    int64_t channel = plan->layout.depthwise ? p->column : p->group * channels;
    int64_t first = limit(s->pad_left, 0, columns), inside = limit(s->in_width, 0, columns - first);
    int64_t top = p->row * s->stride[0] - s->pad_top;
    int64_t rows = (p->rows - 1) * s->stride[0] + (int64_t)(s->kernel[0] - 1) * s->dilation[0] + 1;
    for (int64_t y = top; y < top + rows; y++) {
        if (y < 0 || y >= s->in_height) {
            to = copy_pixels(j, NULL, channels, columns, to);
            continue;
        }
        const uint8_t *from = j->input + (image * s->in_height + y) * s->in_width * s->in_channels + channel;
        to = copy_pixels(j, NULL, channels, first, to);
        to = copy_pixels(j, from, channels, inside, to);
        to = copy_pixels(j, NULL, channels, columns - first - inside, to);
    }
    memset(to, 0, BEHIND); /* which the next image overwrites */
}

/* The input pixel that the part's first result pixel's first tap meets. */
static const uint8_t *prepare_source(const job *j, const part *p)
{
    const cnn_int8_plan *plan = j->plan;
    if (plan->direct)
        return j->input + p->image * plan->image + p->row * j->shape->stride[0] * plan->row +
               (plan->layout.depthwise ? p->column : 0);
    for (int64_t i = 0; i < p->images; i++)
        fill_strip(j, p, p->image + i, p->strip + i * plan->image);
    return p->strip;
}

/* Rows of taps, first to last - 1, that don't meet padding alone. Zeros can be left out. */
typedef struct tap_rows {
    int64_t first, last;
} tap_rows;

static tap_rows tap_rows_of(const job *j, int64_t row)
{
    const cnn_conv_shape *s = j->shape;
    if (j->epilogue->pool || j->epilogue->input.zero)
        return (tap_rows){ 0, s->kernel[0] };
    int64_t top = row * s->stride[0] - s->pad_top, below = s->in_height - top;
    tap_rows taps = { top < 0 ? cnn_divide_up(-top, s->dilation[0]) : 0,
                      below > 0 ? cnn_divide_up(below, s->dilation[0]) : 0 };
    taps.last = cnn_lesser(taps.last, s->kernel[0]);
    taps.first = cnn_lesser(taps.first, taps.last);
    return taps;
}

/* One block of columns after the other. */
static void multiply_blocks(const job *j, const part *p, cnn_int8_product *product, int64_t first)
{
    const cnn_int8_layout *layout = &j->plan->layout;
    const cnn_int8_kernels *kernels = j->plan->kernels;
    int64_t terms = layout->outer * layout->inner, step = layout->depthwise ? p->columns : kernels->columns;
    const cnn_int8_result whole = product->result;
    for (int64_t column = 0; column < p->columns; column += step) {
        int64_t at = p->group * layout->padded + p->column + column;
        int64_t padded = cnn_lesser(kernels->columns, layout->padded - p->column - column);
        product->columns = (int32_t)cnn_lesser(step, p->columns - column);
        product->bias = (const int32_t *)(const void *)j->packed + at;
        product->result.scale = (const float *)(const void *)(j->packed + layout->scales) + at;
        product->result.bytes = whole.bytes ? whole.bytes + column : NULL;
        product->result.floats = whole.floats ? whole.floats + column : NULL;
        product->result.residual = whole.residual ? whole.residual + column : NULL;
        const uint8_t *weights = (const uint8_t *)j->packed + layout->weights;
        product->b = layout->depthwise ? weights + 4 * (at + first * layout->padded)
                                       : weights + 4 * (at * terms + first * padded);
        if (layout->depthwise)
            kernels->multiply_channels(product, layout->padded);
        else
            kernels->multiply(product);
    }
    product->result = whole;
}

/* Rows of a part that have the same taps. */
static void multiply_rows(const job *j, const part *p, cnn_int8_product *product, int64_t first, int64_t last,
                          tap_rows taps)
{
    const cnn_int8_plan *plan = j->plan;
    int64_t pixel = first * plan->strip_images * plan->width, row_terms = plan->layout.row_runs * plan->layout.inner;
    product->rows = (last - first) * p->images * plan->width;
    product->a_rows = j->a_rows + pixel;
    product->c_rows = j->c_rows + (j->epilogue->pool ? pixel / 4 : pixel);
    product->a_offsets = j->a_offsets + taps.first * row_terms;
    product->terms = (taps.last - taps.first) * row_terms;
    multiply_blocks(j, p, product, taps.first * row_terms);
}

static void multiply_part(const job *j, const part *p, cnn_int8_product *product)
{
    int64_t unit = j->epilogue->pool ? 2 : 1;
    bool whole = p->images == j->plan->strip_images;
    for (int64_t row = 0, next; row < p->rows; row = next) {
        tap_rows taps = tap_rows_of(j, p->row + row);
        for (next = row + unit; next < p->rows && whole; next += unit) { /* of fewer images rows lie apart in tables */
            tap_rows other = tap_rows_of(j, p->row + next);
            if (other.first != taps.first || other.last != taps.last)
                break;
        }
        multiply_rows(j, p, product, row, next, taps);
    }
}

static void run_part(void *argument, size_t task, uint32_t worker)
{
    const job *j = argument;
    const cnn_conv_shape *s = j->shape;
    const cnn_int8_epilogue *epilogue = j->epilogue;
    part p = locate_part(j, task, worker);
    int64_t unit = epilogue->pool ? 2 : 1, height = s->out_height / unit, width = s->out_width / unit;
    int64_t to =
        (p.image * height + p.row / unit) * width * s->out_channels + p.group * j->plan->layout.columns + p.column;
    cnn_int8_product product = { .pool = epilogue->pool,
                                 .a = prepare_source(j, &p),
                                 .result = { .low = j->low,
                                             .high = j->high,
                                             .zero = epilogue->output.zero,
                                             .residual = epilogue->residual ? epilogue->residual + to : NULL,
                                             .residual_zero = epilogue->residual_quantization.zero,
                                             .bytes = j->bytes ? j->bytes + to : NULL,
                                             .floats = j->floats ? j->floats + to : NULL } };
    if (epilogue->residual)
        product.result.residual_scale = epilogue->residual_quantization.scale / epilogue->output.scale;
    multiply_part(j, &p, &product);
}

/* An activation's limits of bytes. */
void cnn_int8_limits(cnn_activation activation, cnn_quantization output, int32_t *low, int32_t *high)
{
    *low = activation == CNN_ACTIVATION_NONE ? 0 : output.zero;
    *high = 255;
    if (activation == CNN_ACTIVATION_RELU6) {
        float six = 6 / output.scale + (float)output.zero;
        *high = six < 255 ? (int32_t)lrintf(six) : 255;
    }
}

void cnn_int8_conv(cnn_context *context, const cnn_conv_shape *shape, const uint8_t *input, const void *packed,
                   const cnn_int8_epilogue *epilogue, void *output, void *workspace)
{
    if (is_empty(shape, epilogue))
        return;
    cnn_int8_plan plan = cnn_int8_plan_make(context, shape, epilogue->pool);
    bool floats = epilogue->output.scale == 0;
    job j = { .shape = shape,
              .epilogue = epilogue,
              .plan = &plan,
              .input = input,
              .packed = packed,
              .bytes = floats ? NULL : output,
              .floats = floats ? output : NULL,
              .a_rows = workspace };
    if (!floats) {
        int32_t low, high;
        cnn_int8_limits(epilogue->activation, epilogue->output, &low, &high);
        j.low = (float)(low - epilogue->output.zero);
        j.high = (float)(high - epilogue->output.zero);
    }
    j.c_rows = j.a_rows + plan.strip_images * plan.strip_rows * plan.width;
    j.a_offsets = j.c_rows + plan.strip_images * plan.strip_rows * plan.width;
    j.scratch = (uint8_t *)workspace + plan.tables_bytes;
    fill_tables(&j);
    cnn_parallel(context, (size_t)(plan.strips * plan.panel_units), run_part, &j);
}
