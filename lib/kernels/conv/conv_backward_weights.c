/* The gradient by a convolution's weights is a gemm too: for each tap, of the input that it meets, turned, and the
 * gradient by the result; the sum goes over pixels. Depthwise ones have a kernel of their own. Shapes alone decide
 * how pixels are split among tasks: see split_k.h. */
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/conv_problem.h"
#include "kernels/depthwise/depthwise_weights.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/gemm/matrix.h"
#include "kernels/gemm/split_k.h"
#include "kernels/kernels.h"
#include "kernels/tasks.h"
#include "kernels/winograd/winograd_backward_weights.h"

enum {
    TILE_PIXELS = 128,         /* gradient that stays in the first-level cache while all weights use it */
    MIN_SPLIT_PIXELS = 1024,   /* partial sums must be worth adding up, */
    MIN_SPLIT_DEPTHWISE = 256, /* which those of few weights sooner are */
    MIN_SHARE = 16,            /* input channels; fewer are slower */
    MAX_USES_IN_PLACE = 256    /* of a gradient; more are worth a copy that lies together */
};

typedef struct plan {
    const cnn_kernels *kernels;
    const cnn_conv_shape *shape;
    cnn_conv_problem problem; /* of the forward pass */
    const cnn_conv_gradient *gradient;
    const void *input;
    bool depthwise, direct;
    bool gradient_in_place;
    int64_t groups, columns, panels; /* result channels of a group, and panels of them */
    int64_t tile_images, tile_rows, tiles_per_image, tiles;
    int64_t source_columns, source_rows, channels; /* that a task needs of the input */
    cnn_pixel_strides strides;                     /* in it */
    bool runs;                                     /* a kernel row's pixels are neighbours, and taken at once */
    size_t source_floats, gradient_floats, worker_floats, tables_bytes;
    cnn_indirection indirection;
    cnn_split_k split;
    int64_t shares; /* of a group's input channels, for many threads */
    float *scratch;
} plan;

static void plan_tiles(plan *p)
{
    const cnn_conv_shape *s = p->shape;
    p->tile_rows = cnn_lesser(cnn_at_least_1(TILE_PIXELS / s->out_width), s->out_height);
    p->tile_images = 1;
    if (p->tile_rows == s->out_height)
        p->tile_images = cnn_lesser(cnn_at_least_1(TILE_PIXELS / (s->out_height * s->out_width)), s->batch);
    p->tiles_per_image = cnn_divide_up(s->out_height, p->tile_rows);
    p->tiles = cnn_divide_up(s->batch, p->tile_images) * p->tiles_per_image;

    int64_t pixels = s->batch * s->out_height * s->out_width;
    int64_t most = cnn_lesser(p->tiles, pixels / (p->depthwise ? MIN_SPLIT_DEPTHWISE : MIN_SPLIT_PIXELS));
    cnn_split_k_plan(&p->split, p->groups * p->panels, most);
}

/* Into equal shares: few, for each prepares the gradient anew. */
static void plan_shares(plan *p, uint32_t threads)
{
    int64_t channels = p->shape->in_channels / p->shape->groups, tasks = p->groups * p->panels * p->split.splits;
    p->shares = 1;
    if (threads <= CNN_FEW_THREADS || p->depthwise)
        return;
    p->shares = cnn_clamp_size(cnn_divide_up(2 * threads, tasks), 1, cnn_at_least_1(channels / MIN_SHARE));
    while (channels % p->shares)
        p->shares--;
}

static void plan_source(plan *p)
{
    const cnn_conv_shape *s = p->shape;
    p->direct = s->input_type == CNN_FLOAT32 && (p->depthwise || !cnn_conv_reads_outside(&p->problem));
    p->channels = p->depthwise ? cnn_lesser(s->in_channels, CNN_PANEL) : s->in_channels / s->groups / p->shares;
    p->source_rows = cnn_conv_source_rows(&p->problem, p->tile_rows);
    p->source_columns = cnn_conv_source_columns(&p->problem);
    p->strides.pixel = p->direct ? s->in_channels : p->channels;
    p->strides.row = p->strides.pixel * (p->direct ? s->in_width : p->source_columns);
    p->strides.image = p->strides.row * (p->direct ? s->in_height : p->source_rows);
    p->runs = s->dilation[1] == 1 && p->strides.pixel == p->channels;
}

