#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/direct_conv.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/gemm/matrix.h"

size_t cnn_direct_conv_packed_bytes(const cnn_kernels *kernels, const cnn_conv_problem *s)
{
    int64_t taps = s->taps[0] * s->taps[1];
    if (cnn_conv_is_depthwise(s))
        return (size_t)(taps * s->channels) * sizeof(float);
    int64_t terms = taps * (s->source_channels / s->groups);
    return (size_t)(s->groups * cnn_gemm_packed_count(kernels, terms, s->channels / s->groups)) * sizeof(float);
}

typedef struct job {
    const cnn_kernels *kernels;
    const cnn_conv_problem *shape;
    const cnn_conv_weights *weights;
    float *packed;
    int64_t blocks; /* in a group */
} job;

static const float *tap_weights(const job *j, int64_t tap)
{
    const cnn_conv_problem *s = j->shape;
    return j->weights->first + tap / s->taps[1] * j->weights->tap[0] + tap % s->taps[1] * j->weights->tap[1];
}

/* One block of columns of one tap of one group. */
static void pack_block(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    const cnn_conv_problem *s = j->shape;
    int64_t taps = s->taps[0] * s->taps[1], tap = (int64_t)task % taps;
    int64_t index = (int64_t)task / taps % j->blocks, group = (int64_t)task / taps / j->blocks;
    int64_t rows = s->source_channels / s->groups, columns = s->channels / s->groups;
    cnn_gemm_packed_block block =
        cnn_gemm_packed_block_at(j->kernels, taps * rows, columns, index * j->kernels->gemm->columns);
    float *to = j->packed + group * cnn_gemm_packed_count(j->kernels, taps * rows, columns) + block.offset +
                tap * rows * block.stride;
    const float *from = tap_weights(j, tap) + group * j->weights->group + block.column * j->weights->channel;
    const cnn_conv_weights *w = j->weights;
    if (s->bf16_dot) {
        cnn_matrix pairs = { from, 2 * rows, block.columns, w->source_channel, w->channel };
        j->kernels->matrix->pack_bf16_pairs(&pairs, to, block.stride);
    } else if (w->channel == 1) {
        for (int64_t i = 0; i < rows; i++)
            memcpy(to + i * block.stride, from + i * w->source_channel, (size_t)block.columns * sizeof(float));
    } else {
        cnn_matrix columns_first = { .values = from, .rows = block.columns, .columns = rows, .row_stride = w->channel };
        j->kernels->matrix->transpose(&columns_first, to, block.stride);
    }
}

/* Channels of one tap. */
static void pack_depthwise(void *argument, size_t tap, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    const float *from = tap_weights(j, (int64_t)tap);
    for (int64_t c = 0; c < j->shape->channels; c++)
        j->packed[(int64_t)tap * j->shape->channels + c] = from[c * j->weights->group];
}

void cnn_direct_conv_pack(cnn_context *context, const cnn_conv_problem *shape, const cnn_conv_weights *weights,
                          float *packed)
{
    job j = { cnn_kernels_get(context), shape, weights, packed, 0 };
    int64_t taps = shape->taps[0] * shape->taps[1], most = j.kernels->gemm->columns;
    if (cnn_conv_is_depthwise(shape)) {
        cnn_parallel(context, (size_t)taps, pack_depthwise, &j);
        return;
    }
    j.blocks = (shape->channels / shape->groups + most - 1) / most;
    cnn_parallel(context, (size_t)(shape->groups * j.blocks * taps), pack_block, &j);
}
