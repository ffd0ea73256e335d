#include "kernels/winograd_weights.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/blocks.h"
#include "kernels/row.h"
#include "kernels/shares.h"
#include "kernels/strip.h"
#include "kernels/winograd.h"

enum {
    MATRICES = 16,
    MIN_CHANNELS = 16,
    BLOCK_PAIRS = 48,     /* of tiles: with the sums, what the second-level cache holds */
    STRIP_PAIRS = 8,      /* that are copied and transformed at once */
    MIN_SHARE_PAIRS = 96, /* a sum of its own must be worth adding up */
    ENOUGH_TASKS = 16,
    MAX_SUMS_BYTES = 1 << 25, /* of all tasks */
    SHIFT = 16                /* floats between matrices: else the same element of all would fall on one cache set */
};

typedef struct plan {
    const cnn_kernels *kernels;
    const cnn_conv_shape *shape;
    const cnn_conv_gradient *gradient;
    const uint16_t *input;
    float *weight_gradient, *bias_gradient;
    int64_t in_panels, out_panels;    /* of channels */
    int64_t across, per_image, pairs; /* pairs of tiles in a row of them, in an image, in all */
    int64_t shares;                   /* of the pairs, each with its own sum */
    int64_t weights;                  /* how many there are */
    size_t tables_bytes, sums_floats, worker_floats;
    ptrdiff_t *a_rows, *c_rows;
    float *sums, *scratch;
} plan;

/* Floats of a worker's scratch memory. */
enum {
    SOURCE_STRIDE = BLOCK_PAIRS * CNN_PANEL + SHIFT,
    SUM_STRIDE = CNN_PANEL * CNN_PANEL + SHIFT,
    STRIP_FLOATS = 4 * (4 * STRIP_PAIRS + 2) * CNN_PANEL / 2,
    WORKER_FLOATS = STRIP_FLOATS + MATRICES * (2 * SOURCE_STRIDE + SUM_STRIDE)
};

bool cnn_winograd_weights_fits(const cnn_kernels *kernels, const cnn_conv_shape *s)
{
    for (int i = 0; i < 2; i++)
        if (s->kernel[i] != 3 || s->stride[i] != 1 || s->dilation[i] != 1)
            return false;
    return kernels->pair && s->input_type == CNN_BFLOAT16 && s->output_type == CNN_BFLOAT16 && s->groups == 1 &&
           s->in_channels >= MIN_CHANNELS && s->out_channels >= MIN_CHANNELS;
}

static plan make_plan(cnn_context *context, const cnn_conv_shape *s)
{
    plan p = { .kernels = cnn_kernels_get(context), .shape = s };
    p.in_panels = cnn_divide_up(s->in_channels, CNN_PANEL);
    p.out_panels = cnn_divide_up(s->out_channels, CNN_PANEL);
    p.across = cnn_divide_up(s->out_width, 4);
    p.per_image = p.across * cnn_divide_up(s->out_height, 2);
    p.pairs = s->batch * p.per_image;
    p.weights = 9 * s->in_channels * s->out_channels;
    p.shares = cnn_divide_up(ENOUGH_TASKS, p.in_panels * p.out_panels);
    p.shares = cnn_lesser(p.shares, p.pairs / MIN_SHARE_PAIRS);
    p.shares = cnn_lesser(p.shares, 1 + MAX_SUMS_BYTES / (p.weights * (int64_t)sizeof(float)));
    p.shares = cnn_at_least_1(p.shares);
    p.tables_bytes = cnn_round_up(2 * CNN_PANEL * sizeof(ptrdiff_t), 64);
    p.sums_floats = cnn_round_up((size_t)((p.shares - 1) * (p.weights + s->out_channels)), SHIFT);
    return p;
}

size_t cnn_winograd_weights_workspace(cnn_context *context, const cnn_conv_shape *shape)
{
    plan p = make_plan(context, shape);
    return p.tables_bytes + (p.sums_floats + cnn_context_threads(context) * WORKER_FLOATS) * sizeof(float);
}

