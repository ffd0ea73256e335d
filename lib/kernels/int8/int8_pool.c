/* Pooling of int8 values. */
#include "kernels/int8/int8.h"

#include "core/parallel.h"
#include "kernels/int8/int8_values.h"
#include "kernels/kernels.h"
#include "kernels/tasks.h"

enum { PIECE = 1024 }; /* channels that are summed at a time */

typedef struct pool_job {
    const cnn_int8_values_kernels *kernels;
    const cnn_pool_shape *shape;
    const uint8_t *input;
    uint8_t *output;
} pool_job;

/* The part of a window that is in the image, of pixels or rows first to last - 1. */
typedef struct span {
    int64_t first, last;
} span;

static span window_span(int64_t place, int32_t stride, int32_t kernel, int32_t padding, int64_t size)
{
    int64_t first = place * stride - padding, last = cnn_lesser(first + kernel, size);
    return (span){ first > 0 ? first : 0, last };
}

/* One row of pooled values. */
static void max_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const pool_job *j = argument;
    const cnn_pool_shape *s = j->shape;
    int64_t image = (int64_t)task / s->out_height, y = (int64_t)task % s->out_height;
    const uint8_t *input = j->input + image * s->in_height * s->in_width * s->channels;
    uint8_t *to = j->output + (int64_t)task * s->out_width * s->channels;
    span rows = window_span(y, s->stride[0], s->kernel[0], s->pad_top, s->in_height);
    for (int64_t x = 0; x < s->out_width; x++, to += s->channels) {
        span columns = window_span(x, s->stride[1], s->kernel[1], s->pad_left, s->in_width);
        const int64_t size[2] = { rows.last - rows.first, columns.last - columns.first };
        j->kernels->max_window(input + (rows.first * s->in_width + columns.first) * s->channels, size,
                               s->in_width * s->channels, s->channels, to);
    }
}

void cnn_int8_max_pool(cnn_context *context, const cnn_pool_shape *shape, const uint8_t *input, uint8_t *output)
{
    pool_job j = { cnn_kernels_get(context)->int8_values, shape, input, output };
    cnn_parallel(context, (size_t)(shape->batch * shape->out_height), max_task, &j);
}

typedef struct mean_job {
    const cnn_int8_values_kernels *kernels;
    const cnn_global_pool_shape *shape;
    const cnn_int8_term *input;
    float *output;
} mean_job;

/* One image. */
static void mean_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const mean_job *j = argument;
    int64_t pixels = j->shape->pixels, channels = j->shape->channels;
    cnn_quantization quantization = j->input->quantization;
    const uint8_t *image = j->input->bytes + (int64_t)task * pixels * channels;
    float *to = j->output + (int64_t)task * channels;
    for (int64_t c = 0, piece; c < channels; c += piece) {
        int32_t sums[PIECE] = { 0 };
        piece = cnn_lesser(PIECE, channels - c);
        for (int64_t pixel = 0; pixel < pixels; pixel++)
            j->kernels->accumulate(image + pixel * channels + c, piece, sums);
        for (int64_t i = 0; i < piece; i++)
            to[c + i] = ((float)sums[i] / (float)pixels - (float)quantization.zero) * quantization.scale;
    }
}

void cnn_int8_global_avg_pool(cnn_context *context, const cnn_global_pool_shape *shape, const cnn_int8_term *input,
                              float *output)
{
    mean_job j = { cnn_kernels_get(context)->int8_values, shape, input, output };
    cnn_parallel(context, (size_t)shape->batch, mean_task, &j);
}
