/* Convolutions of bytes: direct_conv.c in int8. */
#include <math.h>
#include <string.h>

#include "core/parallel.h"
#include "kernels/int8/int8_depthwise.h"
#include "kernels/int8/int8_winograd.h"
#include "kernels/tasks.h"

typedef struct job {
    const cnn_conv_shape *shape;
    const cnn_int8_epilogue *epilogue;
    const cnn_int8_plan *plan;
    const uint8_t *input;
    const char *packed;
    cnn_int8_result result; /* from the first channel of the first pixel on */
    cnn_indirection indirection;
    uint8_t *scratch;
} job;

/* What one task does. */
typedef struct part {
    int64_t group, column, columns; /* of the result's channels, from the group's first */
    int64_t image, images, row, rows;
    uint8_t *padded;  /* scratch */
    int16_t *widened; /* scratch: a block's weights */
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
    if (cnn_int8_conv_is_depthwise(shape))
        return cnn_int8_depthwise_workspace(context, shape);
    if (cnn_int8_winograd_fits(cnn_kernels_get(context)->int8_gemm, shape))
        return cnn_int8_winograd_workspace(context, shape, epilogue->pool);
    cnn_int8_plan plan = cnn_int8_plan_make(context, shape, epilogue->pool);
    return plan.tables_bytes + cnn_context_threads(context) * plan.worker_bytes;
}

/* With pooling, the four pixels of a window follow each other. */
static void fill_windows(const job *j)
{
    const cnn_conv_problem *s = &j->plan->problem;
    const cnn_int8_plan *plan = j->plan;
    ptrdiff_t *row = j->indirection.rows;
    for (int64_t y = 0; y < plan->tile_rows; y += 2)
        for (int64_t image = 0; image < plan->tile_images; image++)
            for (int64_t x = 0; x < s->width; x += 2)
                for (int i = 0; i < 4; i++)
                    *row++ =
                        cnn_pixel_offset(plan->strides, image, (y + i / 2) * s->stride[0], (x + i % 2) * s->stride[1]);
}

static void fill_tables(const job *j)
{
    const cnn_conv_problem *s = &j->plan->problem;
    const cnn_int8_layout *layout = &j->plan->layout;
    int64_t unit = j->epilogue->pool ? 2 : 1, width = j->shape->out_width / unit, height = j->shape->out_height / unit;
    const cnn_task_pixels pixels = { j->plan->tile_images, j->plan->tile_rows, s->width };
    const cnn_task_pixels results = { j->plan->tile_images, j->plan->tile_rows / unit, s->width / unit };
    const cnn_pixel_strides strides = { s->channels, width * s->channels, height * width * s->channels };
    if (j->epilogue->pool)
        fill_windows(j);
    else
        cnn_fill_pixels(&pixels, s->stride, j->plan->strides, j->indirection.rows);
    cnn_fill_pixels(&results, (const int64_t[2]){ 1, 1 }, strides, j->indirection.outputs);
    for (int64_t run = 0; run < layout->outer; run++)
        for (int64_t i = 0; i < layout->inner; i++)
            j->indirection.taps[run * layout->inner + i] =
                cnn_pixel_offset(j->plan->strides, 0, run / layout->row_runs * s->dilation[0],
                                 run % layout->row_runs * s->dilation[1]) +
                j->plan->kernels->group_bytes * i;
}

static part locate_part(const job *j, size_t task, uint32_t worker)
{
    const cnn_int8_plan *plan = j->plan;
    int64_t unit = (int64_t)task / plan->tiles, tile = (int64_t)task % plan->tiles;
    part p = { .group = unit / plan->panels, .column = unit % plan->panels * CNN_INT8_PANEL };
    p.columns = cnn_lesser(plan->layout.columns - p.column, CNN_INT8_PANEL);
    p.image = tile / plan->tiles_per_image * plan->tile_images;
    p.images = cnn_lesser(j->shape->batch - p.image, plan->tile_images);
    p.row = tile % plan->tiles_per_image * plan->tile_rows;
    p.rows = cnn_lesser(plan->problem.height - p.row, plan->tile_rows);
    p.padded = j->scratch + worker * plan->worker_bytes;
    p.widened = (int16_t *)(void *)(p.padded + plan->tile_bytes);
    return p;
}

