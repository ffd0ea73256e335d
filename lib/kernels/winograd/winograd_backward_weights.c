#include "kernels/winograd/winograd_backward_weights.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/epilogue.h"
#include "kernels/conv/padded_tile.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/gemm/split_k.h"
#include "kernels/winograd/winograd.h"

enum {
    MIN_CHANNELS = 16,
    UNIT_COLUMNS = 4,       /* of the gradient */
    STRIP_UNITS = 8,        /* that are copied and transformed at once */
    MIN_SHARE_PIXELS = 768, /* a sum of its own must be worth adding up */
    ENOUGH_TASKS = 16,
    MAX_SUMS_BYTES = 1 << 25, /* of all tasks */
    SHIFT = 16                /* floats between matrices: else the same element of all would fall on one cache set */
};

/* Units are tiles of 4 × 4 floats, or two tiles of 2 × 2 bfloat16 side by side. The sums and a block of units of both
 * transformed sources are what the second-level cache holds. */
typedef struct variant {
    bool narrow;
    int64_t rows; /* of a unit */
    int64_t matrices, block_units, out_panel;
} variant;

static const variant of_floats = { false, 4, 36, 32, 32 }, of_pairs = { true, 2, 16, 48, CNN_PANEL };

typedef struct plan {
    const cnn_kernels *kernels;
    const cnn_conv_shape *shape;
    const variant *variant;
    const cnn_winograd_adjoints *adjoints;
    const cnn_conv_gradient *gradient;
    const void *input;
    float *weight_gradient, *bias_gradient;
    int64_t in_panels, out_panels;                        /* of channels */
    int64_t across, per_image, units;                     /* in a row of them, in an image, in all */
    int64_t shares;                                       /* of the units, each with its own sum */
    int64_t weights;                                      /* how many there are */
    ptrdiff_t source_stride, gradient_stride, sum_stride; /* between matrices */
    size_t tables_bytes, sums_floats, strip_floats, worker_floats;
    ptrdiff_t *a_rows, *c_rows;
    float *sums, *scratch;
} plan;

static bool has_variant(const cnn_kernels *kernels, const cnn_conv_shape *s)
{
    return s->input_type == s->output_type && (s->input_type == CNN_FLOAT32 || kernels->pair);
}

static const variant *variant_of(const cnn_conv_shape *s)
{
    return s->input_type == CNN_FLOAT32 ? &of_floats : &of_pairs;
}

/* Of small images tiles are mostly padding: then the fewer products aren't worth the transforms. */
static bool wastes_tiles(const cnn_conv_shape *s)
{
    return cnn_divide_up(s->out_height, 4) * cnn_divide_up(s->out_width, 4) * 7 > s->out_height * s->out_width;
}

bool cnn_winograd_weights_fits(const cnn_kernels *kernels, const cnn_conv_shape *s)
{
    for (int i = 0; i < 2; i++)
        if (s->kernel[i] != 3 || s->stride[i] != 1 || s->dilation[i] != 1)
            return false;
    return has_variant(kernels, s) && (variant_of(s)->narrow || !wastes_tiles(s)) && s->groups == 1 &&
           s->in_channels >= MIN_CHANNELS && s->out_channels >= MIN_CHANNELS;
}

static void plan_memory(plan *p)
{
    const variant *v = p->variant;
    p->source_stride = v->block_units * CNN_PANEL + SHIFT;
    p->gradient_stride = v->block_units * v->out_panel + SHIFT;
    p->sum_stride = CNN_PANEL * v->out_panel + SHIFT;
    int64_t strip = (v->rows + 2) * (UNIT_COLUMNS * STRIP_UNITS + 2) * CNN_PANEL;
    p->strip_floats = (size_t)(v->narrow ? strip / 2 : strip);
    p->worker_floats =
        p->strip_floats + (size_t)(v->matrices * (p->source_stride + p->gradient_stride + p->sum_stride));
    p->tables_bytes = cnn_round_up(2 * CNN_PANEL * sizeof(ptrdiff_t), 64);
    p->sums_floats = cnn_round_up((size_t)((p->shares - 1) * (p->weights + p->shape->out_channels)), SHIFT);
}