static int64_t table_rows(const plan *p)
{
    return p->runs ? p->shape->kernel[1] * p->channels : p->channels;
}

static plan make_plan(cnn_context *context, const cnn_conv_shape *s, const cnn_conv_gradient *gradient)
{
    plan p = {
        .kernels = cnn_kernels_get(context), .shape = s, .problem = cnn_conv_problem_of(s), .gradient = gradient
    };
    p.depthwise = cnn_conv_is_depthwise(&p.problem);
    p.groups = p.depthwise ? 1 : s->groups;
    p.columns = s->out_channels / p.groups;
    p.panels = cnn_divide_up(p.columns, CNN_PANEL);
    p.split.channels = s->out_channels;
    p.split.weights = (int64_t)s->kernel[0] * s->kernel[1] * (s->in_channels / s->groups) * s->out_channels;
    plan_tiles(&p);
    plan_shares(&p, cnn_context_threads(context));
    plan_source(&p);
    p.source_floats = p.direct ? 0 : cnn_round_up((size_t)(p.tile_images * p.strides.image), 16);
    p.gradient_in_place = s->output_type == CNN_FLOAT32 && cnn_conv_gradient_is_plain(gradient) &&
                          p.split.weights / s->out_channels <= MAX_USES_IN_PLACE;
    p.gradient_floats = p.gradient_in_place ? 0 : (size_t)(p.tile_images * p.tile_rows * s->out_width * CNN_PANEL);
    p.worker_floats = p.source_floats + p.gradient_floats;
    if (!p.depthwise)
        p.tables_bytes = cnn_indirection_bytes(table_rows(&p), p.tile_images * p.tile_rows);
    return p;
}

size_t cnn_conv_backward_weights_workspace(cnn_context *context, const cnn_conv_shape *shape,
                                           const cnn_conv_gradient *gradient)
{
    if (cnn_winograd_backward_weights_fits(cnn_kernels_get(context), shape))
        return cnn_winograd_backward_weights_workspace(context, shape);
    plan p = make_plan(context, shape, gradient);
    return p.tables_bytes +
           (cnn_split_k_floats(&p.split) + cnn_context_threads(context) * p.worker_floats) * sizeof(float);
}

static void place_in_workspace(plan *p, void *workspace)
{
    p->indirection = cnn_indirection_at(workspace, table_rows(p));
    p->split.partial_sums = (float *)(void *)((unsigned char *)workspace + p->tables_bytes);
    p->scratch = p->split.partial_sums + cnn_split_k_floats(&p->split);
}

static void fill_tables(const plan *p)
{
    const cnn_conv_shape *s = p->shape;
    for (int64_t i = 0; i < table_rows(p); i++) {
        p->indirection.rows[i] = i;
        p->indirection.outputs[i] = (i / p->channels * p->channels * p->shares + i % p->channels) * s->out_channels;
    }
    for (int64_t i = 0; i < p->tile_images * p->tile_rows; i++)
        p->indirection.taps[i] = i / p->tile_rows * p->strides.image + i % p->tile_rows * s->stride[0] * p->strides.row;
}

/* One tile of one task. */
typedef struct part {
    int64_t group, column, columns; /* of result channels, from the group's first */
    int64_t first_channel;          /* the share's, of the group's */
    int64_t image, images, row, rows;
    bool first;
    float *source, *staging; /* scratch */
    const float *gradient;
    ptrdiff_t gradient_stride; /* between its pixels */
    float *weights, *bias_sum; /* of the split */
} part;

