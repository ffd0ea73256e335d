/* The gradient by a convolution's weights is a product too: for each tap, of the input that it meets, turned, and the
 * gradient by the result; the sum goes over pixels. Pixels are shared out to a fixed number of tasks, each with its own
 * sum, which are added up in order at the end. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/epilogue.h"
#include "kernels/conv/padded_tile.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/gemm/split_k.h"
#include "kernels/kernels.h"
#include "kernels/winograd/winograd_backward_weights.h"

enum {
    STRIP_PIXELS = 128,      /* gradient that stays in the first-level cache while all weights use it */
    ENOUGH_TASKS = 16,       /* for the threads of most machines to share evenly */
    MIN_SHARE_PIXELS = 1024, /* a sum of its own must be worth adding up */
    MAX_SUMS_BYTES = 1 << 25 /* of all tasks */
};

typedef struct plan {
    const cnn_kernels *kernels;
    const cnn_conv_shape *shape;
    const cnn_conv_gradient *gradient;
    const void *input;
    float *weight_gradient, *bias_gradient;
    bool depthwise, direct;
    int64_t groups, columns, panels; /* result channels of a group, and panels of them */
    int64_t strip_images, strip_rows, strips_per_image, strips, shares;
    int64_t source_columns, source_rows, channels; /* that a task needs of the input */
    int64_t pixel, row, image;                     /* floats between neighbours in it */
    bool runs;                                     /* a kernel row's pixels are neighbours, and taken at once */
    int64_t weights;                               /* how many there are */
    size_t source_floats, gradient_floats, worker_floats, tables_bytes;
    ptrdiff_t *a_rows, *a_offsets, *c_rows;
    float *sums, *scratch;
} plan;

static bool reads_outside(const cnn_conv_shape *s)
{
    return s->pad_top != 0 || s->pad_left != 0 ||
           (s->out_height - 1) * s->stride[0] + (s->kernel[0] - 1) * s->dilation[0] >= s->in_height ||
           (s->out_width - 1) * s->stride[1] + (s->kernel[1] - 1) * s->dilation[1] >= s->in_width;
}

static void plan_strips(plan *p)
{
    const cnn_conv_shape *s = p->shape;
    p->strip_rows = cnn_lesser(cnn_at_least_1(STRIP_PIXELS / s->out_width), s->out_height);
    p->strip_images = 1;
    if (p->strip_rows == s->out_height)
        p->strip_images = cnn_lesser(cnn_at_least_1(STRIP_PIXELS / (s->out_height * s->out_width)), s->batch);
    p->strips_per_image = cnn_divide_up(s->out_height, p->strip_rows);
    p->strips = cnn_divide_up(s->batch, p->strip_images) * p->strips_per_image;

    int64_t pixels = s->batch * s->out_height * s->out_width;
    int64_t shares = cnn_divide_up(ENOUGH_TASKS, p->groups * p->panels);
    shares = cnn_lesser(shares, p->strips);
    shares = cnn_lesser(shares, pixels / MIN_SHARE_PIXELS);
    shares = cnn_lesser(shares, 1 + MAX_SUMS_BYTES / (p->weights * (int64_t)sizeof(float)));
    p->shares = cnn_at_least_1(shares);
}

static void plan_source(plan *p)
{
    const cnn_conv_shape *s = p->shape;
    p->direct = s->input_type == CNN_FLOAT32 && !reads_outside(s);
    p->channels = p->depthwise ? cnn_lesser(s->in_channels, CNN_PANEL) : s->in_channels / s->groups;
    p->source_rows = (p->strip_rows - 1) * s->stride[0] + (s->kernel[0] - 1) * s->dilation[0] + 1;
    p->source_columns = (s->out_width - 1) * s->stride[1] + (s->kernel[1] - 1) * s->dilation[1] + 1;
    p->pixel = p->direct ? s->in_channels : p->channels;
    p->row = p->pixel * (p->direct ? s->in_width : p->source_columns);
    p->image = p->row * (p->direct ? s->in_height : p->source_rows);
    p->runs = s->dilation[1] == 1 && p->pixel == p->channels && !p->depthwise;
}

static int64_t table_rows(const plan *p)
{
    if (p->depthwise)
        return p->strip_images * p->strip_rows * p->shape->out_width;
    return p->runs ? p->shape->kernel[1] * p->channels : p->channels;
}

static int64_t table_offsets(const plan *p)
{
    return p->depthwise ? (int64_t)p->shape->kernel[0] * p->shape->kernel[1] : p->strip_images * p->strip_rows;
}

