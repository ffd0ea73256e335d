#include "kernels/elementwise/convert_bf16.h"

#include "core/parallel.h"
#include "kernels/kernels.h"

/* Of one task: 64 KiB of floats. */
enum { CHUNK = 16384 };

typedef struct job {
    const cnn_bf16_kernels *kernels;
    float *wide;
    cnn_bf16 *narrow;
    size_t count;
} job;

static size_t chunk_length(const job *j, size_t task)
{
    size_t left = j->count - task * CHUNK;
    return left < CHUNK ? left : CHUNK;
}

static void round_chunk(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    j->kernels->round(j->wide + task * CHUNK, j->narrow + task * CHUNK, chunk_length(j, task));
}

static void widen_chunk(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    j->kernels->widen(j->narrow + task * CHUNK, j->wide + task * CHUNK, chunk_length(j, task));
}

void cnn_bf16_round_array(cnn_context *context, const float *from, cnn_bf16 *to, size_t count)
{
    job j = { cnn_kernels_get(context)->bf16, (float *)from, to, count };
    cnn_parallel(context, (count + CHUNK - 1) / CHUNK, round_chunk, &j);
}

void cnn_bf16_widen_array(cnn_context *context, const cnn_bf16 *from, float *to, size_t count)
{
    job j = { cnn_kernels_get(context)->bf16, to, (cnn_bf16 *)from, count };
    cnn_parallel(context, (count + CHUNK - 1) / CHUNK, widen_chunk, &j);
}
