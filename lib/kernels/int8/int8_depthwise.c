#include "kernels/int8/int8_depthwise.h"

#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/tasks.h"

/* Of a task: most results, and fewest where tasks are few. */
enum { TASK_PIXELS = 768, MIN_TASK_PIXELS = 48 };

typedef struct depthwise_plan {
    const cnn_int8_depthwise_kernels *kernels;
    cnn_int8_layout layout;
    cnn_conv_problem problem;
    int64_t columns;                  /* of the source, with its padding */
    int64_t rows_of_groups;           /* rows of taps, in groups */
    int64_t panels, panel;            /* of channels, and channels in one */
    int64_t task_rows, per_panel;     /* tasks of a panel of an image */
    ptrdiff_t group_pixel, group_row; /* bytes of a pixel and a row of groups */
    size_t taps_bytes, blank_bytes, worker_bytes;
} depthwise_plan;

static depthwise_plan plan_make(cnn_context *context, const cnn_conv_shape *s)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    depthwise_plan p = { .kernels = kernels->int8_depthwise,
                         .layout = cnn_int8_layout_make(kernels, s),
                         .problem = cnn_conv_problem_of(s) };
    p.columns = cnn_conv_source_columns(&p.problem);
    p.rows_of_groups = cnn_divide_up(s->kernel[0], p.kernels->group);
    p.panel = cnn_lesser(s->in_channels, CNN_INT8_PANEL);
    p.panels = cnn_divide_up(s->in_channels, CNN_INT8_PANEL);
    int64_t enough = cnn_enough_tasks(cnn_context_threads(context));
    for (int64_t pixels = TASK_PIXELS; pixels >= MIN_TASK_PIXELS; pixels /= 2) {
        p.per_panel = cnn_divide_up(s->out_height, cnn_at_least_1(pixels / s->out_width));
        if (s->batch * p.panels * p.per_panel >= enough)
            break;
    }
    p.group_pixel = p.panel * p.kernels->group_bytes;
    p.group_row = p.columns * p.group_pixel;
    p.taps_bytes = cnn_round_up((size_t)(p.rows_of_groups * s->kernel[1]) * sizeof(ptrdiff_t), 64);
    p.blank_bytes = cnn_round_up((size_t)(p.columns > s->in_width ? p.columns : s->in_width) * (size_t)p.panel, 64);
    p.worker_bytes = cnn_round_up((size_t)(p.rows_of_groups * p.group_row) + CNN_INT8_INTERLEAVED_BEHIND, 64);
    return p;
}

size_t cnn_int8_depthwise_workspace(cnn_context *context, const cnn_conv_shape *shape)
{
    depthwise_plan p = plan_make(context, shape);
    return p.taps_bytes + p.blank_bytes + cnn_context_threads(context) * p.worker_bytes;
}

typedef struct job {
    const cnn_int8_depthwise_call *call;
    const depthwise_plan *plan;
    ptrdiff_t *taps;
    uint8_t *blank; /* a row of the input's zero */
    uint8_t *scratch;
} job;

/* What one task does. */
typedef struct part {
    int64_t image, channel, channels, row, last;
    uint8_t *groups; /* scratch */
} part;

/* The rows of the source from which a row of groups is made; those in the padding are blank, and so are those that meet
 * no tap, whose weights are 0. */
static void find_rows(const job *j, const part *p, int64_t first, int64_t tap, const uint8_t *rows[CNN_INT8_MAX_GROUP])
{
    const cnn_conv_shape *s = j->call->shape;
    for (int i = 0; i < CNN_INT8_MAX_GROUP; i++) {
        int64_t y = first + (tap + i) * s->dilation[0];
        bool met = i < j->plan->kernels->group && tap + i < s->kernel[0] + j->plan->layout.sharing - 1;
        bool inside = met && y >= 0 && y < s->in_height;
        rows[i] = inside ? j->call->input + ((p->image * s->in_height + y) * s->in_width) * s->in_channels + p->channel
                         : j->blank;
    }
}

