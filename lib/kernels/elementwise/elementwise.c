#include "kernels/elementwise/elementwise.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "core/parallel.h"
#include "kernels/kernels.h"
#include "kernels/tasks.h"

typedef struct elementwise_job {
    const cnn_elementwise_kernels *kernels;
    cnn_dtype type;
    cnn_elementwise operation;
    const float *constants;
    const void *first, *second;
    void *result;
    size_t count;
} elementwise_job;

/* A task's part of the arrays. */
typedef struct chunk {
    const void *first, *second;
    void *result;
    size_t count;
} chunk;

static chunk chunk_of(const elementwise_job *job, size_t task)
{
    size_t at = task * CNN_CHUNK * cnn_dtype_size(job->type);
    return (chunk){ job->first ? (const char *)job->first + at : NULL,
                    job->second ? (const char *)job->second + at : NULL, (char *)job->result + at,
                    cnn_chunk_length(job->count, task) };
}

static void run(cnn_context *context, cnn_task task, elementwise_job *job)
{
    job->kernels = cnn_kernels_get(context)->elementwise;
    cnn_parallel(context, cnn_chunk_count(job->count), task, job);
}

static void forward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const elementwise_job *job = argument;
    chunk c = chunk_of(job, task);
    if (job->type == CNN_BFLOAT16)
        job->kernels->forward_bf16[job->operation](c.first, c.result, c.count);
    else
        job->kernels->forward[job->operation](c.first, c.result, c.count, job->constants);
}

void cnn_elementwise_forward(cnn_context *context, const cnn_elementwise_call *call, const void *input, void *output)
{
    elementwise_job job = { .type = call->type,
                            .operation = call->operation,
                            .constants = call->constants,
                            .first = input,
                            .result = output,
                            .count = call->count };
    run(context, forward_task, &job);
}

static void backward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const elementwise_job *job = argument;
    chunk c = chunk_of(job, task);
    if (job->type == CNN_BFLOAT16)
        job->kernels->backward_bf16[job->operation](c.first, c.second, c.result, c.count);
    else
        job->kernels->backward[job->operation](c.first, c.second, c.result, c.count, job->constants);
}

void cnn_elementwise_backward(cnn_context *context, const cnn_elementwise_call *call, const void *value,
                              const void *gradient, void *input_gradient)
{
    elementwise_job job = { .type = call->type,
                            .operation = call->operation,
                            .constants = call->constants,
                            .first = value,
                            .second = gradient,
                            .result = input_gradient,
                            .count = call->count };
    run(context, backward_task, &job);
}

static void copy_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const elementwise_job *job = argument;
    chunk c = chunk_of(job, task);
    if (c.first)
        memcpy(c.result, c.first, c.count * cnn_dtype_size(job->type));
}

void cnn_elementwise_copy(cnn_context *context, cnn_dtype type, const void *from, void *to, size_t count)
{
    elementwise_job job = { .type = type, .first = from, .result = to, .count = count };
    if (from != to)
        run(context, copy_task, &job);
}

static void add_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const elementwise_job *job = argument;
    chunk c = chunk_of(job, task);
    if (job->type == CNN_BFLOAT16)
        job->kernels->add_bf16(c.first, c.second, c.result, c.count);
    else
        job->kernels->add(c.first, c.second, c.result, c.count);
}

void cnn_elementwise_add(cnn_context *context, cnn_dtype type, const void *a, const void *b, void *sum, size_t count)
{
    elementwise_job job = { .type = type, .first = a, .second = b, .result = sum, .count = count };
    run(context, add_task, &job);
}

typedef struct finite_job {
    const cnn_elementwise_kernels *kernels;
    bool bf16;
    const char *values;
    size_t count;
    atomic_bool found; /* one that isn't */
} finite_job;

static void finite_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    finite_job *job = argument;
    const char *values = job->values + task * CNN_CHUNK * (job->bf16 ? sizeof(uint16_t) : sizeof(float));
    if (!job->kernels->finite[job->bf16](values, cnn_chunk_length(job->count, task)))
        atomic_store(&job->found, true);
}

bool cnn_elementwise_finite(cnn_context *context, cnn_dtype type, const void *values, size_t count)
{
    finite_job job = {
        .kernels = cnn_kernels_get(context)->elementwise, .bf16 = type == CNN_BFLOAT16, .values = values, .count = count
    };
    cnn_parallel(context, cnn_chunk_count(count), finite_task, &job);
    return !atomic_load(&job.found);
}