/* What one task does: a share of the pairs, for a panel of input channels and one of output channels. */
typedef struct part {
    int64_t in, in_channels, out, out_channels;
    uint16_t *strip;
    float *source, *gradient, *sums; /* scratch: both transformed, and 16 matrices */
    float *weights, *bias;           /* of the share; bias NULL: another's work */
} part;

/* Pairs side by side. */
typedef struct segment {
    int64_t image, y, x;  /* of the first one's first result pixel */
    int64_t pairs, place; /* place: of the first in its block */
} segment;

static cnn_winograd_strip strip_of(const segment *g, int64_t channels, float *to)
{
    return (cnn_winograd_strip){
        .channels = channels, .pairs = g->pairs, .to = to + g->place * channels, .matrix_stride = SOURCE_STRIDE
    };
}

static void transform_input(const plan *p, const part *t, const segment *g)
{
    const cnn_conv_shape *s = p->shape;
    cnn_winograd_strip across = strip_of(g, t->in_channels, t->source);
    cnn_strip strip = { .image = g->image,
                        .top = g->y - s->pad_top,
                        .left = g->x - s->pad_left,
                        .rows = 4,
                        .columns = 4 * g->pairs + 2,
                        .channel = t->in,
                        .channels = t->in_channels,
                        .pixel_stride = t->in_channels,
                        .narrow = true };
    if (strip.top >= 0 && strip.left >= 0 && strip.top + strip.rows <= s->in_height &&
        strip.left + strip.columns <= s->in_width) {
        across.from =
            p->input + ((g->image * s->in_height + strip.top) * s->in_width + strip.left) * s->in_channels + t->in;
        across.pixel_stride = s->in_channels;
        across.row_stride = s->in_width * s->in_channels;
    } else {
        cnn_strip_source source = { .kernels = p->kernels,
                                    .height = s->in_height,
                                    .width = s->in_width,
                                    .channels = s->in_channels,
                                    .narrow = true,
                                    .image = p->input };
        cnn_strip_fill(&source, &strip, t->strip);
        across.from = t->strip;
        across.pixel_stride = t->in_channels;
        across.row_stride = strip.columns * t->in_channels;
    }
    p->kernels->winograd->input_across(&across);
}

static void transform_gradient(const plan *p, const part *t, const segment *g)
{
    const cnn_conv_shape *s = p->shape;
    cnn_winograd_strip across = strip_of(g, t->out_channels, t->gradient);
    cnn_strip_source source = { .kernels = p->kernels,
                                .height = s->out_height,
                                .width = s->out_width,
                                .channels = s->out_channels,
                                .narrow = true,
                                .gradient = p->gradient };
    cnn_strip strip = { .image = g->image,
                        .top = g->y,
                        .left = g->x,
                        .rows = 2,
                        .columns = 4 * g->pairs,
                        .channel = t->out,
                        .channels = t->out_channels,
                        .pixel_stride = t->out_channels,
                        .narrow = true };
    cnn_strip_fill(&source, &strip, t->strip);
    across.from = t->strip;
    across.pixel_stride = t->out_channels;
    across.row_stride = strip.columns * t->out_channels;
    across.sums = t->bias;
    p->kernels->winograd->gradient_across(&across);
}

static void multiply_block(const plan *p, const part *t, int64_t pairs, bool first)
{
    const ptrdiff_t no_offset = 0;
    cnn_product product = { .pairs = true,
                            .rows = t->in_channels,
                            .columns = t->out_channels,
                            .outer = 1,
                            .inner = pairs,
                            .a_rows = p->a_rows,
                            .a_offsets = &no_offset,
                            .a_step = t->in_channels,
                            .b_step = t->out_channels,
                            .c_rows = p->c_rows,
                            .accumulate = !first,
                            .low = -INFINITY,
                            .high = INFINITY };
    for (int64_t i = 0; i < MATRICES; i++) {
        product.a = t->source + i * SOURCE_STRIDE;
        product.b = t->gradient + i * SOURCE_STRIDE;
        product.c = t->sums + i * SUM_STRIDE;
        cnn_product_run(p->kernels, &product);
    }
}

