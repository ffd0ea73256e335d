/* The gradient by a convolution's weights is a gemm too: for each tap, of the input that it meets, turned, and the
 * gradient by the result; the sum goes over pixels. Of bfloat16, it goes over pairs of pixels, which are brought side
 * by side for dot products. Depthwise ones have a kernel of their own. Shapes alone decide how pixels are split among
 * tasks: see split_k.h. */
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/conv_weights_plan.h"
#include "kernels/depthwise/depthwise_weights.h"
#include "kernels/gemm/matrix.h"
#include "kernels/tasks.h"
#include "kernels/winograd/winograd_backward_weights.h"

/* One tile of one task. */
typedef struct part {
    int64_t group, column, columns; /* of result channels, from the group's first */
    int64_t first_channel;          /* the share's, of the group's */
    int64_t image, images, row, rows;
    bool first;
    float *source, *staging;            /* scratch */
    float *pairs, *source_pairs, *ones; /* likewise, of pixels: of the gradient, of the input, and of bfloat16's 1 */
    const void *gradient;
    ptrdiff_t gradient_stride; /* between its pixels */
    float *weights, *bias_sum; /* of the split */
} part;

/* Values `at`, ... of an array of the tiles' type. */
static const void *values_at(const cnn_weights_plan *p, const void *values, int64_t at)
{
    return (const char *)values + at * (int64_t)(p->paired ? sizeof(cnn_bf16) : sizeof(float));
}

static const void *prepare_source(const cnn_weights_plan *p, const part *t)
{
    const cnn_conv_shape *s = p->shape;
    int64_t channel = p->depthwise ? t->column : t->group * p->channels * p->shares + t->first_channel;
    int64_t top = t->row * s->stride[0] - s->pad_top;
    if (p->direct) /* the padding of depthwise ones is left out */
        return values_at(p, p->input,
                         t->image * p->strides.image + (p->depthwise ? 0 : top * p->strides.row) + channel);
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
                             .pixel_stride = p->strides.pixel,
                             .bf16 = p->paired };
    for (int64_t i = 0; i < t->images; i++) {
        tile.image = t->image + i;
        cnn_padded_tile_fill(&source, &tile, (void *)values_at(p, t->source, i * p->strides.image));
    }
    return t->source;
}

/* The gradient by the result, pixel by pixel: where it lies, or a copy. */
static void prepare_gradient(const cnn_weights_plan *p, part *t)
{
    const cnn_conv_shape *s = p->shape;
    int64_t channel = t->group * p->columns + t->column;
    if (p->gradient_in_place) {
        t->gradient = values_at(p, p->gradient->gradient,
                                (t->image * s->out_height + t->row) * s->out_width * s->out_channels + channel);
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
                             .pixel_stride = t->gradient_stride,
                             .bf16 = p->paired };
    for (int64_t i = 0; i < t->images; i++) {
        tile.image = t->image + i;
        int64_t at = i * tile.rows * tile.columns * tile.pixel_stride;
        cnn_padded_tile_fill(&source, &tile, (void *)values_at(p, t->staging, at));
    }
}

/* Pixels of a tile that lie side by side in the input as in the gradient. */
typedef struct spans {
    int64_t count, pixels, pairs; /* pairs: of a span's pixels */
} spans;

static spans spans_of(const cnn_weights_plan *p, const part *t)
{
    int64_t rows = t->images * t->rows, width = p->shape->out_width;
    int64_t count = p->flat ? 1 : rows, pixels = p->flat ? rows * width : width;
    return (spans){ count, pixels, cnn_divide_up(pixels, 2) };
}

static int64_t gradient_pairs_stride(const cnn_weights_plan *p, const part *t)
{
    return (int64_t)cnn_round_up((size_t)t->columns, (size_t)p->kernels->gemm->width);
}

static void pair_gradient(const cnn_weights_plan *p, const part *t)
{
    const spans all = spans_of(p, t);
    const int64_t stride = gradient_pairs_stride(p, t);
    for (int64_t i = 0; i < all.count; i++) {
        cnn_bf16_matrix pixels = { .values = values_at(p, t->gradient, i * all.pixels * t->gradient_stride),
                                   .rows = all.pixels,
                                   .columns = t->columns,
                                   .row_stride = t->gradient_stride };
        p->kernels->matrix->pair_bf16_rows(&pixels, t->pairs + i * all.pairs * stride, stride);
    }
}

/* Of a tap's input, `rows` channels from `source` on. */
static void pair_source(const cnn_weights_plan *p, const part *t, const void *source, int64_t rows)
{
    const spans all = spans_of(p, t);
    for (int64_t i = 0; i < all.count; i++) {
        cnn_bf16_matrix pixels = { .values = values_at(p, source, p->indirection.taps[i]),
                                   .rows = all.pixels,
                                   .columns = rows,
                                   .row_stride = p->shape->stride[1] * p->strides.pixel };
        p->kernels->matrix->pair_bf16_rows(&pixels, t->source_pairs + i * all.pairs * rows, rows);
    }
}

static cnn_gemm gemm_of_pairs(const cnn_weights_plan *p, const part *t)
{
    const spans all = spans_of(p, t);
    return (cnn_gemm){ .bf16_dot = true,
                       .columns = t->columns,
                       .outer = 1,
                       .inner = all.count * all.pairs,
                       .indirection = p->indirection,
                       .b = t->pairs,
                       .b_stride = gradient_pairs_stride(p, t),
                       .clamp = CNN_NO_CLAMP };
}

