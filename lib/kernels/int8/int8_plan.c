#include "kernels/int8/int8_plan.h"

#include "core/memory.h"
#include "kernels/int8/int8_depthwise.h"
#include "kernels/int8/int8_winograd.h"
#include "kernels/tasks.h"

enum {
    TILE_PIXELS = 384, /* enough register tiles to share a panel of weights that is read from the second-level cache */
    MIN_TILE_PIXELS = 48,
    FEW_ROWS = 64,                /* fewer take longer to widen weights for all tiles than for each anew */
    LEAST_WINOGRAD_TILES = 16,    /* of 2×2 pixels in an image: fewer don't share weights that are larger than bytes */
    LEAST_WINOGRAD_CHANNELS = 16, /* fewer are as fast without transforms */
    MOST_WINOGRAD_CHANNELS = 1024, /* four times a sum stays below 2³¹ */
};

bool cnn_int8_conv_is_depthwise(const cnn_conv_shape *s)
{
    return s->groups > 1 && s->groups == s->in_channels && s->groups == s->out_channels;
}

bool cnn_int8_winograd_fits(const cnn_int8_gemm_kernels *kernels, const cnn_conv_shape *s)
{
    bool simple = s->kernel[0] == 3 && s->kernel[1] == 3 && s->stride[0] == 1 && s->stride[1] == 1 &&
                  s->dilation[0] == 1 && s->dilation[1] == 1 && s->groups == 1;
    return kernels->group == 2 && simple && s->in_channels % 2 == 0 && s->in_channels >= LEAST_WINOGRAD_CHANNELS &&
           s->in_channels <= MOST_WINOGRAD_CHANNELS && s->out_channels >= LEAST_WINOGRAD_CHANNELS &&
           cnn_divide_up(s->out_height, 2) * cnn_divide_up(s->out_width, 2) >= LEAST_WINOGRAD_TILES;
}

/* Terms of a sum, in runs of groups. */
static void lay_out_terms(cnn_int8_layout *layout, const cnn_kernels *kernels, const cnn_conv_shape *s)
{
    int64_t channels = s->in_channels / s->groups;
    bool runs = s->dilation[1] == 1;
    layout->row_runs = runs ? 1 : s->kernel[1];
    layout->row_terms = runs ? s->kernel[1] * channels : channels;
    layout->inner = cnn_divide_up(layout->row_terms, kernels->int8_gemm->group);
    layout->outer = s->kernel[0] * layout->row_runs;
    if (layout->depthwise) {
        layout->inner = 1;
        int64_t group = kernels->int8_depthwise->group; /* has room for a row further down, if its last place is free */
        layout->sharing = s->stride[0] == 1 && s->dilation[0] == 1 && s->kernel[0] % group != 0 ? 2 : 1;
        layout->outer = layout->sharing * cnn_divide_up(s->kernel[0], group) * s->kernel[1];
    } else if (layout->winograd) {
        layout->row_terms = channels;
        layout->inner = channels / 2;
        layout->outer = CNN_INT8_WINOGRAD_MATRICES;
    }
}

cnn_int8_layout cnn_int8_layout_make(const cnn_kernels *kernels, const cnn_conv_shape *s)
{
    cnn_int8_layout layout = { .depthwise = cnn_int8_conv_is_depthwise(s),
                               .winograd = cnn_int8_winograd_fits(kernels->int8_gemm, s) };
    layout.groups = layout.depthwise ? 1 : s->groups;
    layout.columns = s->out_channels / layout.groups;
    layout.padded = (int64_t)cnn_round_up((size_t)layout.columns, (size_t)kernels->int8_gemm->width);
    lay_out_terms(&layout, kernels, s);
    size_t numbers = (size_t)(layout.groups * layout.padded);
    int64_t group_bytes = layout.depthwise  ? kernels->int8_depthwise->group_bytes
                          : layout.winograd ? kernels->int8_gemm->group_bytes
                                            : kernels->int8_gemm->group;
    layout.scales = cnn_round_up(numbers * sizeof(int32_t), 64);
    layout.weights = 2 * layout.scales;
    layout.end = layout.weights + (size_t)(layout.outer * layout.inner * group_bytes) * numbers;
    return layout;
}