static plan make_plan(cnn_context *context, const cnn_conv_shape *s, const cnn_conv_gradient *gradient)
{
    plan p = { .kernels = cnn_kernels_get(context), .shape = s, .gradient = gradient };
    p.depthwise = s->groups > 1 && s->groups == s->in_channels && s->groups == s->out_channels;
    p.groups = p.depthwise ? 1 : s->groups;
    p.columns = s->out_channels / p.groups;
    p.panels = cnn_divide_up(p.columns, CNN_PANEL);
    p.weights = (int64_t)s->kernel[0] * s->kernel[1] * (s->in_channels / s->groups) * s->out_channels;
    plan_strips(&p);
    plan_source(&p);
    p.source_floats = p.direct ? 0 : cnn_round_up((size_t)(p.strip_images * p.image), 16);
    p.gradient_floats = (size_t)(p.strip_images * p.strip_rows * s->out_width * CNN_PANEL);
    p.worker_floats = p.source_floats + p.gradient_floats;
    int64_t entries = table_rows(&p) + table_offsets(&p) + (p.depthwise ? table_offsets(&p) : table_rows(&p));
    p.tables_bytes = cnn_round_up((size_t)entries * sizeof(ptrdiff_t), 64);
    return p;
}

/* Sums of the shares but the first: weights and, behind them, biases. */
static size_t sums_count(const plan *p)
{
    return cnn_round_up((size_t)((p->shares - 1) * (p->weights + p->shape->out_channels)), 16);
}

size_t cnn_conv_backward_weights_workspace(cnn_context *context, const cnn_conv_shape *shape,
                                           const cnn_conv_gradient *gradient)
{
    if (cnn_winograd_weights_fits(cnn_kernels_get(context), shape))
        return cnn_winograd_weights_workspace(context, shape);
    plan p = make_plan(context, shape, gradient);
    return p.tables_bytes + (sums_count(&p) + cnn_context_threads(context) * p.worker_floats) * sizeof(float);
}

static void place_in_workspace(plan *p, void *workspace)
{
    p->a_rows = workspace;
    p->a_offsets = p->a_rows + table_rows(p);
    p->c_rows = p->a_offsets + table_offsets(p);
    p->sums = (float *)(void *)((unsigned char *)workspace + p->tables_bytes);
    p->scratch = p->sums + sums_count(p);
}

static void fill_tables(const plan *p)
{
    const cnn_conv_shape *s = p->shape;
    int64_t image_pixels = p->strip_rows * s->out_width, taps = (int64_t)s->kernel[0] * s->kernel[1];
    if (p->depthwise) {
        for (int64_t i = 0; i < table_rows(p); i++)
            p->a_rows[i] = i / image_pixels * p->image + i % image_pixels / s->out_width * s->stride[0] * p->row +
                           i % s->out_width * s->stride[1] * p->pixel;
        for (int64_t i = 0; i < taps; i++) {
            p->a_offsets[i] = i / s->kernel[1] * s->dilation[0] * p->row + i % s->kernel[1] * s->dilation[1] * p->pixel;
            p->c_rows[i] = i * s->out_channels;
        }
        return;
    }
    for (int64_t i = 0; i < table_rows(p); i++) {
        p->a_rows[i] = i;
        p->c_rows[i] = i * s->out_channels;
    }
    for (int64_t i = 0; i < table_offsets(p); i++)
        p->a_offsets[i] = i / p->strip_rows * p->image + i % p->strip_rows * s->stride[0] * p->row;
}

/* One strip of one task. */
typedef struct part {
    int64_t group, column, columns; /* of result channels, from the group's first */
    int64_t image, images, row, rows;
    bool first;
    float *source, *gradient;  /* scratch */
    float *weights, *bias_sum; /* of the share */
} part;

static const float *prepare_source(const plan *p, const part *t)
{
    const cnn_conv_shape *s = p->shape;
    int64_t channel = p->depthwise ? t->column : t->group * p->channels;
    int64_t top = t->row * s->stride[0] - s->pad_top;
    if (p->direct)
        return (const float *)p->input + t->image * p->image + top * p->row + channel;
    cnn_strip_source source = { .kernels = p->kernels,
                                .height = s->in_height,
                                .width = s->in_width,
                                .channels = s->in_channels,
                                .narrow = s->input_type == CNN_BFLOAT16,
                                .image = p->input };
    cnn_strip strip = { .top = top,
                        .left = -s->pad_left,
                        .rows = (t->rows - 1) * s->stride[0] + (s->kernel[0] - 1) * s->dilation[0] + 1,
                        .columns = p->source_columns,
                        .channel = channel,
                        .channels = p->depthwise ? t->columns : p->channels,
                        .pixel_stride = p->pixel };
    for (int64_t i = 0; i < t->images; i++) {
        strip.image = t->image + i;
        cnn_strip_fill(&source, &strip, t->source + i * p->image);
    }
    return t->source;
}

static int64_t gradient_stride(const plan *p, const part *t)
{
    return (int64_t)cnn_round_up((size_t)t->columns, (size_t)p->kernels->product->width);
}

