#include "kernels/correlation.h"
#include "kernels/row.h"

#include <math.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/blocks.h"
#include "kernels/correlation_plan.h"
#include "kernels/winograd.h"

static bool is_empty(const cnn_correlation *s)
{
    return s->batch <= 0 || s->height <= 0 || s->width <= 0;
}

size_t cnn_correlation_workspace(const cnn_correlation_call *call)
{
    if (is_empty(&call->shape))
        return 0;
    if (cnn_winograd_tile(&call->shape))
        return cnn_winograd_workspace(call);
    cnn_correlation_plan plan = cnn_correlation_plan_make(call);
    return plan.tables_bytes + cnn_context_threads(call->context) * plan.worker_bytes;
}

typedef struct job {
    const cnn_correlation_call *call;
    const cnn_correlation_plan *plan;
    ptrdiff_t *a_rows, *c_rows, *a_offsets;
    unsigned char *scratch;
} job;

/* What one task does. */
typedef struct part {
    int64_t group, column, columns; /* of the result's channels, from the group's first */
    int64_t image, images, row, rows;
    float *strip, *pooling; /* scratch */
} part;

/* Pixels in the order in which they are worked on: row by row, in each all images. */
static void fill_pixel_tables(const job *j)
{
    const cnn_correlation *s = &j->call->shape;
    const cnn_correlation_plan *plan = j->plan;
    bool pools = j->call->pool[0] != 0;
    ptrdiff_t *a_row = j->a_rows, *c_row = j->c_rows;
    for (int64_t y = 0; y < plan->strip_rows; y++)
        for (int64_t image = 0; image < plan->strip_images; image++)
            for (int64_t x = 0; x < s->width; x++) {
                *a_row++ = image * plan->strides.image + y * s->step[0] * plan->strides.row +
                           x * s->step[1] * plan->strides.pixel;
                *c_row++ = pools ? ((image * plan->strip_rows + y) * s->width + x) * CNN_PANEL
                                 : image * j->call->image_stride + y * j->call->row_stride + x * j->call->pixel_stride;
            }
}

static void fill_tables(const job *j)
{
    const cnn_correlation *s = &j->call->shape;
    const cnn_correlation_plan *plan = j->plan;
    fill_pixel_tables(j);
    int64_t row_offsets = plan->row_offsets;
    for (int64_t o = 0; o < s->taps[0] * row_offsets; o++)
        j->a_offsets[o] = o / row_offsets * s->tap_step[0] * plan->strides.row +
                          o % row_offsets * s->tap_step[1] * plan->strides.pixel;
}

static part locate_part(const job *j, size_t task, uint32_t worker)
{
    const cnn_correlation *s = &j->call->shape;
    const cnn_correlation_plan *plan = j->plan;
    int64_t unit = (int64_t)task / plan->strips, strip = (int64_t)task % plan->strips;
    int64_t group_columns = plan->depthwise ? s->channels : s->channels / s->groups;
    part p = { .group = unit / plan->panels, .column = unit % plan->panels * CNN_PANEL };
    p.columns = group_columns - p.column < CNN_PANEL ? group_columns - p.column : CNN_PANEL;
    p.image = strip / plan->strips_per_image * plan->strip_images;
    p.images = s->batch - p.image < plan->strip_images ? s->batch - p.image : plan->strip_images;
    p.row = strip % plan->strips_per_image * plan->strip_rows;
    p.rows = s->height - p.row < plan->strip_rows ? s->height - p.row : plan->strip_rows;
    p.strip = (float *)(void *)(j->scratch + worker * plan->worker_bytes);
    p.pooling = p.strip + cnn_round_up((size_t)plan->strip_floats, 64 / sizeof(float));
    return p;
}

/* The source pixel that the part's first result pixel's first tap meets. */
static const float *prepare_source(const job *j, const part *p)
{
    const cnn_correlation *s = &j->call->shape;
    const cnn_correlation_plan *plan = j->plan;
    int64_t channels = plan->depthwise ? p->columns : s->source_channels / s->groups;
    int64_t channel = plan->depthwise ? p->column : p->group * channels;
    int64_t top = s->origin[0] + p->row * s->step[0];
    if (plan->direct)
        return j->call->source.image + p->image * plan->strides.image + top * plan->strides.row +
               s->origin[1] * plan->strides.pixel + channel;
    cnn_strip strip = { .top = top,
                        .left = s->origin[1],
                        .rows = (p->rows - 1) * s->step[0] + (s->taps[0] - 1) * s->tap_step[0] + 1,
                        .columns = plan->source_columns,
                        .channel = channel,
                        .channels = channels,
                        .pixel_stride = plan->strides.pixel };
    for (int64_t i = 0; i < p->images; i++) {
        strip.image = p->image + i;
        cnn_strip_fill(&j->call->source, &strip, p->strip + i * plan->strides.image);
    }
    return p->strip;
}

/* Rows of taps, first to last - 1, that don't meet padding alone. */
typedef struct tap_rows {
    int64_t first, last;
} tap_rows;

