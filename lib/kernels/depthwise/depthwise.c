#include "kernels/depthwise/depthwise.h"

#include "core/parallel.h"
#include "kernels/conv/direct_conv_plan.h"
#include "kernels/tasks.h"

enum {
    TASK_PRODUCTS = 1 << 17,
    BLOCK_FLOATS = 6144, /* of the source's rows that a row of the result meets: they stay in the first-level cache */
    BLOCK_GRAIN = 16,    /* channels: a cache line of them; */
    MIN_BLOCK = 32       /* fewer are read too scattered */
};

bool cnn_depthwise_fits(const cnn_conv_call *call)
{
    const cnn_conv_problem *s = &call->problem;
    return cnn_conv_is_depthwise(s) && !call->source.gradient && !call->pool[0] && !s->source_bf16 && !s->result_bf16 &&
           s->dilation[1] == 1 && (s->taps[1] == 3 || s->taps[1] == 5) && (s->stride[1] == 1 || s->stride[1] == 2);
}

typedef struct job {
    const cnn_conv_call *call;
    const cnn_depthwise_kernels *kernels;
    int64_t kernel_rows;   /* that the kernel takes at a time */
    bool by_rows;          /* tasks go tile by tile; else block by block */
    cnn_row_tiles tiles;   /* of an image */
    int64_t block, blocks; /* channels of a task; blocks of them */
} job;

static void run_tile_rows(const job *j, int64_t image, int64_t y, int64_t rows, int64_t channel, int64_t channels)
{
    const cnn_conv_call *call = j->call;
    const cnn_conv_problem *s = &call->problem;
    int64_t pixel = s->source_channels, to = cnn_pixel_offset(call->strides, image, y, 0) + channel;
    cnn_conv_problem window = *s; /* of all rows */
    window.taps[0] += (rows - 1) * s->stride[0];
    cnn_tap_rows inside = cnn_conv_tap_rows(&window, y);
    int64_t source_row = s->origin[0] + y * s->stride[0] + inside.first * s->dilation[0];
    if (inside.first == inside.last) /* nothing is read */
        source_row = 0;
    j->kernels->rows(&(const cnn_depthwise_rows){
        .rows = rows,
        .first = inside.first,
        .last = inside.last,
        .from = (const float *)call->source.image + (image * s->source_height + source_row) * s->source_width * pixel +
                channel,
        .row_stride = s->dilation[0] * s->source_width * pixel,
        .pixel_stride = pixel,
        .source_width = s->source_width,
        .origin = s->origin[1],
        .taps = { s->taps[0], s->taps[1] },
        .stride = s->stride[1],
        .weights = call->packed + channel,
        .tap_stride = s->channels,
        .bias = call->bias ? call->bias + channel : NULL,
        .residual = call->residual ? call->residual + to : NULL,
        .clamp = call->clamp,
        .width = s->width,
        .channels = channels,
        .to = (float *)call->result + to,
        .to_row_stride = call->strides.row,
        .to_stride = call->strides.pixel,
    });
}

static void run_part(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    const cnn_conv_problem *s = &j->call->problem;
    int64_t tiles = s->batch * j->tiles.count, number = (int64_t)task;
    int64_t channel = (j->by_rows ? number % j->blocks : number / tiles) * j->block;
    int64_t tile = j->by_rows ? number / j->blocks : number % tiles, within = tile % j->tiles.count;
    int64_t first = cnn_row_tile_first(&j->tiles, within), last = first + cnn_row_tile_count(&j->tiles, within);
    for (int64_t y = first; y < last; y += j->kernel_rows)
        run_tile_rows(j, tile / j->tiles.count, y, cnn_lesser(j->kernel_rows, last - y), channel,
                      cnn_lesser(j->block, s->channels - channel));
}

/* Rows of the result in a tile. The second of two meets the first's rows of taps `stride` rows of the source later. */
static int64_t kernel_rows(const cnn_depthwise_kernels *kernels, const cnn_conv_problem *s)
{
    bool two =
        kernels->most_rows > 1 && s->dilation[0] == 1 && s->stride[0] == s->stride[1] && s->taps[0] >= s->stride[0];
    return two ? 2 : 1;
}

void cnn_depthwise_run(const cnn_conv_call *call)
{
    const cnn_conv_problem *s = &call->problem;
    job j = { .call = call, .kernels = cnn_kernels_get(call->context)->depthwise };
    j.kernel_rows = kernel_rows(j.kernels, s);
    int64_t source_rows = s->taps[0] + (j.kernel_rows - 1) * s->stride[0];
    int64_t block = BLOCK_FLOATS / (s->source_width * source_rows);
    j.blocks = block < MIN_BLOCK ? 1 : cnn_divide_up(s->channels, block);
    j.block = cnn_divide_up(cnn_divide_up(s->channels, j.blocks), BLOCK_GRAIN) * BLOCK_GRAIN;
    j.blocks = cnn_divide_up(s->channels, j.block);
    int64_t products = j.kernel_rows * s->width * cnn_lesser(j.block, s->channels) * s->taps[0] * s->taps[1];
    uint32_t threads = cnn_context_threads(call->context);
    j.by_rows = cnn_conv_shared_by_rows(s, threads);
    j.tiles = cnn_row_tiles_of(s, threads, cnn_at_least_1(TASK_PRODUCTS / products) * j.kernel_rows, 1);
    cnn_parallel(call->context, (size_t)(s->batch * j.tiles.count * j.blocks), run_part, &j);
}
