#include "kernels/winograd/winograd_backward_weights.h"

#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/epilogue.h"
#include "kernels/conv/padded_tile.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/gemm/matrix.h"
#include "kernels/gemm/split_k.h"
#include "kernels/tasks.h"
#include "kernels/winograd/winograd_transforms.h"

enum {
    MIN_CHANNELS = 16,
    TAPS = 9,
    UNIT_COLUMNS = 4,       /* of the gradient */
    PADDED_UNITS = 8,       /* that are copied and transformed at once */
    MIN_SPLIT_PIXELS = 768, /* partial sums must be worth adding up */
    SHIFT = 16              /* floats between matrices: else the same element of all would fall on one cache set */
};

/* Units are tiles of 4 × 4 floats, or two tiles of 2 × 2 bfloat16 side by side. The sums and a block of units of both
 * transformed sources are what the second-level cache holds. */
typedef struct variant {
    bool bf16;
    int64_t rows; /* of a unit */
    int64_t matrices, block_units, out_panel;
} variant;

static const variant of_floats = { false, 4, 36, 32, 32 }, of_bf16 = { true, 2, 16, 48, CNN_PANEL };

typedef struct plan {
    const cnn_kernels *kernels;
    const cnn_conv_shape *shape;
    const variant *variant;
    const cnn_winograd_adjoints *adjoints;
    const cnn_conv_gradient *gradient;
    const void *input;
    int64_t in_panels, out_panels;                        /* of channels */
    int64_t across, per_image, units;                     /* in a row of them, in an image, in all */
    ptrdiff_t source_stride, gradient_stride, sum_stride; /* between matrices */
    size_t tables_bytes, padded_floats, worker_floats;
    cnn_indirection indirection;
    cnn_split_k split; /* of the units */
    float *scratch;
} plan;

static bool has_variant(const cnn_kernels *kernels, const cnn_conv_shape *s)
{
    return s->input_type == s->output_type && (s->input_type == CNN_FLOAT32 || kernels->bf16_dot);
}

static const variant *variant_of(const cnn_conv_shape *s)
{
    return s->input_type == CNN_FLOAT32 ? &of_floats : &of_bf16;
}

/* Of small images tiles are mostly padding: then the fewer products aren't worth the transforms. */
static bool wastes_tiles(const cnn_conv_shape *s)
{
    return cnn_divide_up(s->out_height, 4) * cnn_divide_up(s->out_width, 4) * 7 > s->out_height * s->out_width;
}

bool cnn_winograd_backward_weights_fits(const cnn_kernels *kernels, const cnn_conv_shape *s)
{
    for (int i = 0; i < 2; i++)
        if (s->kernel[i] != 3 || s->stride[i] != 1 || s->dilation[i] != 1)
            return false;
    return has_variant(kernels, s) && (variant_of(s)->bf16 || !wastes_tiles(s)) && s->groups == 1 &&
           s->in_channels >= MIN_CHANNELS && s->out_channels >= MIN_CHANNELS;
}

static void plan_memory(plan *p)
{
    const variant *v = p->variant;
    p->source_stride = v->block_units * CNN_PANEL + SHIFT;
    p->gradient_stride = v->block_units * v->out_panel + SHIFT;
    p->sum_stride = CNN_PANEL * v->out_panel + SHIFT;
    int64_t padded = (v->rows + 2) * (UNIT_COLUMNS * PADDED_UNITS + 2) * CNN_PANEL;
    p->padded_floats = (size_t)(v->bf16 ? padded / 2 : padded);
    p->worker_floats =
        p->padded_floats + (size_t)(v->matrices * (p->source_stride + p->gradient_stride + p->sum_stride));
    p->tables_bytes = cnn_indirection_bytes(CNN_PANEL, 1);
}

static plan make_plan(cnn_context *context, const cnn_conv_shape *s)
{
    plan p = { .kernels = cnn_kernels_get(context), .shape = s };
    const variant *v = p.variant = variant_of(s);
    p.adjoints = v->bf16 ? &p.kernels->winograd_adjoint->bf16_by_2 : &p.kernels->winograd_adjoint->by_4;
    p.in_panels = cnn_divide_up(s->in_channels, CNN_PANEL);
    p.out_panels = cnn_divide_up(s->out_channels, v->out_panel);
    p.across = cnn_divide_up(s->out_width, UNIT_COLUMNS);
    p.per_image = p.across * cnn_divide_up(s->out_height, v->rows);
    p.units = s->batch * p.per_image;
    p.split.weights = 9 * s->in_channels * s->out_channels;
    p.split.channels = s->out_channels;
    p.split.by_group = cnn_context_threads(context) <= CNN_FEW_THREADS;
    cnn_split_k_plan(&p.split, p.in_panels * p.out_panels, p.units * v->rows * UNIT_COLUMNS / MIN_SPLIT_PIXELS);
    plan_memory(&p);
    return p;
}