static plan make_plan(cnn_context *context, const cnn_conv_shape *s)
{
    plan p = { .kernels = cnn_kernels_get(context), .shape = s };
    const variant *v = p.variant = variant_of(s);
    p.adjoints = v->narrow ? &p.kernels->winograd->adjoints_of_pairs : &p.kernels->winograd->adjoints_by_4;
    p.in_panels = cnn_divide_up(s->in_channels, CNN_PANEL);
    p.out_panels = cnn_divide_up(s->out_channels, v->out_panel);
    p.across = cnn_divide_up(s->out_width, UNIT_COLUMNS);
    p.per_image = p.across * cnn_divide_up(s->out_height, v->rows);
    p.units = s->batch * p.per_image;
    p.weights = 9 * s->in_channels * s->out_channels;
    p.shares = cnn_divide_up(ENOUGH_TASKS, p.in_panels * p.out_panels);
    p.shares = cnn_lesser(p.shares, p.units * v->rows * UNIT_COLUMNS / MIN_SHARE_PIXELS);
    p.shares = cnn_lesser(p.shares, 1 + MAX_SUMS_BYTES / (p.weights * (int64_t)sizeof(float)));
    p.shares = cnn_at_least_1(p.shares);
    plan_memory(&p);
    return p;
}

size_t cnn_winograd_weights_workspace(cnn_context *context, const cnn_conv_shape *shape)
{
    plan p = make_plan(context, shape);
    return p.tables_bytes + (p.sums_floats + cnn_context_threads(context) * p.worker_floats) * sizeof(float);
}

/* What one task does: a share of the units, for a panel of input channels and one of output channels. */
typedef struct part {
    int64_t in, in_channels, out, out_channels;
    void *strip;
    float *source, *gradient, *sums; /* scratch: both transformed, and matrices of sums */
    float *weights, *bias;           /* of the share; bias NULL: another's work */
} part;

/* Units side by side. */
typedef struct segment {
    int64_t image, y, x;  /* of the first one's first result pixel */
    int64_t units, place; /* place: of the first in its block */
} segment;

/* Values `at`, ... of an array of the plan's type. */
static const void *values_at(const plan *p, const void *values, int64_t at)
{
    return (const char *)values + at * (int64_t)(p->variant->narrow ? sizeof(uint16_t) : sizeof(float));
}

/* Rows of an image, which are read in place where all of them are inside and nothing is to be undone on the way. */
static void place_strip(const plan *p, const part *t, const cnn_strip_source *source, const cnn_strip *strip,
                        cnn_winograd_strip *result)
{
    const cnn_conv_gradient *g = source->gradient;
    bool plain = !g || (g->activation == CNN_ACTIVATION_NONE && !g->pool[0]);
    if (plain && strip->top >= 0 && strip->left >= 0 && strip->top + strip->rows <= source->height &&
        strip->left + strip->columns <= source->width) {
        int64_t pixel = (strip->image * source->height + strip->top) * source->width + strip->left;
        result->from = values_at(p, g ? g->gradient : source->image, pixel * source->channels + strip->channel);
        result->pixel_stride = source->channels;
        result->row_stride = source->width * source->channels;
        return;
    }
    cnn_strip_fill(source, strip, t->strip);
    result->from = t->strip;
    result->pixel_stride = strip->channels;
    result->row_stride = strip->columns * strip->channels;
}

static void transform_input(const plan *p, const part *t, const segment *g)
{
    const cnn_conv_shape *s = p->shape;
    cnn_strip_source source = { .kernels = p->kernels,
                                .height = s->in_height,
                                .width = s->in_width,
                                .channels = s->in_channels,
                                .narrow = p->variant->narrow,
                                .image = p->input };
    cnn_strip strip = { .image = g->image,
                        .top = g->y - s->pad_top,
                        .left = g->x - s->pad_left,
                        .rows = p->variant->rows + 2,
                        .columns = UNIT_COLUMNS * g->units + 2,
                        .channel = t->in,
                        .channels = t->in_channels,
                        .pixel_stride = t->in_channels,
                        .narrow = p->variant->narrow };
    cnn_winograd_strip across = { .channels = t->in_channels,
                                  .units = g->units,
                                  .to = t->source + g->place * t->in_channels,
                                  .matrix_stride = p->source_stride };
    place_strip(p, t, &source, &strip, &across);
    p->adjoints->input(&across);
}

