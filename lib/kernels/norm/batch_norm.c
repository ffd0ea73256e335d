#include "kernels/norm/batch_norm.h"

#include <stdbool.h>

#include "core/parallel.h"
#include "kernels/kernels.h"

/* Fewer channels than WIDE are repeated to make rows worth a vector loop; MAX_REPEATED is the longest such row. BLOCK
 * numbers, about, are worked on by one task: few enough to stay in the cache between two readings. */
enum { WIDE = 64, MAX_REPEATED = 2 * WIDE, BLOCK = 16384 };

/* Channels, at least, and sums of blocks, about, that one task adds up. */
enum { JOINED_CHANNELS = 8, JOINED_SUMS = 8192 };

static size_t period_of(size_t channels)
{
    return channels >= WIDE ? channels : (WIDE + channels - 1) / channels * channels;
}

static size_t block_of(size_t channels)
{
    size_t period = period_of(channels);
    return period >= BLOCK ? period : BLOCK / period * period;
}

static size_t block_count(size_t count, size_t channels)
{
    return (count + block_of(channels) - 1) / block_of(channels);
}

/* Numbers per channel, as long as the period: `values` themselves, or repeated in `room`. */
static const float *repeat(const float *values, size_t channels, float room[MAX_REPEATED])
{
    if (channels >= WIDE)
        return values;
    for (size_t i = 0; i < period_of(channels); i++)
        room[i] = values[i % channels];
    return room;
}

/* Adds up a period's sums to those of the channels. */
static void fold(const float *sums, size_t channels, float *folded)
{
    for (size_t c = 0; c < channels; c++) {
        float sum = 0;
        for (size_t i = c; i < period_of(channels); i += channels)
            sum += sums[i];
        folded[c] = sum;
    }
}

typedef struct channel_job {
    const cnn_batch_norm_kernels *kernels;
    bool bf16; /* values are bfloat16 */
    const void *input;
    size_t count, channels, block, period;
    float *first, *second;    /* sums of the blocks, `channels` each */
    cnn_batch_norm_loop loop; /* over all */
    cnn_batch_norm_masking masking;
} channel_job;

static channel_job make_job(cnn_context *context, const cnn_channels *shape, const void *input)
{
    return (channel_job){
        .kernels = cnn_kernels_get(context)->batch_norm,
        .bf16 = shape->type == CNN_BFLOAT16,
        .input = input,
        .count = shape->rows * shape->channels,
        .channels = shape->channels,
        .block = block_of(shape->channels),
        .period = period_of(shape->channels),
    };
}

static size_t block_length(const channel_job *job, size_t task)
{
    size_t left = job->count - task * job->block;
    return left < job->block ? left : job->block;
}

/* A task's part of an array. */
static const void *block_at(const channel_job *job, const void *values, size_t task)
{
    return (const char *)values + task * job->block * (job->bf16 ? sizeof(uint16_t) : sizeof(float));
}

size_t cnn_batch_norm_workspace(size_t rows, size_t channels)
{
    return 2 * block_count(rows * channels, channels) * channels * sizeof(float);
}

static void sum_block(const cnn_batch_norm_kernels *kernels, bool bf16, const void *input, size_t count,
                      size_t channels, float *sum)
{
    float room[MAX_REPEATED];
    float *sums = channels >= WIDE ? sum : room;
    kernels->sum[bf16](input, count, period_of(channels), sums);
    if (sums != sum)
        fold(sums, channels, sum);
}

void cnn_channel_sum(cnn_context *context, const cnn_channels *shape, const void *input, float *sum)
{
    sum_block(cnn_kernels_get(context)->batch_norm, shape->type == CNN_BFLOAT16, input, shape->rows * shape->channels,
              shape->channels, sum);
}

/* The mean of a block, and the squares of the differences from it: exact where a sum of squares would cancel. */
static void moments_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const channel_job *job = argument;
    float mean_room[MAX_REPEATED], squares_room[MAX_REPEATED];
    const void *input = block_at(job, job->input, task);
    size_t count = block_length(job, task), rows = count / job->channels;
    float *mean = job->first + task * job->channels, *squares = job->second + task * job->channels;
    sum_block(job->kernels, job->bf16, input, count, job->channels, mean);
    float factor = 1 / (float)rows;
    for (size_t c = 0; c < job->channels; c++)
        mean[c] *= factor;
    float *sums = job->channels >= WIDE ? squares : squares_room;
    job->kernels->squares[job->bf16](input, count, job->period, repeat(mean, job->channels, mean_room), sums);
    if (sums != squares)
        fold(sums, job->channels, squares);
}

