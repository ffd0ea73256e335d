#include "optim/ema.h"

#include "core/memory.h"
#include "core/parallel.h"

static cnn_status split(cnn_ema *ema)
{
    const cnn_snapshot *weights = ema->weights;
    size_t *counts = cnn_allocate_zeroed(weights->context, weights->count, sizeof *counts);
    if (!counts)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (size_t i = 0; i < weights->count; i++)
        counts[i] = weights->arrays[i].count;
    cnn_status status = cnn_blocks_create(weights->context, counts, weights->count, &ema->blocks, &ema->block_count);
    cnn_release(weights->context, counts);
    return status;
}

cnn_status cnn_ema_create(cnn_model *model, float decay, cnn_ema **ema)
{
    *ema = NULL;
    cnn_snapshot *weights;
    cnn_status status = cnn_snapshot_create(model, &weights);
    if (status)
        return status;
    cnn_ema *created = cnn_allocate_zeroed(weights->context, 1, sizeof *created);
    if (!created) {
        cnn_snapshot_destroy(weights);
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    created->weights = weights;
    created->decay = decay;
    status = split(created);
    if (status) {
        cnn_ema_destroy(created);
        return status;
    }
    *ema = created;
    return CNN_OK;
}

void cnn_ema_destroy(cnn_ema *ema)
{
    if (!ema)
        return;
    cnn_context *context = ema->weights->context;
    cnn_release(context, ema->blocks);
    cnn_snapshot_destroy(ema->weights);
    cnn_release(context, ema);
}

/* In the form in which what doesn't change (a frozen weight) stays the same to the bit. */
static void average(float take, size_t count, float *restrict mean, const float *restrict value)
{
    for (size_t i = 0; i < count; i++)
        mean[i] += take * (value[i] - mean[i]);
}

static void average_block(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const cnn_ema *ema = argument;
    cnn_block block = ema->blocks[task];
    const cnn_snapshot_array *array = &ema->weights->arrays[block.array];
    average(ema->take, block.count, array->data + block.start, array->value + block.start);
}

void cnn_ema_update(cnn_ema *ema)
{
    double t = (double)ema->steps++, early = (1 + t) / (10 + t);
    double decay = early < ema->decay ? early : ema->decay;
    ema->take = (float)(1 - decay);
    cnn_parallel(ema->weights->context, ema->block_count, average_block, ema);
}