static void transform_gradient(const plan *p, const part *t, const segment *g)
{
    const cnn_conv_shape *s = p->shape;
    cnn_strip_source source = { .kernels = p->kernels,
                                .height = s->out_height,
                                .width = s->out_width,
                                .channels = s->out_channels,
                                .narrow = p->variant->narrow,
                                .gradient = p->gradient };
    cnn_strip strip = { .image = g->image,
                        .top = g->y,
                        .left = g->x,
                        .rows = p->variant->rows,
                        .columns = UNIT_COLUMNS * g->units,
                        .channel = t->out,
                        .channels = t->out_channels,
                        .pixel_stride = t->out_channels,
                        .narrow = p->variant->narrow };
    cnn_winograd_strip across = { .channels = t->out_channels,
                                  .units = g->units,
                                  .to = t->gradient + g->place * t->out_channels,
                                  .matrix_stride = p->gradient_stride,
                                  .sums = t->bias };
    place_strip(p, t, &source, &strip, &across);
    p->adjoints->gradient(&across);
}

static void multiply_block(const plan *p, const part *t, int64_t units, bool first)
{
    const ptrdiff_t no_offset = 0;
    cnn_product product = { .pairs = p->variant->narrow,
                            .rows = t->in_channels,
                            .columns = t->out_channels,
                            .outer = 1,
                            .inner = units,
                            .a_rows = p->a_rows,
                            .a_offsets = &no_offset,
                            .a_step = t->in_channels,
                            .b_step = t->out_channels,
                            .c_rows = p->c_rows,
                            .accumulate = !first,
                            .low = -INFINITY,
                            .high = INFINITY };
    for (int64_t i = 0; i < p->variant->matrices; i++) {
        product.a = t->source + i * p->source_stride;
        product.b = t->gradient + i * p->gradient_stride;
        product.c = t->sums + i * p->sum_stride;
        cnn_product_run(p->kernels, &product);
    }
}

static void run_block(const plan *p, const part *t, int64_t begin, int64_t end, bool first)
{
    segment g;
    for (int64_t unit = begin; unit < end; unit += g.units) {
        int64_t within = unit % p->per_image, x = within % p->across;
        g = (segment){ .image = unit / p->per_image,
                       .y = within / p->across * p->variant->rows,
                       .x = x * UNIT_COLUMNS,
                       .place = unit - begin };
        g.units = cnn_lesser(cnn_lesser(STRIP_UNITS, end - unit), p->across - x);
        transform_input(p, t, &g);
        transform_gradient(p, t, &g);
    }
    multiply_block(p, t, end - begin, first);
}

static part locate_part(const plan *p, int64_t share, int64_t unit, uint32_t worker)
{
    const cnn_conv_shape *s = p->shape;
    int64_t out_panel = p->variant->out_panel, matrices = p->variant->matrices;
    part t = { .in = unit / p->out_panels * CNN_PANEL, .out = unit % p->out_panels * out_panel };
    t.in_channels = cnn_lesser(s->in_channels - t.in, CNN_PANEL);
    t.out_channels = cnn_lesser(s->out_channels - t.out, out_panel);
    t.source = p->scratch + worker * p->worker_floats;
    t.gradient = t.source + matrices * p->source_stride;
    t.sums = t.gradient + matrices * p->gradient_stride;
    t.strip = t.sums + matrices * p->sum_stride;
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
    int64_t begin = p->units * share / p->shares, end = p->units * (share + 1) / p->shares;
    int64_t blocks = cnn_divide_up(end - begin, p->variant->block_units), count = end - begin;
    for (int64_t i = 0; i < blocks; i++)
        run_block(p, &t, begin + count * i / blocks, begin + count * (i + 1) / blocks, i == 0);
    float *to = t.weights + t.in * s->out_channels + t.out;
    for (int64_t row = 0; row < t.in_channels; row++)
        p->adjoints->weights(t.sums + p->c_rows[row], p->sum_stride, t.out_channels, to + row * s->out_channels,
                             s->in_channels * s->out_channels);
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
        p.c_rows[i] = i * p.variant->out_panel;
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