/* One row of groups, with the padding on both sides. */
static void fill_groups(const job *j, const part *p, const uint8_t *const rows[CNN_INT8_MAX_GROUP], uint8_t *to)
{
    const cnn_conv_shape *s = j->call->shape;
    const depthwise_plan *plan = j->plan;
    const uint8_t *const blank[CNN_INT8_MAX_GROUP] = { j->blank, j->blank, j->blank, j->blank };
    int64_t left = cnn_clamp_size(s->pad_left, 0, plan->columns);
    int64_t inside = cnn_clamp_size(s->in_width, 0, plan->columns - left);
    plan->kernels->interleave(blank, left * plan->panel, to);
    to += left * plan->group_pixel;
    int64_t together = p->channels == s->in_channels ? inside : 1; /* pixels */
    for (int64_t x = 0; x < inside; x += together, to += together * plan->group_pixel) {
        const uint8_t *from[CNN_INT8_MAX_GROUP];
        for (int i = 0; i < CNN_INT8_MAX_GROUP; i++)
            from[i] = rows[i] == j->blank ? rows[i] : rows[i] + x * s->in_channels;
        plan->kernels->interleave(from, together * p->channels, to);
    }
    plan->kernels->interleave(blank, (plan->columns - left - inside) * plan->panel, to);
}

/* The groups that the rows of the result from `y` on share. */
static void fill_source(const job *j, const part *p, int64_t y)
{
    const cnn_conv_shape *s = j->call->shape;
    const depthwise_plan *plan = j->plan;
    for (int64_t i = 0; i < plan->rows_of_groups; i++) {
        const uint8_t *rows[CNN_INT8_MAX_GROUP];
        find_rows(j, p, y * s->stride[0] - s->pad_top, i * plan->kernels->group, rows);
        fill_groups(j, p, rows, p->groups + i * plan->group_row);
    }
}

/* Row `y` of the result, from the groups that were filled for the row `shift` above. */
static void multiply_row(const job *j, const part *p, int64_t y, int64_t shift)
{
    const cnn_conv_shape *s = j->call->shape;
    const depthwise_plan *plan = j->plan;
    const cnn_int8_layout *layout = &plan->layout;
    const char *packed = j->call->packed;
    int64_t tap_count = layout->outer / layout->sharing;
    ptrdiff_t weight_stride = layout->padded * plan->kernels->group_bytes;
    cnn_int8_depthwise_row row = {
        .pixels = s->out_width,
        .channels = p->channels,
        .source = p->groups,
        .step = s->stride[1] * plan->group_pixel,
        .taps = j->taps,
        .tap_count = tap_count,
        .weights = (const uint8_t *)packed + layout->weights + shift * tap_count * weight_stride +
                   p->channel * plan->kernels->group_bytes,
        .weight_stride = weight_stride,
        .bias = (const int32_t *)(const void *)packed + p->channel,
        .result_stride = s->out_channels,
        .result = cnn_int8_result_at(&j->call->result,
                                     (p->image * s->out_height + y) * s->out_width * s->out_channels + p->channel),
    };
    row.result.scale = (const float *)(const void *)(packed + layout->scales) + p->channel;
    plan->kernels->multiply(&row);
}

static void run_part(void *argument, size_t task, uint32_t worker)
{
    const job *j = argument;
    const depthwise_plan *plan = j->plan;
    const cnn_conv_shape *s = j->call->shape;
    int64_t piece = (int64_t)task % plan->per_panel, unit = (int64_t)task / plan->per_panel;
    part p = { .image = unit / plan->panels, .channel = unit % plan->panels * CNN_INT8_PANEL };
    p.channels = cnn_lesser(s->in_channels - p.channel, CNN_INT8_PANEL);
    p.row = s->out_height * piece / plan->per_panel;
    p.last = s->out_height * (piece + 1) / plan->per_panel;
    p.groups = j->scratch + worker * plan->worker_bytes;
    for (int64_t y = p.row; y < p.last; y++) {
        int64_t shift = (y - p.row) % plan->layout.sharing;
        if (shift == 0)
            fill_source(j, &p, y);
        multiply_row(j, &p, y, shift);
    }
}

void cnn_int8_depthwise_run(const cnn_int8_depthwise_call *call, void *workspace)
{
    const cnn_conv_shape *s = call->shape;
    depthwise_plan p = plan_make(call->context, s);
    uint8_t *memory = workspace;
    job j = { .call = call,
              .plan = &p,
              .taps = workspace,
              .blank = memory + p.taps_bytes,
              .scratch = memory + p.taps_bytes + p.blank_bytes };
    memset(j.blank, call->zero, p.blank_bytes);
    for (int64_t i = 0; i < p.layout.outer / p.layout.sharing; i++)
        j.taps[i] = i / s->kernel[1] * p.group_row + i % s->kernel[1] * s->dilation[1] * p.group_pixel;
    cnn_parallel(call->context, (size_t)(s->batch * p.panels * p.per_panel), run_part, &j);
}
