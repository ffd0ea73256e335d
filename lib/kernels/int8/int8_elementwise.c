/* Quantisation, and sums and copies of int8 values of several scales. */
#include "kernels/int8/int8.h"

#include "core/parallel.h"
#include "kernels/int8/int8_values.h"
#include "kernels/kernels.h"
#include "kernels/tasks.h"

enum { PIECE = 1024 }; /* values of a chunk, at a time */

typedef struct job {
    const cnn_int8_values_kernels *kernels;
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
    j->kernels = cnn_kernels_get(context)->int8_values;
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

void cnn_int8_add(cnn_context *context, const cnn_int8_sum *sum, size_t count, uint8_t *output)
{
    job j = { .terms = sum->terms,
              .term_count = sum->term_count,
              .count = count,
              .quantization = sum->quantization,
              .clamp = cnn_int8_activation_clamp(sum->activation, sum->quantization),
              .to = output };
    run(context, add_task, &j);
}

typedef struct copy_job {
    job scaling;
    const cnn_int8_copy *copy;
} copy_job;

enum { COPY_PIXELS = 256 };

static void copy_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const copy_job *j = argument;
    int64_t first = (int64_t)task * COPY_PIXELS, last = cnn_lesser(first + COPY_PIXELS, j->copy->pixels);
    for (int64_t pixel = first; pixel < last; pixel++)
        add_terms(&j->scaling, (size_t)(pixel * j->copy->from_channels), j->copy->from_channels,
                  j->scaling.to + pixel * j->copy->to_channels);
}

void cnn_int8_copy_channels(cnn_context *context, const cnn_int8_copy *copy, uint8_t *to)
{
    copy_job j = { .scaling = { .kernels = cnn_kernels_get(context)->int8_values,
                                .terms = &copy->from,
                                .term_count = 1,
                                .quantization = copy->quantization,
                                .clamp = { 0, 255 },
                                .to = to },
                   .copy = copy };
    cnn_parallel(context, (size_t)cnn_divide_up(copy->pixels, COPY_PIXELS), copy_task, &j);
}
