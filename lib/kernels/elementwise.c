#include "kernels/elementwise.h"

#include <string.h>

#include "core/parallel.h"
#include "kernels/kernels.h"

/* Of one task: 64 KiB of each array. */
enum { CHUNK = 16384 };

typedef struct elementwise_job {
    const cnn_elementwise_kernels *kernels;
    cnn_elementwise operation;
    const float *constants;
    const float *first, *second;
    float *result;
    size_t count;
} elementwise_job;

static size_t chunk_length(const elementwise_job *job, size_t task)
{
    size_t left = job->count - task * CHUNK;
    return left < CHUNK ? left : CHUNK;
}

static size_t chunks(size_t count)
{
    return (count + CHUNK - 1) / CHUNK;
}

static void forward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const elementwise_job *job = argument;
    size_t at = task * CHUNK;
    job->kernels->forward[job->operation](job->first + at, job->result + at, chunk_length(job, task), job->constants);
}

void cnn_elementwise_forward(cnn_context *context, cnn_elementwise operation, const float *constants,
                             const float *input, float *output, size_t count)
{
    elementwise_job job = { cnn_kernels_get(context)->elementwise, operation, constants, input, NULL, output, count };
    cnn_parallel(context, chunks(count), forward_task, &job);
}

static void backward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const elementwise_job *job = argument;
    size_t at = task * CHUNK;
    job->kernels->backward[job->operation](job->first ? job->first + at : NULL, job->second + at, job->result + at,
                                           chunk_length(job, task), job->constants);
}

void cnn_elementwise_backward(cnn_context *context, cnn_elementwise operation, const float *constants,
                              const float *output, const float *gradient, float *input_gradient, size_t count)
{
    elementwise_job job = {
        cnn_kernels_get(context)->elementwise, operation, constants, output, gradient, input_gradient, count
    };
    cnn_parallel(context, chunks(count), backward_task, &job);
}

static void copy_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const elementwise_job *job = argument;
    size_t at = task * CHUNK;
    memcpy(job->result + at, job->first + at, chunk_length(job, task) * sizeof(float));
}

void cnn_elementwise_copy(cnn_context *context, const float *from, float *to, size_t count)
{
    elementwise_job job = { .first = from, .result = to, .count = count };
    if (from != to)
        cnn_parallel(context, chunks(count), copy_task, &job);
}

static void add_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const elementwise_job *job = argument;
    size_t at = task * CHUNK;
    job->kernels->add(job->first + at, job->second + at, job->result + at, chunk_length(job, task));
}

void cnn_elementwise_add(cnn_context *context, const float *a, const float *b, float *sum, size_t count)
{
    elementwise_job job = { cnn_kernels_get(context)->elementwise, CNN_ELEMENTWISE_COUNT, NULL, a, b, sum, count };
    cnn_parallel(context, chunks(count), add_task, &job);
}