/* `pixels` of the input, or of the input's zero if `from` is NULL. */
static uint8_t *copy_pixels(const job *j, const uint8_t *from, int64_t channels, int64_t pixels, uint8_t *to)
{
    const cnn_int8_plan *plan = j->plan;
    uint8_t *end = to + pixels * plan->strides.pixel;
    bool wide = plan->kernels->group == 2;
    int64_t together = channels == j->shape->in_channels && channels == plan->channels ? pixels : 1;
    int64_t count = together * channels;
    if (!from && wide) {
        int16_t *words = (int16_t *)(void *)to;
        for (int64_t i = 0; i < pixels * channels; i++)
            words[i] = (int16_t)j->epilogue->input.zero;
    } else if (!from)
        memset(to, j->epilogue->input.zero, (size_t)(end - to));
    else
        for (int64_t i = 0; i < pixels; i += together, from += j->shape->in_channels, to += plan->strides.pixel) {
            if (wide)
                plan->finish->widen(from, count, (int16_t *)(void *)to);
            else
                memcpy(to, from, (size_t)count);
        }
    return end;
}

/* What a part needs of one image, with its padding. */
static void fill_tile(const job *j, const part *p, int64_t image, uint8_t *to)
{
    const cnn_conv_shape *s = j->shape;
    const cnn_int8_plan *plan = j->plan;
    int64_t columns = plan->source_columns, channels = plan->channels, channel = p->group * channels;
    int64_t first = cnn_clamp_size(s->pad_left, 0, columns), inside = cnn_clamp_size(s->in_width, 0, columns - first);
    int64_t top = p->row * s->stride[0] - s->pad_top;
    int64_t rows = cnn_conv_source_rows(&plan->problem, p->rows);
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
    memset(to, 0, CNN_INT8_BEHIND); /* which the next image overwrites */
}

/* The input pixel that the part's first result pixel's first tap meets. */
static const uint8_t *prepare_source(const job *j, const part *p)
{
    const cnn_int8_plan *plan = j->plan;
    if (plan->direct)
        return j->input + p->image * plan->strides.image + p->row * j->shape->stride[0] * plan->strides.row;
    for (int64_t i = 0; i < p->images; i++)
        fill_tile(j, p, p->image + i, p->padded + i * plan->strides.image);
    return p->padded;
}

/* Without pooling, and where padding is multiplied as 0, it can be left out. */
static cnn_tap_rows tap_rows_of(const job *j, int64_t row)
{
    bool zero = !j->epilogue->input.zero && !j->plan->kernels->signed_input;
    if (j->epilogue->pool || !zero)
        return (cnn_tap_rows){ 0, j->plan->problem.taps[0] };
    return cnn_conv_tap_rows(&j->plan->problem, row);
}

/* Rows of a part that have the same taps. */
static void multiply_rows(const job *j, const part *p, cnn_int8_gemm gemm, int64_t first, int64_t last,
                          cnn_tap_rows taps)
{
    const cnn_int8_plan *plan = j->plan;
    const cnn_int8_gemm_kernels *kernels = plan->kernels;
    int64_t pixel = first * plan->tile_images * plan->problem.width,
            row_terms = plan->layout.row_runs * plan->layout.inner,
            padded = cnn_divide_up(gemm.columns, kernels->width) * kernels->width;
    gemm.rows = (last - first) * p->images * plan->problem.width;
    gemm.indirection = (cnn_indirection){ .rows = j->indirection.rows + pixel,
                                          .taps = j->indirection.taps + taps.first * row_terms,
                                          .outputs = j->indirection.outputs + (j->epilogue->pool ? pixel / 4 : pixel) };
    gemm.terms = (taps.last - taps.first) * row_terms;
    gemm.b += (plan->widens ? kernels->group_bytes : kernels->group) * padded * taps.first * row_terms;
    (plan->single ? kernels->multiply_row : kernels->multiply)(&gemm);
}

static void multiply_block(const job *j, const part *p, const cnn_int8_gemm *gemm)
{
    int64_t unit = j->epilogue->pool ? 2 : 1;
    bool whole = p->images == j->plan->tile_images;
    for (int64_t row = 0, next; row < p->rows; row = next) {
        cnn_tap_rows taps = tap_rows_of(j, p->row + row);
        for (next = row + unit; next < p->rows && whole; next += unit) { /* of fewer images rows lie apart in tables */
            cnn_tap_rows other = tap_rows_of(j, p->row + next);
            if (other.first != taps.first || other.last != taps.last)
                break;
        }
        multiply_rows(j, p, *gemm, row, next, taps);
    }
}