size_t cnn_winograd_backward_weights_workspace(cnn_context *context, const cnn_conv_shape *shape)
{
    plan p = make_plan(context, shape);
    return p.tables_bytes +
           (cnn_split_k_floats(&p.split) + cnn_context_threads(context) * p.worker_floats) * sizeof(float);
}

/* What one task does: a split of the units, for a panel of input channels and one of output channels. */
typedef struct part {
    int64_t in, in_channels, out, out_channels;
    void *padded;
    float *source, *gradient, *sums; /* scratch: both transformed, and matrices of sums */
    float *weights, *bias;           /* of the task; bias NULL: another's work */
    float *split_bias;               /* scratch; NULL likewise */
} part;

/* Units side by side. */
typedef struct segment {
    int64_t image, y, x;  /* of the first one's first result pixel */
    int64_t units, place; /* place: of the first in its block */
} segment;

/* Values `at`, ... of an array of the plan's type. */
static const void *values_at(const plan *p, const void *values, int64_t at)
{
    return (const char *)values + at * (int64_t)(p->variant->bf16 ? sizeof(uint16_t) : sizeof(float));
}

/* Rows of an image, which are read in place where all of them are inside and nothing is to be undone on the way. */
static void place_tile(const plan *p, const part *t, const cnn_tile_source *source, const cnn_padded_tile *padded,
                       cnn_winograd_units *result)
{
    const cnn_conv_gradient *g = source->gradient;
    bool plain = !g || (g->activation == CNN_ACTIVATION_NONE && !g->pool[0]);
    if (plain && padded->top >= 0 && padded->left >= 0 && padded->top + padded->rows <= source->height &&
        padded->left + padded->columns <= source->width) {
        int64_t pixel = (padded->image * source->height + padded->top) * source->width + padded->left;
        result->from = values_at(p, g ? g->gradient : source->image, pixel * source->channels + padded->channel);
        result->pixel_stride = source->channels;
        result->row_stride = source->width * source->channels;
        return;
    }
    cnn_padded_tile_fill(source, padded, t->padded);
    result->from = t->padded;
    result->pixel_stride = padded->channels;
    result->row_stride = padded->columns * padded->channels;
}

static void transform_input(const plan *p, const part *t, const segment *g)
{
    const cnn_conv_shape *s = p->shape;
    cnn_tile_source source = { .kernels = p->kernels,
                               .height = s->in_height,
                               .width = s->in_width,
                               .channels = s->in_channels,
                               .bf16 = p->variant->bf16,
                               .image = p->input };
    cnn_padded_tile padded = { .image = g->image,
                               .top = g->y - s->pad_top,
                               .left = g->x - s->pad_left,
                               .rows = p->variant->rows + 2,
                               .columns = UNIT_COLUMNS * g->units + 2,
                               .channel = t->in,
                               .channels = t->in_channels,
                               .pixel_stride = t->in_channels,
                               .bf16 = p->variant->bf16 };
    cnn_winograd_units across = { .channels = t->in_channels,
                                  .units = g->units,
                                  .to = t->source + g->place * t->in_channels,
                                  .matrix_stride = p->source_stride };
    place_tile(p, t, &source, &padded, &across);
    p->adjoints->input(&across);
}

static void transform_gradient(const plan *p, const part *t, const segment *g)
{
    const cnn_conv_shape *s = p->shape;
    cnn_tile_source source = { .kernels = p->kernels,
                               .height = s->out_height,
                               .width = s->out_width,
                               .channels = s->out_channels,
                               .bf16 = p->variant->bf16,
                               .gradient = p->gradient };
    cnn_padded_tile padded = { .image = g->image,
                               .top = g->y,
                               .left = g->x,
                               .rows = p->variant->rows,
                               .columns = UNIT_COLUMNS * g->units,
                               .channel = t->out,
                               .channels = t->out_channels,
                               .pixel_stride = t->out_channels,
                               .bf16 = p->variant->bf16 };
    cnn_winograd_units across = { .channels = t->out_channels,
                                  .units = g->units,
                                  .to = t->gradient + g->place * t->out_channels,
                                  .matrix_stride = p->gradient_stride,
                                  .sums = t->split_bias };
    place_tile(p, t, &source, &padded, &across);
    p->adjoints->gradient(&across);
}

static void multiply_block(const plan *p, const part *t, int64_t units, bool first)
{
    cnn_gemm gemm = { .bf16_dot = p->variant->bf16,
                      .rows = t->in_channels,
                      .columns = t->out_channels,
                      .outer = 1,
                      .inner = units,
                      .indirection = p->indirection,
                      .a_stride = t->in_channels,
                      .b_stride = t->out_channels,
                      .accumulate = !first,
                      .clamp = CNN_NO_CLAMP };
    for (int64_t i = 0; i < p->variant->matrices; i++) {
        gemm.a = t->source + i * p->source_stride;
        gemm.b = t->gradient + i * p->gradient_stride;
        gemm.c = t->sums + i * p->sum_stride;
        cnn_gemm_run(p->kernels, &gemm);
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
        g.units = cnn_lesser(cnn_lesser(PADDED_UNITS, end - unit), p->across - x);
        transform_input(p, t, &g);
        transform_gradient(p, t, &g);
    }
    multiply_block(p, t, end - begin, first);
}

