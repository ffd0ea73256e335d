#include "kernels/int8/int8_plan.h"

#include "core/memory.h"
#include "kernels/gemm/gemm_blocking.h"

enum {
    STRIP_PIXELS = 384, /* enough tiles to share a panel of weights that is read from the second-level cache */
    MIN_STRIP_PIXELS = 48,
    ENOUGH_TASKS = 16 /* for the threads of most machines to share evenly */
};

bool cnn_int8_conv_is_depthwise(const cnn_conv_shape *s)
{
    return s->groups > 1 && s->groups == s->in_channels && s->groups == s->out_channels;
}

cnn_int8_layout cnn_int8_layout_make(const cnn_int8_kernels *kernels, const cnn_conv_shape *s)
{
    cnn_int8_layout layout = { .depthwise = cnn_int8_conv_is_depthwise(s) };
    int64_t taps = (int64_t)s->kernel[0] * s->kernel[1], channels = s->in_channels / s->groups;
    bool runs = s->dilation[1] == 1 && !layout.depthwise;
    layout.groups = layout.depthwise ? 1 : s->groups;
    layout.columns = s->out_channels / layout.groups;
    layout.padded = (int64_t)cnn_round_up((size_t)layout.columns, (size_t)kernels->width);
    layout.row_runs = runs ? 1 : s->kernel[1];
    layout.row_terms = runs ? s->kernel[1] * channels : channels;
    layout.inner = layout.depthwise ? 1 : cnn_divide_up(layout.row_terms, kernels->group);
    layout.outer = s->kernel[0] * layout.row_runs;
    size_t numbers = (size_t)(layout.groups * layout.padded);
    layout.scales = cnn_round_up(numbers * sizeof(int32_t), 64);
    layout.weights = 2 * layout.scales;
    layout.end = layout.weights + (layout.depthwise ? (size_t)taps * numbers * sizeof(int32_t)
                                                    : (size_t)(layout.outer * layout.inner) * numbers * 4);
    return layout;
}

static void plan_strips(cnn_int8_plan *plan, const cnn_conv_shape *s, bool pool, int64_t pixels)
{
    int64_t unit = pool ? 2 : 1, rows = cnn_at_least_1(pixels / (unit * plan->width));
    rows = cnn_divide_up(plan->height / unit, cnn_divide_up(plan->height / unit, rows)) * unit;
    plan->strip_images = 1;
    if (rows >= plan->height) {
        plan->strip_images = cnn_at_least_1(pixels / (plan->height * plan->width));
        plan->strip_images = cnn_lesser(plan->strip_images, s->batch);
    }
    plan->strip_rows = rows;
    plan->strips_per_image = cnn_divide_up(plan->height, rows);
    plan->strips = cnn_divide_up(s->batch, plan->strip_images) * plan->strips_per_image;
}

static bool reads_outside(const cnn_int8_plan *plan, const cnn_conv_shape *s)
{
    int64_t below = (plan->height - 1) * s->stride[0] + (int64_t)(s->kernel[0] - 1) * s->dilation[0] - s->pad_top;
    int64_t right = (plan->width - 1) * s->stride[1] + (int64_t)(s->kernel[1] - 1) * s->dilation[1] - s->pad_left;
    return s->pad_top > 0 || s->pad_left > 0 || below >= s->in_height || right >= s->in_width;
}

static void plan_source(cnn_int8_plan *plan, const cnn_conv_shape *s)
{
    const cnn_int8_layout *layout = &plan->layout;
    bool bytes = layout->depthwise || plan->kernels->group == 4;
    plan->source_rows = (plan->strip_rows - 1) * s->stride[0] + (int64_t)(s->kernel[0] - 1) * s->dilation[0] + 1;
    plan->source_columns = (plan->width - 1) * s->stride[1] + (int64_t)(s->kernel[1] - 1) * s->dilation[1] + 1;
    plan->channels = layout->depthwise ? cnn_lesser(s->in_channels, CNN_INT8_PANEL) : s->in_channels / s->groups;
    /* whole groups only, as what follows the last one may be another's memory */
    plan->direct = bytes && !reads_outside(plan, s) &&
                   (layout->depthwise || (s->groups == 1 && layout->row_terms % plan->kernels->group == 0));
    int64_t element = bytes ? 1 : (int64_t)sizeof(int16_t);
    plan->pixel = plan->direct ? s->in_channels : plan->channels * element;
    plan->row = plan->pixel * (plan->direct ? s->in_width : plan->source_columns);
    plan->image = plan->row * (plan->direct ? s->in_height : plan->source_rows);
}

cnn_int8_plan cnn_int8_plan_make(cnn_context *context, const cnn_conv_shape *s, bool pool)
{
    cnn_int8_plan plan = { .kernels = cnn_kernels_get(context)->int8,
                           .height = pool ? s->out_height / 2 * 2 : s->out_height,
                           .width = pool ? s->out_width / 2 * 2 : s->out_width };
    plan.layout = cnn_int8_layout_make(plan.kernels, s);
    plan.panels = cnn_divide_up(plan.layout.columns, CNN_INT8_PANEL);
    plan.panel_units = plan.panels * plan.layout.groups;
    for (int64_t pixels = STRIP_PIXELS; pixels >= MIN_STRIP_PIXELS; pixels /= 2) {
        plan_strips(&plan, s, pool, pixels);
        if (plan.strips * plan.panel_units >= ENOUGH_TASKS)
            break;
    }
    plan_source(&plan, s);
    int64_t pixels = plan.strip_images * plan.strip_rows * plan.width;
    plan.tables_bytes =
        cnn_round_up((size_t)(2 * pixels + plan.layout.outer * plan.layout.inner) * sizeof(ptrdiff_t), 64);
    plan.worker_bytes = plan.direct ? 0 : cnn_round_up((size_t)(plan.strip_images * plan.image) + 4, 64);
    return plan;
}
