#include "kernels/elementwise/convert_bf16.h"

#include "core/parallel.h"
#include "kernels/kernels.h"
#include "kernels/tasks.h"

typedef struct job {
    const cnn_convert_bf16_kernels *kernels;
    float *wide;
    cnn_bf16 *bf16;
    size_t count;
} job;

static void round_chunk(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    j->kernels->round(j->wide + task * CNN_CHUNK, j->bf16 + task * CNN_CHUNK, cnn_chunk_length(j->count, task));
}

static void widen_chunk(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    j->kernels->widen(j->bf16 + task * CNN_CHUNK, j->wide + task * CNN_CHUNK, cnn_chunk_length(j->count, task));
}

void cnn_bf16_round_array(cnn_context *context, const float *from, cnn_bf16 *to, size_t count)
{
    job j = { cnn_kernels_get(context)->convert_bf16, (float *)from, to, count };
    cnn_parallel(context, cnn_chunk_count(count), round_chunk, &j);
}

void cnn_bf16_widen_array(cnn_context *context, const cnn_bf16 *from, float *to, size_t count)
{
    job j = { cnn_kernels_get(context)->convert_bf16, to, (cnn_bf16 *)from, count };
    cnn_parallel(context, cnn_chunk_count(count), widen_chunk, &j);
}
