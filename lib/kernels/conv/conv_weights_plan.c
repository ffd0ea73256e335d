#include "kernels/conv/conv_weights_plan.h"

#include "core/memory.h"
#include "kernels/tasks.h"

enum {
    TILE_PIXELS = 128,         /* gradient that stays in the first-level cache while all weights use it; */
    PAIRED_TILE_PIXELS = 256,  /* with half of the bytes */
    MIN_SPLIT_PIXELS = 1024,   /* partial sums must be worth adding up, */
    MIN_SPLIT_DEPTHWISE = 256, /* which those of few weights sooner are */
    MIN_SHARE = 16,            /* input channels; fewer are slower */
    MAX_USES_IN_PLACE = 256    /* of a gradient; more are worth a copy that lies together */
};

static void plan_tiles(cnn_weights_plan *p)
{
    const cnn_conv_shape *s = p->shape;
    const int64_t most = p->paired ? PAIRED_TILE_PIXELS : TILE_PIXELS;
    p->tile_rows = cnn_lesser(cnn_at_least_1(most / s->out_width), s->out_height);
    p->tile_images = 1;
    if (p->tile_rows == s->out_height)
        p->tile_images = cnn_lesser(cnn_at_least_1(most / (s->out_height * s->out_width)), s->batch);
    p->tiles_per_image = cnn_divide_up(s->out_height, p->tile_rows);
    p->tiles = cnn_divide_up(s->batch, p->tile_images) * p->tiles_per_image;

    int64_t pixels = s->batch * s->out_height * s->out_width;
    int64_t splits = cnn_lesser(p->tiles, pixels / (p->depthwise ? MIN_SPLIT_DEPTHWISE : MIN_SPLIT_PIXELS));
    cnn_split_k_plan(&p->split, p->groups * p->panels, splits);
}

/* Into equal shares: few, for each prepares the gradient anew. */
static void plan_shares(cnn_weights_plan *p, uint32_t threads)
{
    int64_t channels = p->shape->in_channels / p->shape->groups, tasks = p->groups * p->panels * p->split.splits;
    p->shares = 1;
    if (threads <= CNN_FEW_THREADS || p->depthwise)
        return;
    p->shares = cnn_clamp_size(cnn_divide_up(2 * threads, tasks), 1, cnn_at_least_1(channels / MIN_SHARE));
    while (channels % p->shares)
        p->shares--;
}

static void plan_source(cnn_weights_plan *p)
{
    const cnn_conv_shape *s = p->shape;
    bool as_it_is = s->input_type == CNN_FLOAT32 || p->paired;
    p->direct = as_it_is && (p->depthwise || !cnn_conv_reads_outside(&p->problem));
    p->channels = p->depthwise ? cnn_lesser(s->in_channels, CNN_PANEL) : s->in_channels / s->groups / p->shares;
    p->source_rows = cnn_conv_source_rows(&p->problem, p->tile_rows);
    p->source_columns = cnn_conv_source_columns(&p->problem);
    p->strides.pixel = p->direct ? s->in_channels : p->channels;
    p->strides.row = p->strides.pixel * (p->direct ? s->in_width : p->source_columns);
    p->strides.image = p->strides.row * (p->direct ? s->in_height : p->source_rows);
    p->runs = s->dilation[1] == 1 && p->strides.pixel == p->channels;
    int64_t row = s->stride[0] * p->strides.row;
    p->flat = row == s->out_width * s->stride[1] * p->strides.pixel && p->strides.image == s->out_height * row;
}

/* Floats of scratch memory that each worker has. */
static void plan_scratch(cnn_weights_plan *p)
{
    const cnn_conv_shape *s = p->shape;
    const int64_t rows = p->tile_images * p->tile_rows, values = p->paired ? 2 : 1; /* in a float */
    p->source_floats =
        p->direct ? 0 : cnn_round_up((size_t)cnn_divide_up(p->tile_images * p->strides.image, values), 16);
    p->gradient_floats = p->gradient_in_place ? 0 : (size_t)(rows * s->out_width * CNN_PANEL / values);
    p->pairs = p->paired ? (size_t)(rows * cnn_divide_up(s->out_width, 2)) : 0;
    p->worker_floats = p->source_floats + p->gradient_floats + p->pairs * (CNN_PANEL + CNN_PAIRED_ROWS + 1);
    p->worker_floats = cnn_round_up(p->worker_floats, 16);
}

cnn_weights_plan cnn_weights_plan_make(cnn_context *context, const cnn_conv_shape *s, const cnn_conv_gradient *gradient)
{
    cnn_weights_plan p = {
        .kernels = cnn_kernels_get(context), .shape = s, .problem = cnn_conv_problem_of(s), .gradient = gradient
    };
    p.depthwise = cnn_conv_is_depthwise(&p.problem);
    p.paired = !p.depthwise && p.kernels->bf16_dot && s->input_type == CNN_BFLOAT16 && s->output_type == CNN_BFLOAT16;
    p.groups = p.depthwise ? 1 : s->groups;
    p.columns = s->out_channels / p.groups;
    p.panels = cnn_divide_up(p.columns, CNN_PANEL);
    p.split.channels = s->out_channels;
    p.split.weights = (int64_t)s->kernel[0] * s->kernel[1] * (s->in_channels / s->groups) * s->out_channels;
    plan_tiles(&p);
    plan_shares(&p, cnn_context_threads(context));
    plan_source(&p);
    bool few_uses = s->output_type == CNN_FLOAT32 && p.split.weights / s->out_channels <= MAX_USES_IN_PLACE;
    p.gradient_in_place = cnn_conv_gradient_is_plain(gradient) && (p.paired || few_uses);
    plan_scratch(&p);
    if (!p.depthwise)
        p.tables_bytes = cnn_indirection_bytes(cnn_weights_plan_rows(&p), p.tile_images * p.tile_rows);
    return p;
}

size_t cnn_weights_plan_workspace(const cnn_weights_plan *p, uint32_t threads)
{
    return p->tables_bytes + (cnn_split_k_floats(&p->split) + threads * p->worker_floats) * sizeof(float);
}

static void fill_tables(const cnn_weights_plan *p)
{
    const cnn_conv_shape *s = p->shape;
    for (int64_t i = 0; i < cnn_weights_plan_rows(p); i++) {
        p->indirection.rows[i] = i;
        p->indirection.outputs[i] = (i / p->channels * p->channels * p->shares + i % p->channels) * s->out_channels;
    }
    for (int64_t i = 0; i < p->tile_images * p->tile_rows; i++)
        p->indirection.taps[i] = i / p->tile_rows * p->strides.image + i % p->tile_rows * s->stride[0] * p->strides.row;
}

void cnn_weights_plan_place(cnn_weights_plan *p, void *workspace)
{
    p->split.partial_sums = (float *)(void *)((unsigned char *)workspace + p->tables_bytes);
    p->scratch = p->split.partial_sums + cnn_split_k_floats(&p->split);
    if (p->depthwise)
        return;
    p->indirection = cnn_indirection_at(workspace, cnn_weights_plan_rows(p));
    fill_tables(p);
}