static void plan_tiles(cnn_int8_plan *plan, const cnn_conv_shape *s, bool pool, int64_t pixels)
{
    int64_t unit = pool ? 2 : 1, rows = cnn_at_least_1(pixels / (unit * plan->problem.width));
    rows = cnn_divide_up(plan->problem.height / unit, cnn_divide_up(plan->problem.height / unit, rows)) * unit;
    plan->tile_images = 1;
    if (rows >= plan->problem.height) {
        plan->tile_images = cnn_at_least_1(pixels / (plan->problem.height * plan->problem.width));
        plan->tile_images = cnn_lesser(plan->tile_images, s->batch);
    }
    plan->tile_rows = rows;
    plan->tiles_per_image = cnn_divide_up(plan->problem.height, rows);
    plan->tiles = cnn_divide_up(s->batch, plan->tile_images) * plan->tiles_per_image;
}

static void plan_source(cnn_int8_plan *plan, const cnn_conv_shape *s)
{
    const cnn_int8_layout *layout = &plan->layout;
    bool bytes = plan->kernels->group > 2;
    plan->source_rows = cnn_conv_source_rows(&plan->problem, plan->tile_rows);
    plan->source_columns = cnn_conv_source_columns(&plan->problem);
    plan->channels = s->in_channels / s->groups;
    /* whole groups only, as what follows the last one may be another's memory */
    plan->direct = bytes && !cnn_conv_reads_outside(&plan->problem) && s->groups == 1 &&
                   layout->row_terms % plan->kernels->group == 0;
    int64_t element = bytes ? 1 : (int64_t)sizeof(int16_t);
    plan->strides.pixel = plan->direct ? s->in_channels : plan->channels * element;
    plan->strides.row = plan->strides.pixel * (plan->direct ? s->in_width : plan->source_columns);
    plan->strides.image = plan->strides.row * (plan->direct ? s->in_height : plan->source_rows);
}

static void plan_widening(cnn_int8_plan *plan, int64_t rows, bool pool)
{
    const cnn_int8_gemm_kernels *kernels = plan->kernels;
    bool bytes = kernels->takes_bytes && rows < FEW_ROWS && !pool && plan->layout.padded % kernels->columns == 0;
    int64_t weights = plan->layout.outer * plan->layout.inner * kernels->group * kernels->columns;
    plan->single = rows == 1;
    plan->widens = kernels->widen_weights && !plan->single && !bytes;
    plan->worker_bytes = plan->tile_bytes;
    if (plan->widens)
        plan->worker_bytes += cnn_round_up((size_t)weights * sizeof(int16_t), 64);
}

cnn_int8_plan cnn_int8_plan_make(cnn_context *context, const cnn_conv_shape *s, bool pool)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    cnn_int8_plan plan = { .kernels = kernels->int8_gemm,
                           .finish = kernels->int8_finish,
                           .problem = cnn_conv_problem_of(s) };
    if (pool) {
        plan.problem.height -= plan.problem.height % 2;
        plan.problem.width -= plan.problem.width % 2;
    }
    plan.layout = cnn_int8_layout_make(kernels, s);
    plan.panels = cnn_divide_up(plan.layout.columns, CNN_INT8_PANEL);
    plan.panel_units = plan.panels * plan.layout.groups;
    int64_t enough = cnn_enough_tasks(cnn_context_threads(context));
    for (int64_t pixels = TILE_PIXELS; pixels >= MIN_TILE_PIXELS; pixels /= 2) {
        plan_tiles(&plan, s, pool, pixels);
        if (plan.tiles * plan.panel_units >= enough)
            break;
    }
    plan_source(&plan, s);
    int64_t pixels = plan.tile_images * plan.tile_rows * plan.problem.width;
    plan.tables_bytes = cnn_indirection_bytes(pixels, plan.layout.outer * plan.layout.inner);
    plan.tile_bytes =
        plan.direct ? 0 : cnn_round_up((size_t)(plan.tile_images * plan.strides.image) + CNN_INT8_BEHIND, 64);
    plan_widening(&plan, pixels, pool);
    return plan;
}
