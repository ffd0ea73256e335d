#include "kernels/conv/direct_conv.h"

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/direct_conv_plan.h"
#include "kernels/conv/epilogue.h"
#include "kernels/depthwise/depthwise_gemm.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/tasks.h"
#include "simd/bf16.h"

size_t cnn_direct_conv_workspace(const cnn_conv_call *call)
{
    cnn_direct_conv_plan plan = cnn_direct_conv_plan_make(call);
    return plan.tables_bytes + cnn_context_threads(call->context) * plan.worker_bytes;
}

typedef struct job {
    const cnn_conv_call *call;
    const cnn_direct_conv_plan *plan;
    int64_t blocks; /* of neighbouring tiles: one for each thread, or 1 */
    cnn_indirection indirection;
    unsigned char *scratch;
} job;

/* What one task does. */
typedef struct part {
    int64_t group, column, columns; /* of the result's channels, from the group's first */
    int64_t packed_columns;         /* that are packed with them */
    int64_t image, images, row, rows;
    const float *weights;    /* packed, of the panel */
    const float *next;       /* weights of the panel that comes next, unless it is the same; or NULL */
    float *padded, *staging; /* scratch */
} part;

static void fill_tables(const job *j)
{
    const cnn_conv_problem *s = &j->call->problem;
    const cnn_direct_conv_plan *plan = j->plan;
    const cnn_task_pixels pixels = { plan->tile_images, plan->tile_rows, s->width };
    const cnn_pixel_strides staging = { CNN_PANEL, s->width * CNN_PANEL, plan->tile_rows * s->width * CNN_PANEL };
    cnn_fill_pixels(&pixels, s->stride, plan->strides, j->indirection.rows);
    cnn_fill_pixels(&pixels, (const int64_t[2]){ 1, 1 }, plan->staged ? staging : j->call->strides,
                    j->indirection.outputs);
    int64_t row_offsets = plan->row_offsets;
    for (int64_t o = 0; o < s->taps[0] * row_offsets; o++)
        j->indirection.taps[o] =
            cnn_pixel_offset(plan->strides, 0, o / row_offsets * s->dilation[0], o % row_offsets * s->dilation[1]);
}

/* Packed weights of a unit of panels: of all CNN_PANEL columns that a narrower one is among. */
static const float *panel_weights(const job *j, int64_t unit)
{
    const cnn_conv_problem *s = &j->call->problem;
    int64_t terms = s->taps[0] * j->plan->row_offsets * j->plan->inner;
    int64_t group = cnn_gemm_packed_count(j->plan->kernels, terms, s->channels / s->groups);
    int64_t column = unit % j->plan->panels * j->plan->panel;
    return j->call->packed + unit / j->plan->panels * group + column / CNN_PANEL * CNN_PANEL * terms;
}

/* Tasks go block by block of tiles, in each panel by panel, so that weights are read once for a block. */
static void number_task(const job *j, size_t task, int64_t *unit, int64_t *tile)
{
    int64_t units = j->plan->panel_units, tiles = j->plan->tiles;
    int64_t block = (((int64_t)task / units + 1) * j->blocks - 1) / tiles;
    int64_t first = tiles * block / j->blocks, count = tiles * (block + 1) / j->blocks - first;
    int64_t within = (int64_t)task - first * units;
    *unit = within / count;
    *tile = first + within % count;
}

