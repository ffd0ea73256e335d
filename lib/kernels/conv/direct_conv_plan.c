#include "kernels/conv/direct_conv_plan.h"

#include "core/memory.h"
#include "kernels/gemm/gemm_blocking.h"

enum {
    STRIP_PIXELS = 384, /* enough tiles to share a panel of weights that is read from the second-level cache */
    MIN_STRIP_PIXELS = 192,
    MIN_POINT_STRIP_PIXELS = 48, /* of convolutions 1×1, whose strips don't overlap */
    ENOUGH_TASKS = 16,           /* for the threads of most machines to share evenly */
    MIN_THREAD_PIXELS = 64       /* fewer rows can't be shared evenly */
};

bool cnn_correlation_is_depthwise(const cnn_correlation *s)
{
    return s->groups > 1 && !s->pairs && s->groups == s->source_channels && s->groups == s->channels;
}

bool cnn_correlation_shared_by_rows(const cnn_correlation *s, uint32_t threads)
{
    return s->batch * s->height * s->width >= (int64_t)threads * MIN_THREAD_PIXELS;
}

cnn_strips cnn_strips_of(const cnn_correlation *s, uint32_t threads, int64_t rows, int64_t unit)
{
    bool alone = s->batch == 1 && cnn_correlation_shared_by_rows(s, threads);
    int64_t share = cnn_divide_up(cnn_divide_up(s->height, alone ? threads : 1), unit), units = rows / unit;
    cnn_strips strips = { .height = s->height, .share_rows = share * unit };
    strips.per_share = cnn_divide_up(share, cnn_at_least_1(units));
    strips.rows = cnn_divide_up(share, strips.per_share) * unit;
    strips.per_share = cnn_divide_up(strips.share_rows, strips.rows);
    strips.count = cnn_divide_up(s->height, strips.share_rows) * strips.per_share;
    return strips;
}

int64_t cnn_strip_first_row(const cnn_strips *strips, int64_t index)
{
    return index / strips->per_share * strips->share_rows + index % strips->per_share * strips->rows;
}

int64_t cnn_strip_row_count(const cnn_strips *strips, int64_t index)
{
    int64_t share_end = cnn_lesser((index / strips->per_share + 1) * strips->share_rows, strips->height);
    int64_t left = share_end - cnn_strip_first_row(strips, index);
    return left < 0 ? 0 : cnn_lesser(left, strips->rows);
}

static void plan_strips(cnn_correlation_plan *plan, const cnn_correlation_call *call, int64_t pixels)
{
    const cnn_correlation *s = &call->shape;
    plan->image_strips =
        cnn_strips_of(s, cnn_context_threads(call->context), pixels / s->width, cnn_at_least_1(call->pool[0]));
    plan->strip_images = 1;
    plan->strip_rows = plan->image_strips.rows;
    if (plan->image_strips.count == 1) {
        plan->strip_rows = s->height;
        plan->strip_images = cnn_lesser(cnn_at_least_1(pixels / (s->height * s->width)), s->batch);
    }
    plan->strips = cnn_divide_up(s->batch, plan->strip_images) * plan->image_strips.count;
}

static bool reads_outside(const cnn_correlation *s)
{
    const int64_t source[2] = { s->source_height, s->source_width }, result[2] = { s->height, s->width };
    for (int i = 0; i < 2; i++)
        if (s->origin[i] < 0 ||
            s->origin[i] + (result[i] - 1) * s->step[i] + (s->taps[i] - 1) * s->tap_step[i] >= source[i])
            return true;
    return false;
}

/* Channels that a task needs of each source pixel. */
static int64_t task_channels(const cnn_correlation *s, bool depthwise)
{
    if (!depthwise)
        return s->source_channels / s->groups;
    return s->source_channels < CNN_PANEL ? s->source_channels : CNN_PANEL;
}

static void plan_source(cnn_correlation_plan *plan, const cnn_correlation_call *call)
{
    const cnn_correlation *s = &call->shape;
    plan->source_rows = (plan->strip_rows - 1) * s->step[0] + (s->taps[0] - 1) * s->tap_step[0] + 1;
    plan->source_columns = (s->width - 1) * s->step[1] + (s->taps[1] - 1) * s->tap_step[1] + 1;
    int64_t channels = task_channels(s, plan->depthwise);
    plan->direct = !call->source.gradient && s->source_narrow == s->pairs && !reads_outside(s);
    plan->strides.pixel = plan->direct ? s->source_channels : channels;
    plan->strides.row = plan->strides.pixel * (plan->direct ? s->source_width : plan->source_columns);
    plan->strides.image = plan->strides.row * (plan->direct ? s->source_height : plan->source_rows);
    plan->strip_floats = plan->direct ? 0 : plan->strip_images * plan->strides.image;

    bool runs = s->tap_step[1] == 1 && plan->strides.pixel == channels && !plan->depthwise;
    plan->row_offsets = runs ? 1 : s->taps[1];
    plan->inner = plan->depthwise ? 1 : runs ? s->taps[1] * channels : channels;
}

cnn_correlation_plan cnn_correlation_plan_make(const cnn_correlation_call *call)
{
    const cnn_correlation *s = &call->shape;
    cnn_correlation_plan plan = { .kernels = cnn_kernels_get(call->context) };
    plan.depthwise = cnn_correlation_is_depthwise(s);
    int64_t groups = plan.depthwise ? 1 : s->groups;
    plan.panels = cnn_divide_up(s->channels / groups, CNN_PANEL);
    plan.panel_units = plan.panels * groups;
    int64_t least = s->taps[0] == 1 && s->taps[1] == 1 ? MIN_POINT_STRIP_PIXELS : MIN_STRIP_PIXELS;
    for (int64_t pixels = STRIP_PIXELS; pixels >= least; pixels /= 2) {
        plan_strips(&plan, call, pixels);
        if (plan.strips * plan.panel_units >= ENOUGH_TASKS)
            break;
    }
    plan_source(&plan, call);
    int64_t pixels = plan.strip_images * plan.strip_rows * s->width;
    plan.staged = call->pool[0] || s->result_narrow;
    plan.stage_floats = plan.staged ? pixels * CNN_PANEL : 0;
    plan.tables_bytes = cnn_round_up((size_t)(2 * pixels + s->taps[0] * plan.row_offsets) * sizeof(ptrdiff_t), 64);
    plan.worker_bytes = cnn_round_up((size_t)plan.strip_floats * sizeof(float), 64) +
                        cnn_round_up((size_t)plan.stage_floats * sizeof(float), 64);
    return plan;
}

cnn_tap_rows cnn_correlation_tap_rows(const cnn_correlation *s, int64_t row)
{
    int64_t top = s->origin[0] + row * s->step[0], below = s->source_height - top;
    cnn_tap_rows taps = { top < 0 ? cnn_divide_up(-top, s->tap_step[0]) : 0,
                          below > 0 ? cnn_divide_up(below, s->tap_step[0]) : 0 };
    taps.last = cnn_lesser(taps.last, s->taps[0]);
    taps.first = cnn_lesser(taps.first, taps.last);
    return taps;
}
