#include "kernels/conv/direct_conv.h"
#include "kernels/conv/epilogue.h"

#include <math.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/direct_conv_plan.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/elementwise/convert_bf16.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/winograd/winograd.h"

void cnn_correlation_choose(const cnn_kernels *kernels, cnn_correlation *s)
{
    s->pairs = s->source_narrow && kernels->pair && s->source_channels / s->groups % 2 == 0;
    if (s->pairs)
        s->source_channels /= 2;
}

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
    if (cnn_depthwise_fits(call))
        return 0;
    cnn_correlation_plan plan = cnn_correlation_plan_make(call);
    return plan.tables_bytes + cnn_context_threads(call->context) * plan.worker_bytes;
}

typedef struct job {
    const cnn_correlation_call *call;
    const cnn_correlation_plan *plan;
    int64_t blocks; /* of neighbouring strips: one for each thread, or 1 */
    ptrdiff_t *a_rows, *c_rows, *a_offsets;
    unsigned char *scratch;
} job;

/* What one task does. */
typedef struct part {
    int64_t group, column, columns; /* of the result's channels, from the group's first */
    int64_t image, images, row, rows;
    const float *weights; /* packed, of the panel */
    const float *next;    /* weights of the panel that comes next, unless it is the same; or NULL */
    float *strip, *stage; /* scratch */
} part;