static part locate_part(const job *j, size_t task, uint32_t worker)
{
    const cnn_conv_problem *s = &j->call->problem;
    const cnn_direct_conv_plan *plan = j->plan;
    int64_t unit, tile, later, unused;
    number_task(j, task, &unit, &tile);
    number_task(j, task + 1, &later, &unused);
    int64_t group_columns = plan->depthwise ? s->channels : s->channels / s->groups;
    part p = { .group = unit / plan->panels, .column = unit % plan->panels * plan->panel };
    p.columns = cnn_lesser(group_columns - p.column, plan->panel);
    p.packed_columns = cnn_lesser(group_columns - p.column / CNN_PANEL * CNN_PANEL, CNN_PANEL);
    const cnn_row_tiles *tiles = &plan->row_tiles;
    p.image = tile / tiles->count * plan->tile_images;
    p.images = s->batch - p.image < plan->tile_images ? s->batch - p.image : plan->tile_images;
    p.row = cnn_row_tile_first(tiles, tile % tiles->count);
    p.rows = cnn_row_tile_count(tiles, tile % tiles->count);
    p.weights = panel_weights(j, unit);
    p.next = later > unit ? panel_weights(j, later) : NULL;
    p.padded = (float *)(void *)(j->scratch + worker * plan->worker_bytes);
    p.staging = p.padded + cnn_round_up((size_t)plan->padded_floats, 64 / sizeof(float));
    return p;
}

/* The source pixel that the part's first result pixel's first tap meets. */
static const float *prepare_source(const job *j, const part *p)
{
    const cnn_conv_problem *s = &j->call->problem;
    const cnn_direct_conv_plan *plan = j->plan;
    int64_t channels = plan->depthwise ? p->columns : s->source_channels / s->groups;
    int64_t channel = plan->depthwise ? p->column : p->group * channels;
    int64_t values = s->bf16_dot ? 2 : 1, top = s->origin[0] + p->row * s->stride[0];
    if (plan->direct)
        return (const float *)j->call->source.image + p->image * plan->strides.image + top * plan->strides.row +
               s->origin[1] * plan->strides.pixel + channel;
    cnn_padded_tile padded = { .top = top,
                               .left = s->origin[1],
                               .rows = cnn_conv_source_rows(s, p->rows),
                               .columns = plan->source_columns,
                               .channel = channel * values,
                               .channels = channels * values,
                               .pixel_stride = plan->strides.pixel * values,
                               .bf16 = s->bf16_dot };
    for (int64_t i = 0; i < p->images; i++) {
        padded.image = p->image + i;
        cnn_padded_tile_fill(&j->call->source, &padded, p->padded + i * plan->strides.image);
    }
    return p->padded;
}

/* Rows first to last - 1 of a part, which have the same taps. */
static void multiply_rows(const job *j, const part *p, cnn_gemm *gemm, int64_t first, int64_t last, cnn_tap_rows taps)
{
    const cnn_conv_problem *s = &j->call->problem;
    const cnn_direct_conv_plan *plan = j->plan;
    int64_t terms = s->taps[0] * plan->row_offsets * plan->inner;
    int64_t pixel = first * plan->tile_images * s->width;
    gemm->rows = (last - first) * p->images * s->width;
    gemm->indirection = (cnn_indirection){ .rows = j->indirection.rows + pixel,
                                           .taps = j->indirection.taps + taps.first * plan->row_offsets,
                                           .outputs = j->indirection.outputs + pixel };
    gemm->outer = (taps.last - taps.first) * plan->row_offsets;
    if (plan->depthwise) {
        gemm->b_stride = s->channels;
        gemm->b = j->call->packed + p->column + taps.first * plan->row_offsets * s->channels;
        plan->kernels->depthwise_gemm->multiply(gemm);
        return;
    }
    gemm->b = p->weights;
    gemm->next = p->next;
    const cnn_gemm_packed packed = { .terms = terms,
                                     .first_term = taps.first * plan->row_offsets * plan->inner,
                                     .columns = p->packed_columns,
                                     .first_column = p->column % CNN_PANEL };
    cnn_gemm_run_packed(plan->kernels, gemm, &packed);
}