static void multiply_pairs(const cnn_weights_plan *p, const part *t, const void *source)
{
    const cnn_conv_shape *s = p->shape;
    const int64_t all = cnn_weights_plan_rows(p);
    cnn_gemm gemm = gemm_of_pairs(p, t);
    gemm.a = t->source_pairs;
    gemm.accumulate = !t->first;
    gemm.c = t->weights + t->first_channel * s->out_channels + t->group * p->columns + t->column;
    for (int64_t y = 0; y < s->kernel[0]; y++)
        for (int64_t x = 0; x < (p->runs ? 1 : s->kernel[1]); x++, gemm.c += all * p->shares * s->out_channels) {
            int64_t tap = y * s->dilation[0] * p->strides.row + x * s->dilation[1] * p->strides.pixel;
            for (int64_t row = 0; row < all; row += CNN_PAIRED_ROWS) {
                gemm.rows = gemm.a_stride = cnn_lesser(all - row, CNN_PAIRED_ROWS);
                pair_source(p, t, values_at(p, source, tap + row), gemm.rows);
                gemm.indirection.outputs = p->indirection.outputs + row;
                cnn_gemm_run(p->kernels, &gemm);
            }
        }
}

/* The product of ones and the gradient. */
static void add_bias_of_pairs(const cnn_weights_plan *p, const part *t)
{
    cnn_gemm gemm = gemm_of_pairs(p, t);
    gemm.rows = gemm.a_stride = 1;
    gemm.a = t->ones;
    gemm.c = t->bias_sum;
    gemm.accumulate = true;
    cnn_gemm_run(p->kernels, &gemm);
}

static void multiply_tile(const cnn_weights_plan *p, const part *t, const float *source)
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
    gemm.rows = cnn_weights_plan_rows(p);
    gemm.c += t->first_channel * s->out_channels;
    for (int64_t y = 0; y < s->kernel[0]; y++)
        for (int64_t x = 0; x < (p->runs ? 1 : s->kernel[1]); x++) {
            gemm.a = source + y * s->dilation[0] * p->strides.row + x * s->dilation[1] * p->strides.pixel;
            cnn_gemm_run(p->kernels, &gemm);
            gemm.c += gemm.rows * p->shares * s->out_channels;
        }
}

static void multiply_depthwise_tile(const cnn_weights_plan *p, const part *t, const float *source)
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
        rows.gradient = (const float *)t->gradient + i * t->rows * rows.gradient_row;
        rows.image = source + i * p->strides.image;
        rows.accumulate = !t->first || i > 0;
        p->kernels->depthwise_weights->rows(&rows);
    }
}

static void add_tile(const cnn_weights_plan *p, part *t)
{
    prepare_gradient(p, t);
    const void *source = prepare_source(p, t);
    if (p->paired) {
        pair_gradient(p, t);
        multiply_pairs(p, t, source);
        if (t->bias_sum)
            add_bias_of_pairs(p, t);
        return;
    }
    (p->depthwise ? multiply_depthwise_tile : multiply_tile)(p, t, source);
    if (t->bias_sum)
        p->kernels->matrix->sum_rows(&(cnn_matrix){ .values = t->gradient,
                                                    .rows = t->images * t->rows * p->shape->out_width,
                                                    .columns = t->columns,
                                                    .row_stride = t->gradient_stride },
                                     t->bias_sum);
}

static void place_scratch(const cnn_weights_plan *p, part *t, uint32_t worker)
{
    const uint32_t pair_of_ones = 0x3f803f80;
    t->source = p->scratch + worker * p->worker_floats;
    t->staging = t->source + p->source_floats;
    t->pairs = t->staging + p->gradient_floats;
    t->source_pairs = t->pairs + p->pairs * CNN_PANEL;
    t->ones = t->source_pairs + p->pairs * CNN_PAIRED_ROWS;
    for (size_t i = 0; i < p->pairs; i++)
        memcpy(t->ones + i, &pair_of_ones, sizeof pair_of_ones);
}

/* One split of the pixels, for one panel of result channels and a share of the input channels. */
static void run_task(void *argument, size_t task, uint32_t worker)
{
    const cnn_weights_plan *p = argument;
    const cnn_conv_shape *s = p->shape;
    int64_t splits = p->split.splits, split = (int64_t)task % splits, share = (int64_t)task / splits % p->shares;
    int64_t unit = (int64_t)task / splits / p->shares;
    part t = { .group = unit / p->panels, .column = unit % p->panels * CNN_PANEL };
    t.columns = cnn_lesser(p->columns - t.column, CNN_PANEL);
    t.first_channel = share * p->channels;
    place_scratch(p, &t, worker);
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
        add_tile(p, &t);
    }
}

size_t cnn_conv_backward_weights_workspace(cnn_context *context, const cnn_conv_shape *shape,
                                           const cnn_conv_gradient *gradient)
{
    if (cnn_winograd_backward_weights_fits(cnn_kernels_get(context), shape))
        return cnn_winograd_backward_weights_workspace(context, shape);
    cnn_weights_plan p = cnn_weights_plan_make(context, shape, gradient);
    return cnn_weights_plan_workspace(&p, cnn_context_threads(context));
}

void cnn_conv_backward_weights(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_gradient *gradient,
                               const cnn_weight_gradient *wanted)
{
    if (cnn_winograd_backward_weights_fits(cnn_kernels_get(context), shape)) {
        cnn_winograd_backward_weights_run(context, shape, gradient, wanted);
        return;
    }
    cnn_weights_plan p = cnn_weights_plan_make(context, shape, gradient);
    p.input = wanted->input;
    p.split.weight_gradient = wanted->weights;
    p.split.bias_gradient = wanted->bias;
    cnn_weights_plan_place(&p, wanted->workspace);
    cnn_parallel(context, (size_t)(p.groups * p.panels * p.shares * p.split.splits), run_task, &p);
    cnn_split_k_reduce(context, &p.split);
}