static void run_block(const plan *p, const part *t, int64_t begin, int64_t end, bool first)
{
    segment g;
    for (int64_t pair = begin; pair < end; pair += g.pairs) {
        int64_t within = pair % p->per_image, x = within % p->across;
        g = (segment){ .image = pair / p->per_image, .y = within / p->across * 2, .x = x * 4, .place = pair - begin };
        g.pairs = cnn_lesser(cnn_lesser(STRIP_PAIRS, end - pair), p->across - x);
        transform_input(p, t, &g);
        transform_gradient(p, t, &g);
    }
    multiply_block(p, t, end - begin, first);
}

static part locate_part(const plan *p, int64_t share, int64_t unit, uint32_t worker)
{
    const cnn_conv_shape *s = p->shape;
    part t = { .in = unit / p->out_panels * CNN_PANEL, .out = unit % p->out_panels * CNN_PANEL };
    t.in_channels = cnn_lesser(s->in_channels - t.in, CNN_PANEL);
    t.out_channels = cnn_lesser(s->out_channels - t.out, CNN_PANEL);
    t.source = p->scratch + worker * (size_t)WORKER_FLOATS;
    t.gradient = t.source + MATRICES * SOURCE_STRIDE;
    t.sums = t.gradient + MATRICES * SOURCE_STRIDE;
    t.strip = (uint16_t *)(void *)(t.sums + MATRICES * SUM_STRIDE);
    t.weights = share ? p->sums + (share - 1) * (p->weights + s->out_channels) : p->weight_gradient;
    if (p->bias_gradient && t.in == 0)
        t.bias = (share ? t.weights + p->weights : p->bias_gradient) + t.out;
    return t;
}

static void run_task(void *argument, size_t task, uint32_t worker)
{
    const plan *p = argument;
    const cnn_conv_shape *s = p->shape;
    int64_t share = (int64_t)task % p->shares;
    part t = locate_part(p, share, (int64_t)task / p->shares, worker);
    if (t.bias)
        memset(t.bias, 0, (size_t)t.out_channels * sizeof(float));
    int64_t begin = p->pairs * share / p->shares, end = p->pairs * (share + 1) / p->shares;
    int64_t blocks = cnn_divide_up(end - begin, BLOCK_PAIRS), count = end - begin;
    for (int64_t i = 0; i < blocks; i++)
        run_block(p, &t, begin + count * i / blocks, begin + count * (i + 1) / blocks, i == 0);
    float *to = t.weights + t.in * s->out_channels + t.out;
    for (int64_t row = 0; row < t.in_channels; row++)
        p->kernels->winograd->weight_gradient(t.sums + p->c_rows[row], SUM_STRIDE, t.out_channels,
                                              to + row * s->out_channels, s->in_channels * s->out_channels);
}

void cnn_winograd_weights_run(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_gradient *gradient,
                              const void *input, float *weight_gradient, float *bias_gradient, void *workspace)
{
    plan p = make_plan(context, shape);
    p.gradient = gradient;
    p.input = input;
    p.weight_gradient = weight_gradient;
    p.bias_gradient = bias_gradient;
    p.a_rows = workspace;
    p.c_rows = p.a_rows + CNN_PANEL;
    p.sums = (float *)(void *)((unsigned char *)workspace + p.tables_bytes);
    p.scratch = p.sums + p.sums_floats;
    for (int64_t i = 0; i < CNN_PANEL; i++) {
        p.a_rows[i] = i;
        p.c_rows[i] = i * CNN_PANEL;
    }
    cnn_parallel(context, (size_t)(p.in_panels * p.out_panels * p.shares), run_task, &p);
    cnn_shares shares = { .kernels = p.kernels,
                          .sums = p.sums,
                          .count = p.shares - 1,
                          .weights = p.weights,
                          .channels = shape->out_channels,
                          .weight_gradient = weight_gradient,
                          .bias_gradient = bias_gradient };
    cnn_shares_add(context, &shares);
}
