#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/direct_conv.h"
#include "kernels/conv/direct_conv_plan.h"
#include "kernels/conv/epilogue.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/winograd/winograd.h"

size_t cnn_correlation_packed_bytes(const cnn_kernels *kernels, const cnn_correlation *s)
{
    if (cnn_winograd_tile(s))
        return cnn_winograd_packed_bytes(kernels, s);
    int64_t taps = s->taps[0] * s->taps[1];
    if (cnn_correlation_is_depthwise(s))
        return (size_t)(taps * s->channels) * sizeof(float);
    int64_t terms = taps * (s->source_channels / s->groups);
    return (size_t)(s->groups * cnn_packed_count(kernels, terms, s->channels / s->groups)) * sizeof(float);
}

typedef struct job {
    const cnn_kernels *kernels;
    const cnn_correlation *shape;
    const cnn_correlation_weights *weights;
    float *packed;
    int64_t blocks; /* in a group */
} job;

static const float *tap_weights(const job *j, int64_t tap)
{
    const cnn_correlation *s = j->shape;
    return j->weights->first + tap / s->taps[1] * j->weights->tap[0] + tap % s->taps[1] * j->weights->tap[1];
}

/* One block of columns of one tap of one group. */
static void pack_block(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    const cnn_correlation *s = j->shape;
    int64_t taps = s->taps[0] * s->taps[1], tap = (int64_t)task % taps;
    int64_t index = (int64_t)task / taps % j->blocks, group = (int64_t)task / taps / j->blocks;
    int64_t rows = s->source_channels / s->groups, columns = s->channels / s->groups;
    cnn_packed_block block =
        cnn_packed_block_at(j->kernels, taps * rows, columns, index * j->kernels->product->columns);
    float *to =
        j->packed + group * cnn_packed_count(j->kernels, taps * rows, columns) + block.offset + tap * rows * block.step;
    const float *from = tap_weights(j, tap) + group * j->weights->group + block.column * j->weights->channel;
    if (s->pairs) {
        j->kernels->row->pack_pairs(from, j->weights->source_channel, j->weights->channel, rows, block.columns, to,
                                    block.step);
        return;
    }
    if (j->weights->channel == 1)
        for (int64_t i = 0; i < rows; i++)
            memcpy(to + i * block.step, from + i * j->weights->source_channel, (size_t)block.columns * sizeof(float));
    else
        j->kernels->row->transpose(from, j->weights->channel, block.columns, rows, to, block.step);
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

void cnn_correlation_pack(cnn_context *context, const cnn_correlation *shape, const cnn_correlation_weights *weights,
                          float *packed)
{
    if (cnn_winograd_tile(shape)) {
        cnn_winograd_pack(context, shape, weights, packed);
        return;
    }
    job j = { cnn_kernels_get(context), shape, weights, packed, 0 };
    int64_t taps = shape->taps[0] * shape->taps[1], most = j.kernels->product->columns;
    if (cnn_correlation_is_depthwise(shape)) {
        cnn_parallel(context, (size_t)taps, pack_depthwise, &j);
        return;
    }
    j.blocks = (shape->channels / shape->groups + most - 1) / most;
    cnn_parallel(context, (size_t)(shape->groups * j.blocks * taps), pack_block, &j);
}