static void multiply_part(const job *j, const part *p, const float *source, float *to, const float *residual)
{
    const cnn_conv_problem *s = &j->call->problem;
    bool staged = j->plan->staged, whole = p->images == j->plan->tile_images;
    int64_t channel = p->group * (s->channels / s->groups) + p->column;
    cnn_gemm gemm = { .bf16_dot = s->bf16_dot,
                      .columns = p->columns,
                      .inner = j->plan->inner,
                      .a = source,
                      .a_stride = 1,
                      .c = to,
                      .bias = j->call->bias ? j->call->bias + channel : NULL,
                      .residual = residual,
                      .clamp = staged ? CNN_NO_CLAMP : j->call->clamp };
    for (int64_t row = 0, next; row < p->rows; row = next) {
        cnn_tap_rows taps = cnn_conv_tap_rows(s, p->row + row);
        for (next = row + 1; next < p->rows && whole; next++) { /* of fewer images the tables have no runs of rows */
            cnn_tap_rows other = cnn_conv_tap_rows(s, p->row + next);
            if (other.first != taps.first || other.last != taps.last)
                break;
        }
        multiply_rows(j, p, &gemm, row, next, taps);
    }
}

/* Of what is written. */
static cnn_pixel_strides result_strides(const cnn_conv_call *call)
{
    if (!call->pool[0])
        return call->strides;
    int64_t row = call->problem.width / call->pool[1] * call->problem.channels;
    return (cnn_pixel_strides){ call->problem.channels, row, call->problem.height / call->pool[0] * row };
}

/* From the staging buffer to the result: pooled, clamped and in its type. */
static void store_part(const job *j, const part *p)
{
    const cnn_conv_call *call = j->call;
    const cnn_conv_problem *s = &call->problem;
    cnn_pixel_strides strides = result_strides(call);
    int32_t window[2] = { call->pool[0] ? call->pool[0] : 1, call->pool[0] ? call->pool[1] : 1 };
    int64_t channel = p->group * (s->channels / s->groups) + p->column, rows = p->rows / window[0];
    size_t bytes = s->result_bf16 ? sizeof(cnn_bf16) : sizeof(float);
    for (int64_t i = 0; i < p->images * rows; i++) {
        int64_t image = i / rows, row = i % rows;
        int64_t from = (image * j->plan->tile_rows + row * window[0]) * s->width * CNN_PANEL;
        int64_t to = cnn_pixel_offset(strides, p->image + image, p->row / window[0] + row, 0) + channel;
        cnn_pooling pooling = { .from = p->staging + from,
                                .row_stride = s->width,
                                .pixel_stride = CNN_PANEL,
                                .window = { window[0], window[1] },
                                .pixels = s->width / window[1],
                                .channels = p->columns,
                                .clamp = call->clamp,
                                .to = (char *)call->result + to * (int64_t)bytes,
                                .bf16 = s->result_bf16,
                                .argmax = call->argmax && call->pool[0] ? call->argmax + to : NULL,
                                .to_stride = strides.pixel };
        j->plan->kernels->epilogue->pool(&pooling);
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
        multiply_part(j, &p, source, p.staging, NULL);
        store_part(j, &p);
        return;
    }
    int64_t channel = p.group * (j->call->problem.channels / j->call->problem.groups) + p.column;
    int64_t to = cnn_pixel_offset(j->call->strides, p.image, p.row, 0) + channel;
    multiply_part(j, &p, source, (float *)j->call->result + to, j->call->residual ? j->call->residual + to : NULL);
}

void cnn_direct_conv_run(const cnn_conv_call *call, void *workspace)
{
    cnn_direct_conv_plan plan = cnn_direct_conv_plan_make(call);
    int64_t pixels = plan.tile_images * plan.tile_rows * call->problem.width;
    uint32_t threads = cnn_context_threads(call->context);
    bool by_rows = plan.tiles >= threads && cnn_conv_shared_by_rows(&call->problem, threads);
    job j = { .call = call,
              .plan = &plan,
              .blocks = by_rows ? threads : 1,
              .indirection = cnn_indirection_at(workspace, pixels),
              .scratch = (unsigned char *)workspace + plan.tables_bytes };
    fill_tables(&j);
    cnn_parallel(call->context, (size_t)(plan.tiles * plan.panel_units), run_part, &j);
}