static tap_rows tap_rows_of(const cnn_correlation *s, int64_t row)
{
    int64_t top = s->origin[0] + row * s->step[0], below = s->source_height - top;
    tap_rows taps = { top < 0 ? cnn_divide_up(-top, s->tap_step[0]) : 0,
                      below > 0 ? cnn_divide_up(below, s->tap_step[0]) : 0 };
    taps.last = cnn_lesser(taps.last, s->taps[0]);
    taps.first = cnn_lesser(taps.first, taps.last);
    return taps;
}

/* Rows first to last - 1 of a part, which have the same taps. */
static void multiply_rows(const job *j, const part *p, cnn_product *product, int64_t first, int64_t last, tap_rows taps)
{
    const cnn_correlation *s = &j->call->shape;
    const cnn_correlation_plan *plan = j->plan;
    int64_t columns = s->channels / s->groups, terms = s->taps[0] * plan->row_offsets * plan->inner;
    int64_t pixel = first * plan->strip_images * s->width;
    product->rows = (last - first) * p->images * s->width;
    product->a_rows = j->a_rows + pixel;
    product->c_rows = j->c_rows + pixel;
    product->a_offsets = j->a_offsets + taps.first * plan->row_offsets;
    product->outer = (taps.last - taps.first) * plan->row_offsets;
    if (plan->depthwise) {
        product->b_step = s->channels;
        product->b = j->call->packed + p->column + taps.first * plan->row_offsets * s->channels;
        plan->kernels->product->multiply_channels(product);
        return;
    }
    product->b = j->call->packed + p->group * cnn_packed_count(plan->kernels, terms, columns) + terms * p->column;
    cnn_product_run_packed(plan->kernels, product, terms, taps.first * plan->row_offsets * plan->inner);
}

static void multiply_part(const job *j, const part *p, const float *source, float *to)
{
    const cnn_correlation *s = &j->call->shape;
    bool pools = j->call->pool[0] != 0, whole = p->images == j->plan->strip_images;
    int64_t channel = p->group * (s->channels / s->groups) + p->column;
    cnn_product product = { .columns = p->columns,
                            .inner = j->plan->inner,
                            .a = source,
                            .a_step = 1,
                            .c = to,
                            .bias = j->call->bias ? j->call->bias + channel : NULL,
                            .low = pools ? -INFINITY : j->call->low,
                            .high = pools ? INFINITY : j->call->high };
    for (int64_t row = 0, next; row < p->rows; row = next) {
        tap_rows taps = tap_rows_of(s, p->row + row);
        for (next = row + 1; next < p->rows && whole; next++) { /* of fewer images the tables have no runs of rows */
            tap_rows other = tap_rows_of(s, p->row + next);
            if (other.first != taps.first || other.last != taps.last)
                break;
        }
        multiply_rows(j, p, &product, row, next, taps);
    }
}

static void pool_part(const job *j, const part *p)
{
    const cnn_correlation_call *call = j->call;
    const cnn_correlation *s = &call->shape;
    int64_t columns = s->channels / s->groups, width = s->width / call->pool[1], rows = s->height / call->pool[0];
    int64_t first = p->image * rows + p->row / call->pool[0], count = p->images * p->rows / call->pool[0];
    for (int64_t i = 0; i < count; i++) {
        int64_t to = (first + i) * width * s->channels + p->group * columns + p->column;
        cnn_pooling pooling = { .from = p->pooling + i * call->pool[0] * s->width * CNN_PANEL,
                                .row_stride = s->width,
                                .pixel_stride = CNN_PANEL,
                                .window = { call->pool[0], call->pool[1] },
                                .pixels = width,
                                .channels = p->columns,
                                .low = call->low,
                                .high = call->high,
                                .to = call->result + to,
                                .argmax = call->argmax ? call->argmax + to : NULL,
                                .to_stride = s->channels };
        j->plan->kernels->row->pool(&pooling);
    }
}

static void run_part(void *argument, size_t task, uint32_t worker)
{
    const job *j = argument;
    part p = locate_part(j, task, worker);
    const float *source = prepare_source(j, &p);
    if (j->call->pool[0]) {
        multiply_part(j, &p, source, p.pooling);
        pool_part(j, &p);
        return;
    }
    int64_t channel = p.group * (j->call->shape.channels / j->call->shape.groups) + p.column;
    multiply_part(j, &p, source,
                  j->call->result + p.image * j->call->image_stride + p.row * j->call->row_stride + channel);
}

void cnn_correlation_run(const cnn_correlation_call *call, void *workspace)
{
    if (is_empty(&call->shape))
        return;
    if (cnn_winograd_tile(&call->shape)) {
        cnn_winograd_run(call, workspace);
        return;
    }
    cnn_correlation_plan plan = cnn_correlation_plan_make(call);
    int64_t pixels = plan.strip_images * plan.strip_rows * call->shape.width;
    job j = { .call = call, .plan = &plan, .a_rows = workspace, .scratch = workspace };
    j.c_rows = j.a_rows + pixels;
    j.a_offsets = j.c_rows + pixels;
    j.scratch += plan.tables_bytes;
    fill_tables(&j);
    cnn_parallel(call->context, (size_t)(plan.strips * plan.panel_units), run_part, &j);
}
