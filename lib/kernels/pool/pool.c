#include "kernels/pool/pool.h"

#include <string.h>

#include "core/parallel.h"
#include "kernels/kernels.h"
#include "kernels/norm/batch_norm.h"
#include "simd/bf16.h"

typedef struct pool_job {
    const cnn_pool_kernels *kernels;
    const cnn_pool_shape *shape;
    const void *input;
    void *output;
    uint16_t *argmax;
    const uint16_t *chosen;
} pool_job;

static int64_t image_size(const cnn_pool_shape *shape)
{
    return shape->in_height * shape->in_width * shape->channels;
}

static int64_t pooled_size(const cnn_pool_shape *shape)
{
    return shape->out_height * shape->out_width * shape->channels;
}

/* Values of an image, or of a pooled one, from `at` on. */
static void *values_at(cnn_dtype type, const void *values, int64_t at)
{
    return (char *)values + at * (int64_t)cnn_dtype_size(type);
}

/* Forward: a task is a row of pooled values. */
static void max_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const pool_job *job = argument;
    const cnn_pool_shape *shape = job->shape;
    int64_t image = (int64_t)task / shape->out_height, y = (int64_t)task % shape->out_height;
    int64_t at = (int64_t)task * shape->out_width * shape->channels;
    job->kernels->max(shape, values_at(shape->type, job->input, image * image_size(shape)), y,
                      values_at(shape->type, job->output, at), job->argmax ? job->argmax + at : NULL);
}

static void avg_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const pool_job *job = argument;
    const cnn_pool_shape *shape = job->shape;
    int64_t image = (int64_t)task / shape->out_height, y = (int64_t)task % shape->out_height;
    job->kernels->avg(shape, values_at(shape->type, job->input, image * image_size(shape)), y,
                      values_at(shape->type, job->output, (int64_t)task * shape->out_width * shape->channels));
}

void cnn_max_pool_forward(cnn_context *context, const cnn_pool_shape *shape, const void *input, void *output,
                          uint16_t *argmax)
{
    pool_job job = {
        .kernels = cnn_kernels_get(context)->pool, .shape = shape, .input = input, .output = output, .argmax = argmax
    };
    cnn_parallel(context, (size_t)(shape->batch * shape->out_height), max_task, &job);
}

void cnn_avg_pool_forward(cnn_context *context, const cnn_pool_shape *shape, const void *input, void *output)
{
    pool_job job = { .kernels = cnn_kernels_get(context)->pool, .shape = shape, .input = input, .output = output };
    cnn_parallel(context, (size_t)(shape->batch * shape->out_height), avg_task, &job);
}

/* Backward: a task is a row of the image's gradient, so that overlapping windows meet in none. */
static void max_backward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const pool_job *job = argument;
    const cnn_pool_shape *shape = job->shape;
    int64_t image = (int64_t)task / shape->in_height, y = (int64_t)task % shape->in_height;
    int64_t at = image * pooled_size(shape);
    job->kernels->max_backward(shape, values_at(shape->type, job->input, at), job->chosen + at, y,
                               values_at(shape->type, job->output, (int64_t)task * shape->in_width * shape->channels));
}

static void avg_backward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const pool_job *job = argument;
    const cnn_pool_shape *shape = job->shape;
    int64_t image = (int64_t)task / shape->in_height, y = (int64_t)task % shape->in_height;
    job->kernels->avg_backward(shape, values_at(shape->type, job->input, image * pooled_size(shape)), y,
                               values_at(shape->type, job->output, (int64_t)task * shape->in_width * shape->channels));
}

void cnn_max_pool_backward(cnn_context *context, const cnn_pool_shape *shape, const void *gradient,
                           const uint16_t *argmax, void *input_gradient)
{
    pool_job job = { .kernels = cnn_kernels_get(context)->pool,
                     .shape = shape,
                     .input = gradient,
                     .output = input_gradient,
                     .chosen = argmax };
    cnn_parallel(context, (size_t)(shape->batch * shape->in_height), max_backward_task, &job);
}

void cnn_avg_pool_backward(cnn_context *context, const cnn_pool_shape *shape, const void *gradient,
                           void *input_gradient)
{
    pool_job job = {
        .kernels = cnn_kernels_get(context)->pool, .shape = shape, .input = gradient, .output = input_gradient
    };
    cnn_parallel(context, (size_t)(shape->batch * shape->in_height), avg_backward_task, &job);
}

/* Global: a task is an image. */
typedef struct global_job {
    cnn_context *context;
    const cnn_global_pool_shape *shape;
    const void *input;
    void *output;
} global_job;

static void global_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const global_job *job = argument;
    const cnn_global_pool_shape *s = job->shape;
    const void *image = values_at(s->type, job->input, (int64_t)task * s->pixels * s->channels);
    float *output = (float *)job->output + (int64_t)task * s->channels;
    cnn_channel_sum(job->context, &(cnn_channels){ s->type, (size_t)s->pixels, (size_t)s->channels }, image, output);
    for (int64_t c = 0; c < s->channels; c++)
        output[c] /= (float)s->pixels;
}

static void global_backward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const global_job *job = argument;
    const cnn_global_pool_shape *s = job->shape;
    const float *gradient = (const float *)job->input + (int64_t)task * s->channels;
    char *first = values_at(s->type, job->output, (int64_t)task * s->pixels * s->channels);
    for (int64_t c = 0; c < s->channels; c++) {
        float share = gradient[c] / (float)s->pixels;
        if (s->type == CNN_BFLOAT16)
            ((cnn_bf16 *)(void *)first)[c] = cnn_bf16_round(share);
        else
            ((float *)(void *)first)[c] = share;
    }
    size_t bytes = (size_t)s->channels * cnn_dtype_size(s->type);
    for (int64_t pixel = 1; pixel < s->pixels; pixel++)
        memcpy(first + (size_t)pixel * bytes, first, bytes);
}

void cnn_global_avg_pool_forward(cnn_context *context, const cnn_global_pool_shape *shape, const void *input,
                                 float *output)
{
    global_job job = { context, shape, input, output };
    cnn_parallel(context, (size_t)shape->batch, global_task, &job);
}

void cnn_global_avg_pool_backward(cnn_context *context, const cnn_global_pool_shape *shape, const float *gradient,
                                  void *input_gradient)
{
    global_job job = { context, shape, gradient, input_gradient };
    cnn_parallel(context, (size_t)shape->batch, global_backward_task, &job);
}