/* Pixels in the order in which they are worked on: row by row, in each all images. */
static void fill_pixel_tables(const job *j)
{
    const cnn_correlation *s = &j->call->shape;
    const cnn_correlation_plan *plan = j->plan;
    ptrdiff_t *a_row = j->a_rows, *c_row = j->c_rows;
    for (int64_t y = 0; y < plan->strip_rows; y++)
        for (int64_t image = 0; image < plan->strip_images; image++)
            for (int64_t x = 0; x < s->width; x++) {
                *a_row++ = image * plan->strides.image + y * s->step[0] * plan->strides.row +
                           x * s->step[1] * plan->strides.pixel;
                *c_row++ = plan->staged
                               ? ((image * plan->strip_rows + y) * s->width + x) * CNN_PANEL
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

/* Packed weights of a unit of panels. */
static const float *panel_weights(const job *j, int64_t unit)
{
    const cnn_correlation *s = &j->call->shape;
    int64_t terms = s->taps[0] * j->plan->row_offsets * j->plan->inner;
    int64_t group = cnn_packed_count(j->plan->kernels, terms, s->channels / s->groups);
    return j->call->packed + unit / j->plan->panels * group + unit % j->plan->panels * CNN_PANEL * terms;
}

/* Tasks go block by block of strips, in each panel by panel, so that weights are read once for a block. */
static void number_task(const job *j, size_t task, int64_t *unit, int64_t *strip)
{
    int64_t units = j->plan->panel_units, strips = j->plan->strips;
    int64_t block = (((int64_t)task / units + 1) * j->blocks - 1) / strips;
    int64_t first = strips * block / j->blocks, count = strips * (block + 1) / j->blocks - first;
    int64_t within = (int64_t)task - first * units;
    *unit = within / count;
    *strip = first + within % count;
}

static part locate_part(const job *j, size_t task, uint32_t worker)
{
    const cnn_correlation *s = &j->call->shape;
    const cnn_correlation_plan *plan = j->plan;
    int64_t unit, strip, later, unused;
    number_task(j, task, &unit, &strip);
    number_task(j, task + 1, &later, &unused);
    int64_t group_columns = plan->depthwise ? s->channels : s->channels / s->groups;
    part p = { .group = unit / plan->panels, .column = unit % plan->panels * CNN_PANEL };
    p.columns = group_columns - p.column < CNN_PANEL ? group_columns - p.column : CNN_PANEL;
    const cnn_strips *strips = &plan->image_strips;
    p.image = strip / strips->count * plan->strip_images;
    p.images = s->batch - p.image < plan->strip_images ? s->batch - p.image : plan->strip_images;
    p.row = cnn_strip_first_row(strips, strip % strips->count);
    p.rows = cnn_strip_row_count(strips, strip % strips->count);
    p.weights = panel_weights(j, unit);
    p.next = later > unit ? panel_weights(j, later) : NULL;
    p.strip = (float *)(void *)(j->scratch + worker * plan->worker_bytes);
    p.stage = p.strip + cnn_round_up((size_t)plan->strip_floats, 64 / sizeof(float));
    return p;
}

/* The source pixel that the part's first result pixel's first tap meets. */
static const float *prepare_source(const job *j, const part *p)
{
    const cnn_correlation *s = &j->call->shape;
    const cnn_correlation_plan *plan = j->plan;
    int64_t channels = plan->depthwise ? p->columns : s->source_channels / s->groups;
    int64_t channel = plan->depthwise ? p->column : p->group * channels;
    int64_t values = s->pairs ? 2 : 1, top = s->origin[0] + p->row * s->step[0];
    if (plan->direct)
        return (const float *)j->call->source.image + p->image * plan->strides.image + top * plan->strides.row +
               s->origin[1] * plan->strides.pixel + channel;
    cnn_strip strip = { .top = top,
                        .left = s->origin[1],
                        .rows = (p->rows - 1) * s->step[0] + (s->taps[0] - 1) * s->tap_step[0] + 1,
                        .columns = plan->source_columns,
                        .channel = channel * values,
                        .channels = channels * values,
                        .pixel_stride = plan->strides.pixel * values,
                        .narrow = s->pairs };
    for (int64_t i = 0; i < p->images; i++) {
        strip.image = p->image + i;
        cnn_strip_fill(&j->call->source, &strip, p->strip + i * plan->strides.image);
    }
    return p->strip;
}

/* Rows first to last - 1 of a part, which have the same taps. */
static void multiply_rows(const job *j, const part *p, cnn_product *product, int64_t first, int64_t last,
                          cnn_tap_rows taps)
{
    const cnn_correlation *s = &j->call->shape;
    const cnn_correlation_plan *plan = j->plan;
    int64_t terms = s->taps[0] * plan->row_offsets * plan->inner;
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
    product->b = p->weights;
    product->next = p->next;
    cnn_product_run_packed(plan->kernels, product, terms, taps.first * plan->row_offsets * plan->inner);
}

static void multiply_part(const job *j, const part *p, const float *source, float *to, const float *addend)
{
    const cnn_correlation *s = &j->call->shape;
    bool staged = j->plan->staged, whole = p->images == j->plan->strip_images;
    int64_t channel = p->group * (s->channels / s->groups) + p->column;
    cnn_product product = { .pairs = s->pairs,
                            .columns = p->columns,
                            .inner = j->plan->inner,
                            .a = source,
                            .a_step = 1,
                            .c = to,
                            .bias = j->call->bias ? j->call->bias + channel : NULL,
                            .addend = addend,
                            .low = staged ? -INFINITY : j->call->low,
                            .high = staged ? INFINITY : j->call->high };
    for (int64_t row = 0, next; row < p->rows; row = next) {
        cnn_tap_rows taps = cnn_correlation_tap_rows(s, p->row + row);
        for (next = row + 1; next < p->rows && whole; next++) { /* of fewer images the tables have no runs of rows */
            cnn_tap_rows other = cnn_correlation_tap_rows(s, p->row + next);
            if (other.first != taps.first || other.last != taps.last)
                break;
        }
        multiply_rows(j, p, &product, row, next, taps);
    }
}

/* Values between pixels, rows and images of what is written. */
static cnn_pixel_strides result_strides(const cnn_correlation_call *call)
{
    if (!call->pool[0])
        return (cnn_pixel_strides){ call->pixel_stride, call->row_stride, call->image_stride };
    int64_t row = call->shape.width / call->pool[1] * call->shape.channels;
    return (cnn_pixel_strides){ call->shape.channels, row, call->shape.height / call->pool[0] * row };
}

/* From scratch to the result: pooled, limited and in its type. */
static void store_part(const job *j, const part *p)
{
    const cnn_correlation_call *call = j->call;
    const cnn_correlation *s = &call->shape;
    cnn_pixel_strides strides = result_strides(call);
    int32_t window[2] = { call->pool[0] ? call->pool[0] : 1, call->pool[0] ? call->pool[1] : 1 };
    int64_t channel = p->group * (s->channels / s->groups) + p->column, rows = p->rows / window[0];
    size_t bytes = s->result_narrow ? sizeof(cnn_bf16) : sizeof(float);
    for (int64_t i = 0; i < p->images * rows; i++) {
        int64_t image = i / rows, row = i % rows;
        int64_t from = (image * j->plan->strip_rows + row * window[0]) * s->width * CNN_PANEL;
        int64_t to = (p->image + image) * strides.image + (p->row / window[0] + row) * strides.row + channel;
        cnn_pooling pooling = { .from = p->stage + from,
                                .row_stride = s->width,
                                .pixel_stride = CNN_PANEL,
                                .window = { window[0], window[1] },
                                .pixels = s->width / window[1],
                                .channels = p->columns,
                                .low = call->low,
                                .high = call->high,
                                .to = (char *)call->result + to * (int64_t)bytes,
                                .narrow = s->result_narrow,
                                .argmax = call->argmax && call->pool[0] ? call->argmax + to : NULL,
                                .to_stride = strides.pixel };
        j->plan->kernels->row->pool(&pooling);
    }
}

static void run_part(void *argument, size_t task, uint32_t worker)
{
    const job *j = argument;
    part p = locate_part(j, task, worker);
    if (p.rows == 0)
        return;
    const float *source = prepare_source(j, &p);
    if (j->plan->staged) {
        multiply_part(j, &p, source, p.stage, NULL);
        store_part(j, &p);
        return;
    }
    int64_t channel = p.group * (j->call->shape.channels / j->call->shape.groups) + p.column;
    int64_t to = p.image * j->call->image_stride + p.row * j->call->row_stride + channel;
    multiply_part(j, &p, source, (float *)j->call->result + to, j->call->addend ? j->call->addend + to : NULL);
}

void cnn_correlation_run(const cnn_correlation_call *call, void *workspace)
{
    if (is_empty(&call->shape))
        return;
    if (cnn_winograd_tile(&call->shape)) {
        cnn_winograd_run(call, workspace);
        return;
    }
    if (cnn_depthwise_fits(call)) {
        cnn_depthwise_run(call);
        return;
    }
    cnn_correlation_plan plan = cnn_correlation_plan_make(call);
    int64_t pixels = plan.strip_images * plan.strip_rows * call->shape.width;
    uint32_t threads = cnn_context_threads(call->context);
    bool by_rows = plan.strips >= threads && cnn_correlation_shared_by_rows(&call->shape, threads);
    job j = { .call = call, .plan = &plan, .blocks = by_rows ? threads : 1, .a_rows = workspace, .scratch = workspace };
    j.c_rows = j.a_rows + pixels;
    j.a_offsets = j.c_rows + pixels;
    j.scratch += plan.tables_bytes;
    fill_tables(&j);
    cnn_parallel(call->context, (size_t)(plan.strips * plan.panel_units), run_part, &j);
}
