/* What is done to int8 values beside convolutions. */
#include "kernels/int8/int8.h"

#include "core/parallel.h"
#include "kernels/int8/int8_gemm.h"
#include "kernels/kernels.h"
#include "kernels/tasks.h"

enum { PIECE = 1024 }; /* values of a chunk, at a time */

typedef struct job {
    const cnn_int8_kernels *kernels;
    const cnn_int8_term *terms;
    int32_t term_count;
    const uint8_t *bytes;
    const float *floats;
    size_t count;
    cnn_quantization quantization;
    cnn_int8_clamp clamp;
    uint8_t *to;
    float *to_floats;
} job;

static void run(cnn_context *context, cnn_task task, job *j)
{
    j->kernels = cnn_kernels_get(context)->int8;
    cnn_parallel(context, cnn_chunk_count(j->count), task, j);
}

static void quantize_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    size_t first = task * CNN_CHUNK;
    j->kernels->quantize(j->floats + first, (int64_t)cnn_chunk_length(j->count, task), 1 / j->quantization.scale,
                         j->quantization.zero, j->to + first);
}

void cnn_int8_quantize(cnn_context *context, const float *from, size_t count, cnn_quantization to_quantization,
                       uint8_t *to)
{
    run(context, quantize_task, &(job){ .floats = from, .count = count, .quantization = to_quantization, .to = to });
}

static void dequantize_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    size_t first = task * CNN_CHUNK;
    j->kernels->dequantize(j->bytes + first, (int64_t)cnn_chunk_length(j->count, task), j->quantization.scale,
                           j->quantization.zero, j->to_floats + first);
}

void cnn_int8_dequantize(cnn_context *context, const uint8_t *from, size_t count, cnn_quantization quantization,
                         float *to)
{
    run(context, dequantize_task,
        &(job){ .bytes = from, .count = count, .quantization = quantization, .to_floats = to });
}

/* `count` values from `first` on of each term, put into the place from `to` on. */
static void add_terms(const job *j, size_t first, int64_t count, uint8_t *to)
{
    float sums[PIECE];
    for (int64_t at = 0, piece; at < count; at += piece) {
        piece = cnn_lesser(PIECE, count - at);
        for (int32_t i = 0; i < j->term_count; i++) {
            const cnn_int8_term *term = &j->terms[i];
            j->kernels->add_scaled(term->bytes + first + at, piece, term->quantization.scale / j->quantization.scale,
                                   term->quantization.zero, sums, i == 0);
        }
        j->kernels->round_sums(sums, piece, j->quantization.zero, j->clamp, to + at);
    }
}

static void add_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    size_t first = task * CNN_CHUNK;
    add_terms(j, first, (int64_t)cnn_chunk_length(j->count, task), j->to + first);
}

void cnn_int8_add(cnn_context *context, const cnn_int8_term *terms, int32_t term_count, size_t count,
                  cnn_activation activation, cnn_quantization output_quantization, uint8_t *output)
{
    job j = {
        .terms = terms, .term_count = term_count, .count = count, .quantization = output_quantization, .to = output
    };
    j.clamp = cnn_int8_activation_clamp(activation, output_quantization);
    run(context, add_task, &j);
}

typedef struct copy_job {
    job scaling;
    int64_t pixels, from_channels, to_channels;
} copy_job;

enum { COPY_PIXELS = 256 };

static void copy_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const copy_job *j = argument;
    int64_t first = (int64_t)task * COPY_PIXELS, last = cnn_lesser(first + COPY_PIXELS, j->pixels);
    for (int64_t pixel = first; pixel < last; pixel++)
        add_terms(&j->scaling, (size_t)(pixel * j->from_channels), j->from_channels,
                  j->scaling.to + pixel * j->to_channels);
}

void cnn_int8_copy_channels(cnn_context *context, const cnn_int8_term *from, int64_t pixels, int64_t from_channels,
                            cnn_quantization output_quantization, int64_t to_channels, uint8_t *to)
{
    copy_job j = { .scaling = { .kernels = cnn_kernels_get(context)->int8,
                                .terms = from,
                                .term_count = 1,
                                .quantization = output_quantization,
                                .clamp = { 0, 255 },
                                .to = to },
                   .pixels = pixels,
                   .from_channels = from_channels,
                   .to_channels = to_channels };
    cnn_parallel(context, (size_t)cnn_divide_up(pixels, COPY_PIXELS), copy_task, &j);
}

typedef struct pool_job {
    const cnn_int8_kernels *kernels;
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
    pool_job j = { cnn_kernels_get(context)->int8, shape, input, output };
    cnn_parallel(context, (size_t)(shape->batch * shape->out_height), max_task, &j);
}

typedef struct mean_job {
    const cnn_int8_kernels *kernels;
    const uint8_t *input;
    int64_t pixels, channels;
    cnn_quantization quantization;
    float *output;
} mean_job;

/* One image. */
static void mean_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const mean_job *j = argument;
    const uint8_t *image = j->input + (int64_t)task * j->pixels * j->channels;
    float *to = j->output + (int64_t)task * j->channels;
    for (int64_t c = 0, piece; c < j->channels; c += piece) {
        int32_t sums[PIECE] = { 0 };
        piece = cnn_lesser(PIECE, j->channels - c);
        for (int64_t pixel = 0; pixel < j->pixels; pixel++)
            j->kernels->accumulate(image + pixel * j->channels + c, piece, sums);
        for (int64_t i = 0; i < piece; i++)
            to[c + i] = ((float)sums[i] / (float)j->pixels - (float)j->quantization.zero) * j->quantization.scale;
    }
}

void cnn_int8_global_avg_pool(cnn_context *context, const uint8_t *input, int64_t batch, int64_t pixels,
                              int64_t channels, cnn_quantization quantization, float *output)
{
    mean_job j = { cnn_kernels_get(context)->int8, input, pixels, channels, quantization, output };
    cnn_parallel(context, (size_t)batch, mean_task, &j);
}