static size_t block_rows(const channel_job *job, size_t block)
{
    return block_length(job, block) / job->channels;
}

/* What the blocks' sums are joined to, for each channel. */
typedef struct join_job {
    const channel_job *sums;
    size_t blocks, chunk;                                                    /* chunk: channels of a task */
    void (*join)(const struct join_job *job, size_t first, size_t channels); /* at most JOINED_CHANNELS */
    float *results[2];
} join_job;

static void join_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const join_job *job = argument;
    size_t first = task * job->chunk, all = job->sums->channels;
    size_t last = first + job->chunk < all ? first + job->chunk : all;
    for (; first < last; first += JOINED_CHANNELS)
        job->join(job, first, last - first < JOINED_CHANNELS ? last - first : JOINED_CHANNELS);
}

static void join_blocks(cnn_context *context, join_job *job)
{
    size_t most = JOINED_SUMS / job->blocks / JOINED_CHANNELS * JOINED_CHANNELS, channels = job->sums->channels;
    job->chunk = most > JOINED_CHANNELS ? most : JOINED_CHANNELS;
    cnn_parallel(context, (channels + job->chunk - 1) / job->chunk, join_task, job);
}

/* The blocks' moments together: Chan, Golub and LeVeque 1979. */
static void join_moments(const join_job *job, size_t first, size_t channels)
{
    const channel_job *sums = job->sums;
    double sum[JOINED_CHANNELS] = { 0 }, squares[JOINED_CHANNELS] = { 0 }, middle[JOINED_CHANNELS];
    const size_t all = sums->count / sums->channels;
    double rows = (double)all;
    for (size_t block = 0; block < job->blocks; block++) {
        const float *means = sums->first + block * sums->channels + first;
        double own_rows = (double)block_rows(sums, block);
        for (size_t c = 0; c < channels; c++)
            sum[c] += own_rows * (double)means[c];
    }
    for (size_t c = 0; c < channels; c++)
        middle[c] = sum[c] / rows;
    for (size_t block = 0; block < job->blocks; block++) {
        const float *means = sums->first + block * sums->channels + first;
        const float *own_squares = sums->second + block * sums->channels + first;
        double own_rows = (double)block_rows(sums, block);
        for (size_t c = 0; c < channels; c++) {
            double difference = (double)means[c] - middle[c];
            squares[c] += (double)own_squares[c] + own_rows * difference * difference;
        }
    }
    for (size_t c = 0; c < channels; c++) {
        job->results[0][first + c] = (float)middle[c];
        job->results[1][first + c] = (float)(squares[c] / rows);
    }
}

void cnn_batch_norm_moments(cnn_context *context, const cnn_channels *shape, const void *input, float *mean,
                            float *variance, void *workspace)
{
    channel_job job = make_job(context, shape, input);
    size_t channels = shape->channels;
    size_t blocks = block_count(job.count, channels);
    job.first = workspace;
    job.second = job.first + blocks * channels;
    cnn_parallel(context, blocks, moments_task, &job);
    join_blocks(context, &(join_job){ &job, blocks, 0, join_moments, { mean, variance } });
}

/* A task's part of the loop. */
static cnn_batch_norm_loop loop_at(const channel_job *job, size_t task)
{
    cnn_batch_norm_loop loop = job->loop;
    loop.count = block_length(job, task);
    loop.period = job->period;
    const void **values[] = { &loop.input, &loop.gradient, &loop.output, &loop.residual };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (*values[i])
            *values[i] = block_at(job, *values[i], task);
    if (loop.result)
        loop.result = (void *)block_at(job, loop.result, task);
    if (loop.masked)
        loop.masked = (void *)block_at(job, loop.masked, task);
    return loop;
}

static void set_mask(channel_job *job, const cnn_batch_norm_mask *mask)
{
    if (!mask)
        return;
    job->masking = mask->output ? CNN_BATCH_NORM_BY_OUTPUT : CNN_BATCH_NORM_BY_INPUT;
    job->loop.output = mask->output;
    job->loop.clamp = mask->clamp;
    job->loop.masked = mask->masked;
}

static channel_job make_backward_job(cnn_context *context, const cnn_channels *shape,
                                     const cnn_batch_norm_backward *pass)
{
    channel_job job = make_job(context, shape, pass->input);
    set_mask(&job, pass->mask);
    job.loop.input = pass->input;
    job.loop.gradient = pass->gradient;
    return job;
}

