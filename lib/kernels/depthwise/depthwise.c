#include "kernels/depthwise/depthwise.h"

#include "core/parallel.h"
#include "kernels/conv/direct_conv_plan.h"
#include "kernels/gemm/gemm_blocking.h"

enum {
    TASK_PRODUCTS = 1 << 17,
    BLOCK_FLOATS = 6144, /* of the source's rows that a row of the result meets: they stay in the first-level cache */
    BLOCK_GRAIN = 16,    /* channels: a cache line of them; */
    MIN_BLOCK = 32       /* fewer are read too scattered */
};

bool cnn_depthwise_fits(const cnn_correlation_call *call)
{
    const cnn_correlation *s = &call->shape;
    return cnn_correlation_is_depthwise(s) && !call->source.gradient && !call->pool[0] && !s->source_narrow &&
           !s->result_narrow && s->tap_step[1] == 1 && (s->taps[1] == 3 || s->taps[1] == 5) &&
           (s->step[1] == 1 || s->step[1] == 2);
}

typedef struct job {
    const cnn_correlation_call *call;
    const cnn_depthwise_kernels *kernels;
    int64_t tile_rows;     /* that the kernel takes at a time */
    bool by_rows;          /* tasks go strip by strip; else block by block */
    cnn_strips strips;     /* of an image */
    int64_t block, blocks; /* channels of a task; blocks of them */
} job;

static void run_tile_rows(const job *j, int64_t image, int64_t y, int64_t rows, int64_t channel, int64_t channels)
{
    const cnn_correlation_call *call = j->call;
    const cnn_correlation *s = &call->shape;
    int64_t pixel = s->source_channels, to = image * call->image_stride + y * call->row_stride + channel;
    cnn_correlation window = *s; /* of all rows */
    window.taps[0] += (rows - 1) * s->step[0];
    cnn_tap_rows inside = cnn_correlation_tap_rows(&window, y);
    int64_t source_row = s->origin[0] + y * s->step[0] + inside.first * s->tap_step[0];
    if (inside.first == inside.last) /* nothing is read */
        source_row = 0;
    j->kernels->rows(&(const cnn_depthwise_rows){
        .rows = rows,
        .first = inside.first,
        .last = inside.last,
        .from = (const float *)call->source.image + (image * s->source_height + source_row) * s->source_width * pixel +
                channel,
        .row_stride = s->tap_step[0] * s->source_width * pixel,
        .pixel_stride = pixel,
        .source_width = s->source_width,
        .origin = s->origin[1],
        .taps = { s->taps[0], s->taps[1] },
        .step = s->step[1],
        .weights = call->packed + channel,
        .tap_stride = s->channels,
        .bias = call->bias ? call->bias + channel : NULL,
        .addend = call->addend ? call->addend + to : NULL,
        .low = call->low,
        .high = call->high,
        .width = s->width,
        .channels = channels,
        .to = (float *)call->result + to,
        .to_row_stride = call->row_stride,
        .to_stride = call->pixel_stride,
    });
}

static void run_part(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    const cnn_correlation *s = &j->call->shape;
    int64_t strips = s->batch * j->strips.count, number = (int64_t)task;
    int64_t channel = (j->by_rows ? number % j->blocks : number / strips) * j->block;
    int64_t strip = j->by_rows ? number / j->blocks : number % strips, within = strip % j->strips.count;
    int64_t first = cnn_strip_first_row(&j->strips, within), last = first + cnn_strip_row_count(&j->strips, within);
    for (int64_t y = first; y < last; y += j->tile_rows)
        run_tile_rows(j, strip / j->strips.count, y, cnn_lesser(j->tile_rows, last - y), channel,
                      cnn_lesser(j->block, s->channels - channel));
}

/* Rows of the result in a tile. The second of two meets the first's rows of taps `step` rows of the source later. */
static int64_t tile_rows(const cnn_depthwise_kernels *kernels, const cnn_correlation *s)
{
    bool two = kernels->most_rows > 1 && s->tap_step[0] == 1 && s->step[0] == s->step[1] && s->taps[0] >= s->step[0];
    return two ? 2 : 1;
}

void cnn_depthwise_run(const cnn_correlation_call *call)
{
    const cnn_correlation *s = &call->shape;
    job j = { .call = call, .kernels = cnn_kernels_get(call->context)->depthwise };
    j.tile_rows = tile_rows(j.kernels, s);
    int64_t source_rows = s->taps[0] + (j.tile_rows - 1) * s->step[0];
    int64_t block = BLOCK_FLOATS / (s->source_width * source_rows);
    j.blocks = block < MIN_BLOCK ? 1 : cnn_divide_up(s->channels, block);
    j.block = cnn_divide_up(cnn_divide_up(s->channels, j.blocks), BLOCK_GRAIN) * BLOCK_GRAIN;
    j.blocks = cnn_divide_up(s->channels, j.block);
    int64_t products = j.tile_rows * s->width * cnn_lesser(j.block, s->channels) * s->taps[0] * s->taps[1];
    uint32_t threads = cnn_context_threads(call->context);
    j.by_rows = cnn_correlation_shared_by_rows(s, threads);
    j.strips = cnn_strips_of(s, threads, cnn_at_least_1(TASK_PRODUCTS / products) * j.tile_rows, 1);
    cnn_parallel(call->context, (size_t)(s->batch * j.strips.count * j.blocks), run_part, &j);
}
