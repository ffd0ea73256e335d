#include "kernels/norm/softmax.h"

#include "core/parallel.h"
#include "kernels/kernels.h"

/* Numbers of one task, about. */
enum { CHUNK = 8192 };

typedef struct softmax_job {
    const cnn_softmax_kernels *kernels;
    const float *first, *second;
    float *result;
    size_t rows, columns, rows_per_task;
} softmax_job;

static softmax_job make_job(cnn_context *context, size_t rows, size_t columns)
{
    return (softmax_job){ .kernels = cnn_kernels_get(context)->softmax,
                          .rows = rows,
                          .columns = columns,
                          .rows_per_task = columns < CHUNK ? CHUNK / columns : 1 };
}

static size_t tasks(const softmax_job *job)
{
    return (job->rows + job->rows_per_task - 1) / job->rows_per_task;
}

static size_t last_row(const softmax_job *job, size_t task)
{
    size_t last = (task + 1) * job->rows_per_task;
    return last < job->rows ? last : job->rows;
}

static void forward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const softmax_job *job = argument;
    for (size_t row = task * job->rows_per_task; row < last_row(job, task); row++)
        job->kernels->forward(job->first + row * job->columns, job->result + row * job->columns, job->columns);
}

void cnn_softmax_forward(cnn_context *context, const float *input, float *output, size_t rows, size_t columns)
{
    softmax_job job = make_job(context, rows, columns);
    job.first = input;
    job.result = output;
    cnn_parallel(context, tasks(&job), forward_task, &job);
}

static void backward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const softmax_job *job = argument;
    for (size_t row = task * job->rows_per_task; row < last_row(job, task); row++) {
        size_t at = row * job->columns;
        job->kernels->backward(job->first + at, job->second + at, job->result + at, job->columns);
    }
}

void cnn_softmax_backward(cnn_context *context, const float *output, const float *gradient, float *input_gradient,
                          size_t rows, size_t columns)
{
    softmax_job job = make_job(context, rows, columns);
    job.first = output;
    job.second = gradient;
    job.result = input_gradient;
    cnn_parallel(context, tasks(&job), backward_task, &job);
}