static const float *prepare_source(const plan *p, const part *t)
{
    const cnn_conv_shape *s = p->shape;
    int64_t channel = p->depthwise ? t->column : t->group * p->channels * p->shares + t->first_channel;
    int64_t top = t->row * s->stride[0] - s->pad_top;
    if (p->direct) /* the padding of depthwise ones is left out */
        return (const float *)p->input + t->image * p->strides.image + (p->depthwise ? 0 : top * p->strides.row) +
               channel;
    cnn_tile_source source = { .kernels = p->kernels,
                               .height = s->in_height,
                               .width = s->in_width,
                               .channels = s->in_channels,
                               .bf16 = s->input_type == CNN_BFLOAT16,
                               .image = p->input };
    cnn_padded_tile tile = { .top = top,
                             .left = -s->pad_left,
                             .rows = cnn_conv_source_rows(&p->problem, t->rows),
                             .columns = p->source_columns,
                             .channel = channel,
                             .channels = p->depthwise ? t->columns : p->channels,
                             .pixel_stride = p->strides.pixel };
    for (int64_t i = 0; i < t->images; i++) {
        tile.image = t->image + i;
        cnn_padded_tile_fill(&source, &tile, t->source + i * p->strides.image);
    }
    return t->source;
}

/* The gradient by the result, pixel by pixel: where it lies, or a copy. */
static void prepare_gradient(const plan *p, part *t)
{
    const cnn_conv_shape *s = p->shape;
    int64_t channel = t->group * p->columns + t->column;
    if (p->gradient_in_place) {
        t->gradient = (const float *)p->gradient->gradient +
                      (t->image * s->out_height + t->row) * s->out_width * s->out_channels + channel;
        t->gradient_stride = s->out_channels;
        return;
    }
    t->gradient = t->staging;
    t->gradient_stride = (ptrdiff_t)cnn_round_up((size_t)t->columns, (size_t)p->kernels->gemm->width);
    cnn_tile_source source = { .kernels = p->kernels,
                               .height = s->out_height,
                               .width = s->out_width,
                               .channels = s->out_channels,
                               .bf16 = s->output_type == CNN_BFLOAT16,
                               .gradient = p->gradient };
    cnn_padded_tile tile = { .top = t->row,
                             .rows = t->rows,
                             .columns = s->out_width,
                             .channel = channel,
                             .channels = t->columns,
                             .pixel_stride = t->gradient_stride };
    for (int64_t i = 0; i < t->images; i++) {
        tile.image = t->image + i;
        cnn_padded_tile_fill(&source, &tile, t->staging + i * tile.rows * tile.columns * tile.pixel_stride);
    }
}

static void multiply_tile(const plan *p, const part *t, const float *source)
{
    const cnn_conv_shape *s = p->shape;
    cnn_gemm gemm = { .columns = t->columns,
                      .a = source,
                      .indirection = p->indirection,
                      .b = t->gradient,
                      .b_stride = t->gradient_stride,
                      .c = t->weights + t->group * p->columns + t->column,
                      .accumulate = !t->first,
                      .clamp = CNN_NO_CLAMP };
    gemm.outer = t->images * t->rows;
    gemm.inner = s->out_width;
    gemm.a_stride = s->stride[1] * p->strides.pixel;
    gemm.rows = table_rows(p);
    gemm.c += t->first_channel * s->out_channels;
    for (int64_t y = 0; y < s->kernel[0]; y++)
        for (int64_t x = 0; x < (p->runs ? 1 : s->kernel[1]); x++) {
            gemm.a = source + y * s->dilation[0] * p->strides.row + x * s->dilation[1] * p->strides.pixel;
            cnn_gemm_run(p->kernels, &gemm);
            gemm.c += gemm.rows * p->shares * s->out_channels;
        }
}

