#include "kernels/pooling.h"

#include <string.h>

#include "core/parallel.h"
#include "kernels/channels.h"
#include "kernels/kernels.h"

typedef struct pool_job {
    cnn_context *context;
    const cnn_pool_kernels *kernels;
    const cnn_pool_shape *shape;
    const float *input;
    float *output;
    uint16_t *argmax;
    const uint16_t *chosen;
    int64_t pixels, channels; /* of global pooling */
} pool_job;

static int64_t image_size(const cnn_pool_shape *shape)
{
    return shape->in_height * shape->in_width * shape->channels;
}

static int64_t pooled_size(const cnn_pool_shape *shape)
{
    return shape->out_height * shape->out_width * shape->channels;
}

/* Forward: a task is a row of pooled values. */
static void max_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const pool_job *job = argument;
    const cnn_pool_shape *shape = job->shape;
    int64_t image = (int64_t)task / shape->out_height, y = (int64_t)task % shape->out_height;
    int64_t at = (int64_t)task * shape->out_width * shape->channels;
    job->kernels->max(shape, job->input + image * image_size(shape), y, job->output + at,
                      job->argmax ? job->argmax + at : NULL);
}

static void avg_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const pool_job *job = argument;
    const cnn_pool_shape *shape = job->shape;
    int64_t image = (int64_t)task / shape->out_height, y = (int64_t)task % shape->out_height;
    job->kernels->avg(shape, job->input + image * image_size(shape), y,
                      job->output + (int64_t)task * shape->out_width * shape->channels);
}

void cnn_max_pool_forward(cnn_context *context, const cnn_pool_shape *shape, const float *input, float *output,
                          uint16_t *argmax)
{
    pool_job job = {
        .kernels = cnn_kernels_get(context)->pool, .shape = shape, .input = input, .output = output, .argmax = argmax
    };
    cnn_parallel(context, (size_t)(shape->batch * shape->out_height), max_task, &job);
}

void cnn_avg_pool_forward(cnn_context *context, const cnn_pool_shape *shape, const float *input, float *output)
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
    job->kernels->max_backward(shape, job->input + at, job->chosen + at, y,
                               job->output + (int64_t)task * shape->in_width * shape->channels);
}

static void avg_backward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const pool_job *job = argument;
    const cnn_pool_shape *shape = job->shape;
    int64_t image = (int64_t)task / shape->in_height, y = (int64_t)task % shape->in_height;
    job->kernels->avg_backward(shape, job->input + image * pooled_size(shape), y,
                               job->output + (int64_t)task * shape->in_width * shape->channels);
}

void cnn_max_pool_backward(cnn_context *context, const cnn_pool_shape *shape, const float *gradient,
                           const uint16_t *argmax, float *input_gradient)
{
    pool_job job = { .kernels = cnn_kernels_get(context)->pool,
                     .shape = shape,
                     .input = gradient,
                     .output = input_gradient,
                     .chosen = argmax };
    cnn_parallel(context, (size_t)(shape->batch * shape->in_height), max_backward_task, &job);
}

void cnn_avg_pool_backward(cnn_context *context, const cnn_pool_shape *shape, const float *gradient,
                           float *input_gradient)
{
    pool_job job = {
        .kernels = cnn_kernels_get(context)->pool, .shape = shape, .input = gradient, .output = input_gradient
    };
    cnn_parallel(context, (size_t)(shape->batch * shape->in_height), avg_backward_task, &job);
}

/* Global: a task is an image. */
static void global_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const pool_job *job = argument;
    float *output = job->output + (int64_t)task * job->channels;
    cnn_channel_sum(job->context, job->input + (int64_t)task * job->pixels * job->channels, (size_t)job->pixels,
                    (size_t)job->channels, output);
    for (int64_t c = 0; c < job->channels; c++)
        output[c] /= (float)job->pixels;
}

static void global_backward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const pool_job *job = argument;
    const float *gradient = job->input + (int64_t)task * job->channels;
    float *first = job->output + (int64_t)task * job->pixels * job->channels;
    for (int64_t c = 0; c < job->channels; c++)
        first[c] = gradient[c] / (float)job->pixels;
    for (int64_t pixel = 1; pixel < job->pixels; pixel++)
        memcpy(first + pixel * job->channels, first, (size_t)job->channels * sizeof *first);
}

void cnn_global_avg_pool_forward(cnn_context *context, const float *input, int64_t batch, int64_t pixels,
                                 int64_t channels, float *output)
{
    pool_job job = { .context = context, .input = input, .output = output, .pixels = pixels, .channels = channels };
    cnn_parallel(context, (size_t)batch, global_task, &job);
}

void cnn_global_avg_pool_backward(cnn_context *context, const float *gradient, int64_t batch, int64_t pixels,
                                  int64_t channels, float *input_gradient)
{
    pool_job job = { .input = gradient, .output = input_gradient, .pixels = pixels, .channels = channels };
    cnn_parallel(context, (size_t)batch, global_backward_task, &job);
}
