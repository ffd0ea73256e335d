#include "kernels/conv/direct_conv_plan.h"

#include "core/memory.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/gemm/indirection.h"
#include "kernels/tasks.h"

enum {
    TILE_PIXELS = 384, /* enough register tiles to share a panel of weights that is read from the second-level cache */
    MIN_TILE_PIXELS = 192,
    MIN_POINT_TILE_PIXELS = 48, /* of convolutions 1×1, whose tiles don't overlap, and for many threads */
    MIN_PANEL = 16,             /* columns, likewise */
};

static void plan_tiles(cnn_direct_conv_plan *plan, const cnn_conv_call *call, int64_t pixels)
{
    const cnn_conv_problem *s = &call->problem;
    plan->row_tiles =
        cnn_row_tiles_of(s, cnn_context_threads(call->context), pixels / s->width, cnn_at_least_1(call->pool[0]));
    plan->tile_images = 1;
    plan->tile_rows = plan->row_tiles.rows;
    if (plan->row_tiles.count == 1) {
        plan->tile_rows = s->height;
        plan->tile_images = cnn_lesser(cnn_at_least_1(pixels / (s->height * s->width)), s->batch);
    }
    plan->tiles = cnn_divide_up(s->batch, plan->tile_images) * plan->row_tiles.count;
}

/* Channels that a task needs of each source pixel. */
static int64_t task_channels(const cnn_conv_problem *s, bool depthwise)
{
    if (!depthwise)
        return s->source_channels / s->groups;
    return s->source_channels < CNN_PANEL ? s->source_channels : CNN_PANEL;
}

static void plan_source(cnn_direct_conv_plan *plan, const cnn_conv_call *call)
{
    const cnn_conv_problem *s = &call->problem;
    plan->source_rows = cnn_conv_source_rows(s, plan->tile_rows);
    plan->source_columns = cnn_conv_source_columns(s);
    int64_t channels = task_channels(s, plan->depthwise);
    plan->direct = !call->source.gradient && s->source_bf16 == s->bf16_dot && !cnn_conv_reads_outside(s);
    plan->strides.pixel = plan->direct ? s->source_channels : channels;
    plan->strides.row = plan->strides.pixel * (plan->direct ? s->source_width : plan->source_columns);
    plan->strides.image = plan->strides.row * (plan->direct ? s->source_height : plan->source_rows);
    plan->padded_floats = plan->direct ? 0 : plan->tile_images * plan->strides.image;

    bool runs = s->dilation[1] == 1 && plan->strides.pixel == channels && !plan->depthwise;
    plan->row_offsets = runs ? 1 : s->taps[1];
    plan->inner = plan->depthwise ? 1 : runs ? s->taps[1] * channels : channels;
}

static void plan_panels(cnn_direct_conv_plan *plan, const cnn_conv_problem *s, int64_t panel)
{
    int64_t groups = plan->depthwise ? 1 : s->groups;
    plan->panel = panel;
    plan->panels = cnn_divide_up(s->channels / groups, panel);
    plan->panel_units = plan->panels * groups;
}

/* Smaller tiles, then narrower panels, are slower, unless threads would have nothing to do. */
static void plan_tasks(cnn_direct_conv_plan *plan, const cnn_conv_call *call)
{
    const cnn_conv_problem *s = &call->problem;
    uint32_t threads = cnn_context_threads(call->context);
    bool many = threads > CNN_FEW_THREADS, point = s->taps[0] == 1 && s->taps[1] == 1;
    plan_panels(plan, s, CNN_PANEL);
    for (int64_t pixels = TILE_PIXELS; pixels >= (point || many ? MIN_POINT_TILE_PIXELS : MIN_TILE_PIXELS);
         pixels /= 2) {
        plan_tiles(plan, call, pixels);
        if (plan->tiles * plan->panel_units >= cnn_enough_tasks(threads))
            return;
    }
    while (many && !plan->depthwise && plan->panel > MIN_PANEL && plan->tiles * plan->panel_units < threads)
        plan_panels(plan, s, plan->panel / 2);
}

cnn_direct_conv_plan cnn_direct_conv_plan_make(const cnn_conv_call *call)
{
    const cnn_conv_problem *s = &call->problem;
    cnn_direct_conv_plan plan = { .kernels = cnn_kernels_get(call->context) };
    plan.depthwise = cnn_conv_is_depthwise(s);
    plan_tasks(&plan, call);
    plan_source(&plan, call);
    int64_t pixels = plan.tile_images * plan.tile_rows * s->width;
    plan.staged = call->pool[0] || s->result_bf16;
    plan.staging_floats = plan.staged ? pixels * CNN_PANEL : 0;
    plan.tables_bytes = cnn_indirection_bytes(pixels, s->taps[0] * plan.row_offsets);
    plan.worker_bytes = cnn_round_up((size_t)plan.padded_floats * sizeof(float), 64) +
                        cnn_round_up((size_t)plan.staging_floats * sizeof(float), 64);
    return plan;
}