/* One block of columns after the other, whose weights are widened once for all rows. */
static void multiply_part(const job *j, const part *p, cnn_int8_gemm *gemm)
{
    const cnn_int8_layout *layout = &j->plan->layout;
    const cnn_int8_gemm_kernels *kernels = j->plan->kernels;
    const cnn_int8_result whole = gemm->result;
    for (int64_t column = 0; column < p->columns; column += kernels->columns) {
        int64_t at = p->group * layout->padded + p->column + column, terms = layout->outer * layout->inner;
        int64_t padded = cnn_lesser(kernels->columns, layout->padded - p->column - column);
        gemm->columns = (int32_t)cnn_lesser(kernels->columns, p->columns - column);
        gemm->bias = (const int32_t *)(const void *)j->packed + at;
        gemm->result = cnn_int8_result_at(&whole, column);
        gemm->result.scale = (const float *)(const void *)(j->packed + layout->scales) + at;
        gemm->b = (const uint8_t *)j->packed + layout->weights + kernels->group * at * terms;
        if (j->plan->widens) {
            kernels->widen_weights(gemm->b, kernels->group * padded * terms, p->widened);
            gemm->b = (const uint8_t *)p->widened;
        }
        multiply_block(j, p, gemm);
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
    cnn_int8_gemm gemm = { .pool = epilogue->pool,
                           .bytes = !j->plan->widens,
                           .finish = j->plan->finish->finish,
                           .a = prepare_source(j, &p),
                           .result = cnn_int8_result_at(&j->result, to) };
    multiply_part(j, &p, &gemm);
}

cnn_int8_clamp cnn_int8_activation_clamp(cnn_activation activation, cnn_quantization output)
{
    cnn_int8_clamp clamp = { activation == CNN_ACTIVATION_NONE ? 0 : output.zero, 255 };
    if (activation == CNN_ACTIVATION_RELU6) {
        float six = 6 / output.scale + (float)output.zero;
        clamp.max = six < 255 ? (int32_t)lrintf(six) : 255;
    }
    return clamp;
}

static cnn_int8_result result_of(const cnn_int8_epilogue *epilogue, void *output)
{
    cnn_int8_result result = { .zero = epilogue->output.zero };
    if (epilogue->output.scale == 0) {
        result.floats = output;
        return result;
    }
    cnn_int8_clamp bytes = cnn_int8_activation_clamp(epilogue->activation, epilogue->output);
    result.bytes = output;
    result.clamp.min = (float)(bytes.min - epilogue->output.zero);
    result.clamp.max = (float)(bytes.max - epilogue->output.zero);
    result.residual = epilogue->residual;
    result.residual_zero = epilogue->residual_quantization.zero;
    if (epilogue->residual)
        result.residual_scale = epilogue->residual_quantization.scale / epilogue->output.scale;
    return result;
}

void cnn_int8_conv(cnn_context *context, const cnn_conv_shape *shape, const cnn_int8_epilogue *epilogue,
                   const cnn_conv_arrays *arrays)
{
    if (is_empty(shape, epilogue))
        return;
    cnn_int8_result result = result_of(epilogue, arrays->output);
    if (cnn_int8_conv_is_depthwise(shape)) {
        const cnn_int8_depthwise_call call = { context,       shape,          epilogue->input.zero,
                                               arrays->input, arrays->packed, result };
        cnn_int8_depthwise_run(&call, arrays->workspace);
        return;
    }
    if (cnn_int8_winograd_fits(cnn_kernels_get(context)->int8_gemm, shape)) {
        const cnn_int8_winograd_call call = { context,       shape,          epilogue->pool, epilogue->input.zero,
                                              arrays->input, arrays->packed, result };
        cnn_int8_winograd_run(&call, arrays->workspace);
        return;
    }
    cnn_int8_plan plan = cnn_int8_plan_make(context, shape, epilogue->pool);
    job j = { .shape = shape,
              .epilogue = epilogue,
              .plan = &plan,
              .input = arrays->input,
              .packed = arrays->packed,
              .result = result,
              .indirection =
                  cnn_indirection_at(arrays->workspace, plan.tile_images * plan.tile_rows * plan.problem.width) };
    j.scratch = (uint8_t *)arrays->workspace + plan.tables_bytes;
    fill_tables(&j);
    cnn_parallel(context, (size_t)(plan.tiles * plan.panel_units), run_part, &j);
}