static void gradient_sums_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const channel_job *job = argument;
    float sum_room[MAX_REPEATED], product_room[MAX_REPEATED];
    float *sum = job->first + task * job->channels, *product = job->second + task * job->channels;
    bool wide = job->channels >= WIDE;
    cnn_batch_norm_loop loop = loop_at(job, task);
    loop.sum = wide ? sum : sum_room;
    loop.product = wide ? product : product_room;
    job->kernels->gradient_sums[job->bf16][job->masking](&loop);
    if (!wide) {
        fold(sum_room, job->channels, sum);
        fold(product_room, job->channels, product);
    }
}

static void add_blocks(const join_job *job, size_t first, size_t channels)
{
    for (size_t i = 0; i < 2; i++) {
        double sum[JOINED_CHANNELS] = { 0 };
        const float *sums = (i ? job->sums->second : job->sums->first) + first;
        for (size_t block = 0; block < job->blocks; block++)
            for (size_t c = 0; c < channels; c++)
                sum[c] += (double)sums[block * job->sums->channels + c];
        for (size_t c = 0; c < channels; c++)
            job->results[i][first + c] = (float)sum[c];
    }
}

void cnn_batch_norm_gradient_sums(cnn_context *context, const cnn_channels *shape, const cnn_batch_norm_backward *pass,
                                  float *sum, float *product, void *workspace)
{
    float subtract[MAX_REPEATED], multiply[MAX_REPEATED], add[MAX_REPEATED];
    channel_job job = make_backward_job(context, shape, pass);
    size_t channels = shape->channels, blocks = block_count(job.count, channels);
    const cnn_batch_norm_mask *mask = pass->mask;
    job.loop.subtract = repeat(pass->mean, channels, subtract);
    if (job.masking == CNN_BATCH_NORM_BY_INPUT) {
        job.loop.multiply = repeat(mask->affine->multiply, channels, multiply);
        job.loop.mask_add = repeat(mask->affine->add, channels, add);
    }
    job.first = workspace;
    job.second = job.first + blocks * channels;
    cnn_parallel(context, blocks, gradient_sums_task, &job);
    join_blocks(context, &(join_job){ &job, blocks, 0, add_blocks, { sum, product } });
}

static void apply_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const channel_job *job = argument;
    cnn_batch_norm_loop loop = loop_at(job, task);
    job->kernels->apply[job->bf16](&loop);
}

void cnn_batch_norm_apply(cnn_context *context, const cnn_channels *shape, const cnn_batch_norm_affine *affine,
                          const cnn_batch_norm_epilogue *epilogue, const void *input, void *output)
{
    float subtract[MAX_REPEATED], multiply[MAX_REPEATED], add[MAX_REPEATED];
    channel_job job = make_job(context, shape, input);
    size_t channels = shape->channels;
    job.loop = (cnn_batch_norm_loop){ .input = input,
                                      .residual = epilogue ? epilogue->residual : NULL,
                                      .clamp = epilogue ? epilogue->clamp : CNN_NO_CLAMP,
                                      .subtract = repeat(affine->subtract, channels, subtract),
                                      .multiply = repeat(affine->multiply, channels, multiply),
                                      .add = repeat(affine->add, channels, add),
                                      .result = output };
    cnn_parallel(context, block_count(job.count, channels), apply_task, &job);
}

static void input_gradient_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const channel_job *job = argument;
    cnn_batch_norm_loop loop = loop_at(job, task);
    job->kernels->input_gradient[job->bf16][job->masking](&loop);
}

void cnn_batch_norm_input_gradient(cnn_context *context, const cnn_channels *shape, const cnn_batch_norm_backward *pass,
                                   const cnn_batch_norm_slopes *slopes, void *input_gradient)
{
    float subtract[MAX_REPEATED], multiply[MAX_REPEATED], add[MAX_REPEATED], slope[MAX_REPEATED];
    float mask_add[MAX_REPEATED];
    channel_job job = make_backward_job(context, shape, pass);
    size_t channels = shape->channels;
    job.loop.subtract = repeat(pass->mean, channels, subtract);
    job.loop.multiply = repeat(slopes->multiply, channels, multiply);
    job.loop.add = repeat(slopes->subtract, channels, add);
    job.loop.slope = repeat(slopes->slope, channels, slope);
    if (job.masking == CNN_BATCH_NORM_BY_INPUT)
        job.loop.mask_add = repeat(pass->mask->affine->add, channels, mask_add);
    job.loop.result = input_gradient;
    cnn_parallel(context, block_count(job.count, channels), input_gradient_task, &job);
}