static void prepare_gradient(const plan *p, const part *t)
{
    const cnn_conv_shape *s = p->shape;
    cnn_strip_source source = { .kernels = p->kernels,
                                .height = s->out_height,
                                .width = s->out_width,
                                .channels = s->out_channels,
                                .narrow = s->output_type == CNN_BFLOAT16,
                                .gradient = p->gradient };
    cnn_strip strip = { .top = t->row,
                        .rows = t->rows,
                        .columns = s->out_width,
                        .channel = t->group * p->columns + t->column,
                        .channels = t->columns,
                        .pixel_stride = gradient_stride(p, t) };
    for (int64_t i = 0; i < t->images; i++) {
        strip.image = t->image + i;
        cnn_strip_fill(&source, &strip, t->gradient + i * strip.rows * strip.columns * strip.pixel_stride);
    }
}

static void multiply_strip(const plan *p, const part *t, const float *source)
{
    const cnn_conv_shape *s = p->shape;
    cnn_product product = { .columns = t->columns,
                            .a = source,
                            .a_rows = p->a_rows,
                            .a_offsets = p->a_offsets,
                            .b = t->gradient,
                            .b_step = gradient_stride(p, t),
                            .c = t->weights + t->group * p->columns + t->column,
                            .c_rows = p->c_rows,
                            .accumulate = !t->first,
                            .low = -INFINITY,
                            .high = INFINITY };
    if (p->depthwise) {
        product.rows = t->images * t->rows * s->out_width;
        product.outer = (int64_t)s->kernel[0] * s->kernel[1];
        p->kernels->product->correlate_channels(&product);
        return;
    }
    product.rows = table_rows(p);
    product.outer = t->images * t->rows;
    product.inner = s->out_width;
    product.a_step = s->stride[1] * p->pixel;
    for (int64_t y = 0; y < s->kernel[0]; y++)
        for (int64_t x = 0; x < (p->runs ? 1 : s->kernel[1]); x++) {
            product.a = source + y * s->dilation[0] * p->row + x * s->dilation[1] * p->pixel;
            cnn_product_run(p->kernels, &product);
            product.c += product.rows * s->out_channels;
        }
}

/* One share of the pixels, for one panel of result channels. */
static void run_task(void *argument, size_t task, uint32_t worker)
{
    const plan *p = argument;
    const cnn_conv_shape *s = p->shape;
    int64_t share = (int64_t)task % p->shares, unit = (int64_t)task / p->shares;
    part t = { .group = unit / p->panels, .column = unit % p->panels * CNN_PANEL };
    t.columns = cnn_lesser(p->columns - t.column, CNN_PANEL);
    t.source = p->scratch + worker * p->worker_floats;
    t.gradient = t.source + p->source_floats;
    t.weights = share ? p->sums + (share - 1) * (p->weights + s->out_channels) : p->weight_gradient;
    if (p->bias_gradient) {
        t.bias_sum = (share ? t.weights + p->weights : p->bias_gradient) + t.group * p->columns + t.column;
        memset(t.bias_sum, 0, (size_t)t.columns * sizeof(float));
    }
    int64_t begin = p->strips * share / p->shares, end = p->strips * (share + 1) / p->shares;
    for (int64_t strip = begin; strip < end; strip++) {
        t.first = strip == begin;
        t.image = strip / p->strips_per_image * p->strip_images;
        t.images = cnn_lesser(s->batch - t.image, p->strip_images);
        t.row = strip % p->strips_per_image * p->strip_rows;
        t.rows = cnn_lesser(s->out_height - t.row, p->strip_rows);
        prepare_gradient(p, &t);
        multiply_strip(p, &t, prepare_source(p, &t));
        if (p->bias_gradient)
            p->kernels->row->sum_rows(t.gradient, gradient_stride(p, &t), t.images * t.rows * s->out_width, t.columns,
                                      t.bias_sum);
    }
}

void cnn_conv_backward_weights(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_gradient *gradient,
                               const void *input, float *weight_gradient, float *bias_gradient, void *workspace)
{
    if (cnn_winograd_weights_fits(cnn_kernels_get(context), shape)) {
        cnn_winograd_weights_run(context, shape, gradient, input, weight_gradient, bias_gradient, workspace);
        return;
    }
    plan p = make_plan(context, shape, gradient);
    p.input = input;
    p.weight_gradient = weight_gradient;
    p.bias_gradient = bias_gradient;
    place_in_workspace(&p, workspace);
    fill_tables(&p);
    cnn_parallel(context, (size_t)(p.groups * p.panels * p.shares), run_task, &p);
    cnn_shares shares = { .kernels = p.kernels,
                          .sums = p.sums,
                          .count = p.shares - 1,
                          .weights = p.weights,
                          .channels = shape->out_channels,
                          .weight_gradient = weight_gradient,
                          .bias_gradient = bias_gradient };
    cnn_shares_add(context, &shares);
}
