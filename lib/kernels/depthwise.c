#include "kernels/depthwise.h"

#include "core/parallel.h"
#include "kernels/blocks.h"
#include "kernels/correlation_plan.h"

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
    int64_t rows, strips; /* of a task; tasks of an image */
    int64_t block;        /* channels that are worked on at a time */
} job;

static void run_row(const job *j, int64_t image, int64_t y, int64_t channel, int64_t channels)
{
    const cnn_correlation_call *call = j->call;
    const cnn_correlation *s = &call->shape;
    cnn_tap_rows taps = cnn_correlation_tap_rows(s, y);
    int64_t source_row = s->origin[0] + y * s->step[0] + taps.first * s->tap_step[0], pixel = s->source_channels;
    int64_t to = image * call->image_stride + y * call->row_stride + channel;
    if (taps.first == taps.last) /* nothing is read */
        source_row = 0;
    j->kernels->row(&(const cnn_depthwise_row){
        .from = (const float *)call->source.image + (image * s->source_height + source_row) * s->source_width * pixel +
                channel,
        .row_stride = s->tap_step[0] * s->source_width * pixel,
        .pixel_stride = pixel,
        .source_width = s->source_width,
        .origin = s->origin[1],
        .taps = s->taps[1],
        .tap_rows = taps.last - taps.first,
        .step = s->step[1],
        .weights = call->packed + taps.first * s->taps[1] * s->channels + channel,
        .tap_stride = s->channels,
        .bias = call->bias ? call->bias + channel : NULL,
        .addend = call->addend ? call->addend + to : NULL,
        .low = call->low,
        .high = call->high,
        .width = s->width,
        .channels = channels,
        .to = (float *)call->result + to,
        .to_stride = call->pixel_stride,
    });
}

static void run_rows(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    int64_t image = (int64_t)task / j->strips, first = (int64_t)task % j->strips * j->rows;
    int64_t last = cnn_lesser(first + j->rows, j->call->shape.height);
    int64_t channels = j->call->shape.channels;
    for (int64_t channel = 0; channel < channels; channel += j->block)
        for (int64_t y = first; y < last; y++)
            run_row(j, image, y, channel, cnn_lesser(j->block, channels - channel));
}

void cnn_depthwise_run(const cnn_correlation_call *call)
{
    const cnn_correlation *s = &call->shape;
    int64_t products = s->width * s->channels * s->taps[0] * s->taps[1];
    job j = { .call = call, .kernels = cnn_kernels_get(call->context)->depthwise };
    j.rows = cnn_at_least_1(TASK_PRODUCTS / products);
    j.strips = cnn_divide_up(s->height, j.rows);
    j.rows = cnn_divide_up(s->height, j.strips);
    j.block = BLOCK_FLOATS / (s->source_width * s->taps[0]) / BLOCK_GRAIN * BLOCK_GRAIN;
    if (j.block < MIN_BLOCK)
        j.block = s->channels;
    cnn_parallel(call->context, (size_t)(s->batch * j.strips), run_rows, &j);
}