static void multiply_depthwise_tile(const plan *p, const part *t, const float *source)
{
    const cnn_conv_shape *s = p->shape;
    cnn_depthwise_weights rows = { .rows = t->rows,
                                   .width = s->out_width,
                                   .channels = t->columns,
                                   .gradient_row = s->out_width * t->gradient_stride,
                                   .gradient_pixel = t->gradient_stride,
                                   .image_row = p->strides.row,
                                   .image_pixel = p->strides.pixel,
                                   .image_height = cnn_conv_source_rows(&p->problem, t->rows),
                                   .image_width = p->source_columns,
                                   .taps = { s->kernel[0], s->kernel[1] },
                                   .stride = { s->stride[0], s->stride[1] },
                                   .dilation = { s->dilation[0], s->dilation[1] },
                                   .weights = t->weights + t->column,
                                   .tap_stride = s->out_channels };
    if (p->direct) {
        rows.image_height = s->in_height;
        rows.image_width = s->in_width;
        rows.origin[0] = t->row * s->stride[0] - s->pad_top;
        rows.origin[1] = -s->pad_left;
    }
    for (int64_t i = 0; i < t->images; i++) {
        rows.gradient = t->gradient + i * t->rows * rows.gradient_row;
        rows.image = source + i * p->strides.image;
        rows.accumulate = !t->first || i > 0;
        p->kernels->depthwise_weights->rows(&rows);
    }
}

/* One split of the pixels, for one panel of result channels and a share of the input channels. */
static void run_task(void *argument, size_t task, uint32_t worker)
{
    const plan *p = argument;
    const cnn_conv_shape *s = p->shape;
    int64_t splits = p->split.splits, split = (int64_t)task % splits, share = (int64_t)task / splits % p->shares;
    int64_t unit = (int64_t)task / splits / p->shares;
    part t = { .group = unit / p->panels, .column = unit % p->panels * CNN_PANEL };
    t.columns = cnn_lesser(p->columns - t.column, CNN_PANEL);
    t.first_channel = share * p->channels;
    t.source = p->scratch + worker * p->worker_floats;
    t.staging = t.source + p->source_floats;
    t.weights = cnn_split_k_weights(&p->split, split);
    t.bias_sum = share ? NULL : cnn_split_k_bias(&p->split, split);
    if (t.bias_sum) {
        t.bias_sum += t.group * p->columns + t.column;
        memset(t.bias_sum, 0, (size_t)t.columns * sizeof(float));
    }
    int64_t begin = p->tiles * split / splits, end = p->tiles * (split + 1) / splits;
    for (int64_t tile = begin; tile < end; tile++) {
        t.first = tile == begin;
        t.image = tile / p->tiles_per_image * p->tile_images;
        t.images = cnn_lesser(s->batch - t.image, p->tile_images);
        t.row = tile % p->tiles_per_image * p->tile_rows;
        t.rows = cnn_lesser(s->out_height - t.row, p->tile_rows);
        prepare_gradient(p, &t);
        (p->depthwise ? multiply_depthwise_tile : multiply_tile)(p, &t, prepare_source(p, &t));
        if (t.bias_sum)
            p->kernels->matrix->sum_rows(&(cnn_matrix){ .values = t.gradient,
                                                        .rows = t.images * t.rows * s->out_width,
                                                        .columns = t.columns,
                                                        .row_stride = t.gradient_stride },
                                         t.bias_sum);
    }
}

void cnn_conv_backward_weights(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_gradient *gradient,
                               const cnn_weight_gradient *wanted)
{
    if (cnn_winograd_backward_weights_fits(cnn_kernels_get(context), shape)) {
        cnn_winograd_backward_weights_run(context, shape, gradient, wanted);
        return;
    }
    plan p = make_plan(context, shape, gradient);
    p.input = wanted->input;
    p.split.weight_gradient = wanted->weights;
    p.split.bias_gradient = wanted->bias;
    place_in_workspace(&p, wanted->workspace);
    if (!p.depthwise)
        fill_tables(&p);
    cnn_parallel(context, (size_t)(p.groups * p.panels * p.shares * p.split.splits), run_task, &p);
    cnn_split_k_reduce(context, &p.split);
}