static part locate_part(const plan *p, int64_t task, int64_t unit, uint32_t worker)
{
    const cnn_conv_shape *s = p->shape;
    int64_t out_panel = p->variant->out_panel, matrices = p->variant->matrices;
    part t = { .in = unit / p->out_panels * CNN_PANEL, .out = unit % p->out_panels * out_panel };
    t.in_channels = cnn_lesser(s->in_channels - t.in, CNN_PANEL);
    t.out_channels = cnn_lesser(s->out_channels - t.out, out_panel);
    t.source = p->scratch + worker * p->worker_floats;
    t.gradient = t.source + matrices * p->source_stride;
    t.sums = t.gradient + matrices * p->gradient_stride;
    t.padded = t.sums + matrices * p->sum_stride;
    t.weights = cnn_split_k_weights(&p->split, task);
    if (p->split.bias_gradient && t.in == 0)
        t.bias = cnn_split_k_bias(&p->split, task) + t.out;
    return t;
}

/* Adds to what is at `to`, or writes there. */
static void store(const plan *p, const float *from, int64_t count, float *to, bool adds)
{
    if (adds)
        p->kernels->matrix->sum_rows(&(cnn_matrix){ .values = from, .rows = 1, .columns = count }, to);
    else
        memcpy(to, from, (size_t)count * sizeof(float));
}

/* From sums of products to gradients, one input channel after the other. */
static void store_split(const plan *p, const part *t, bool adds)
{
    const cnn_conv_shape *s = p->shape;
    int64_t tap_stride = s->in_channels * s->out_channels;
    float taps[TAPS * CNN_PANEL];
    for (int64_t row = 0; row < t->in_channels; row++) {
        const float *sums = t->sums + p->indirection.outputs[row];
        float *to = t->weights + (t->in + row) * s->out_channels + t->out;
        if (!adds) {
            p->adjoints->weights(sums, p->sum_stride, t->out_channels, to, tap_stride);
            continue;
        }
        p->adjoints->weights(sums, p->sum_stride, t->out_channels, taps, CNN_PANEL);
        for (int64_t tap = 0; tap < TAPS; tap++)
            store(p, taps + tap * CNN_PANEL, t->out_channels, to + tap * tap_stride, true);
    }
    if (t->bias)
        store(p, t->split_bias, t->out_channels, t->bias, adds);
}

static void run_split(const plan *p, const part *t, int64_t split, bool adds)
{
    if (t->bias)
        memset(t->split_bias, 0, (size_t)t->out_channels * sizeof(float));
    int64_t begin = p->units * split / p->split.splits, end = p->units * (split + 1) / p->split.splits;
    int64_t blocks = cnn_divide_up(end - begin, p->variant->block_units), count = end - begin;
    for (int64_t i = 0; i < blocks; i++)
        run_block(p, t, begin + count * i / blocks, begin + count * (i + 1) / blocks, i == 0);
    store_split(p, t, adds);
}

static void run_task(void *argument, size_t number, uint32_t worker)
{
    const plan *p = argument;
    int64_t tasks = cnn_split_k_tasks(&p->split), task = (int64_t)number % tasks, each = p->split.splits / tasks;
    float split_bias[CNN_PANEL];
    part t = locate_part(p, task, (int64_t)number / tasks, worker);
    t.split_bias = t.bias ? split_bias : NULL;
    for (int64_t i = 0; i < each; i++)
        run_split(p, &t, task * each + i, i > 0);
}

void cnn_winograd_backward_weights_run(cnn_context *context, const cnn_conv_shape *shape,
                                       const cnn_conv_gradient *gradient, const cnn_weight_gradient *wanted)
{
    plan p = make_plan(context, shape);
    p.gradient = gradient;
    p.input = wanted->input;
    p.split.weight_gradient = wanted->weights;
    p.split.bias_gradient = wanted->bias;
    p.indirection = cnn_indirection_at(wanted->workspace, CNN_PANEL);
    p.indirection.taps[0] = 0;
    p.split.partial_sums = (float *)(void *)((unsigned char *)wanted->workspace + p.tables_bytes);
    p.scratch = p.split.partial_sums + cnn_split_k_floats(&p.split);
    for (int64_t i = 0; i < CNN_PANEL; i++) {
        p.indirection.rows[i] = i;
        p.indirection.outputs[i] = i * p.variant->out_panel;
    }
    cnn_parallel(context, (size_t)(p.in_panels * p.out_panels * cnn_split_k_tasks(&p.split)), run_task, &p);
    cnn_split_k_reduce(context, &p.split);
}
