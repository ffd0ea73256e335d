#include <math.h>
#include <string.h>

#include "core/parallel.h"
#include "kernels/int8/int8_depthwise.h"
#include "kernels/int8/int8_winograd.h"
#include "kernels/tasks.h"

size_t cnn_int8_conv_packed_bytes(cnn_context *context, const cnn_conv_shape *shape)
{
    return cnn_int8_layout_make(cnn_kernels_get(context), shape).end;
}

typedef struct job {
    const cnn_int8_gemm_kernels *kernels;
    const cnn_int8_depthwise_kernels *depthwise;
    const cnn_conv_shape *shape;
    const cnn_int8_weights *weights;
    const cnn_int8_epilogue *epilogue;
    const cnn_int8_layout *layout;
    char *packed;
} job;

/* The bias in units of a sum, less what the input's zero adds to each sum: padding is by that zero, so it is the same
 * everywhere. */
static int32_t bias_of(const job *j, int64_t channel, int32_t sum_of_weights)
{
    double unit = (double)j->epilogue->input.scale * (double)j->weights->scales[channel];
    double bias = j->weights->bias ? rint((double)j->weights->bias[channel] / unit) : 0;
    bias = bias > CNN_INT8_MAX_BIAS ? CNN_INT8_MAX_BIAS : bias < -CNN_INT8_MAX_BIAS ? -CNN_INT8_MAX_BIAS : bias;
    int64_t zero = j->epilogue->input.zero - (j->kernels->signed_input && !j->layout->depthwise ? 128 : 0);
    int64_t start = (int64_t)bias - zero * sum_of_weights;
    return (int32_t)(uint32_t)(uint64_t)start; /* sums wrap around, and come back */
}

/* Biases and scales of a block; those of columns beyond the last are 0. */
static void pack_numbers(const job *j, int64_t group, int64_t first, int64_t last, const int32_t *sums)
{
    int32_t *bias = (int32_t *)(void *)j->packed + group * j->layout->padded;
    float *scales = (float *)(void *)(j->packed + j->layout->scales) + group * j->layout->padded;
    for (int64_t column = first; column < last; column++) {
        int64_t channel = group * j->layout->columns + column;
        bool used = column < j->layout->columns;
        float unit = used ? j->epilogue->input.scale * j->weights->scales[channel] : 0;
        bias[column] = used ? bias_of(j, channel, sums[column - first]) : 0;
        scales[column] = j->epilogue->output.scale == 0 ? unit : unit / j->epilogue->output.scale;
    }
}

/* A term's weights, into their places in groups. */
static void spread(const job *j, const int8_t *row, int64_t columns, int64_t place, char *to, int32_t *sums)
{
    for (int64_t c = 0; c < columns; c++) {
        sums[c] += row[c];
        to[j->kernels->group * c + place] = row[c];
    }
}

/* Columns first to last - 1 of a group. Terms follow each other as taps and channels do. */
static void pack_block(const job *j, int64_t group, int64_t first, int64_t last, int32_t *sums)
{
    const cnn_int8_layout *layout = j->layout;
    int64_t columns = cnn_lesser(last, layout->columns) - first, runs = layout->outer;
    int64_t step = j->kernels->group * (last - first), run_bytes = step * layout->inner;
    char *to =
        j->packed + layout->weights + j->kernels->group * runs * layout->inner * (group * layout->padded + first);
    const int8_t *row = j->weights->values + group * layout->columns + first;
    memset(to, 0, (size_t)(runs * run_bytes));
    for (int64_t run = 0; run < runs; run++, to += run_bytes)
        for (int64_t term = 0; term < layout->row_terms; term++, row += j->shape->out_channels)
            spread(j, row, columns, term % j->kernels->group, to + step * (term / j->kernels->group), sums);
}

/* The same for Winograd's algorithm: pairs of channels, in each matrix. */
static void pack_winograd_block(const job *j, int64_t first, int64_t last, int32_t *sums)
{
    const cnn_int8_layout *layout = j->layout;
    const int64_t channels = layout->row_terms, filters = j->shape->out_channels, taps = 9;
    int64_t numbers = channels * (last - first);
    int16_t *block = (int16_t *)(void *)(j->packed + layout->weights) + layout->outer * channels * first;
    memset(block, 0, (size_t)(layout->outer * numbers) * sizeof *block);
    for (int64_t channel = 0; channel < channels; channel++)
        for (int64_t c = first; c < cnn_lesser(last, layout->columns); c++) {
            const int8_t *kernel = j->weights->values + channel * filters + c;
            int16_t transformed[CNN_INT8_WINOGRAD_MATRICES];
            cnn_int8_winograd_weights(kernel, channels * filters, transformed);
            int16_t *to = block + channel / 2 * 2 * (last - first) + 2 * (c - first) + channel % 2;
            for (int i = 0; i < CNN_INT8_WINOGRAD_MATRICES; i++)
                to[i * numbers] = transformed[i];
            for (int tap = 0; tap < taps; tap++)
                sums[c - first] += kernel[tap * channels * filters];
        }
}

/* A weight, at its place in the group of a column. */
static void put_depthwise(char *groups, int64_t group, int64_t column, int64_t place, int8_t weight)
{
    if (group > 2)
        groups[group * column + place] = weight;
    else
        ((int16_t *)(void *)groups)[group * column + place] = weight;
}

/* Each tap goes to its place in the groups of its column of taps. */
static void pack_depthwise(const job *j, int64_t first, int64_t last, int32_t *sums)
{
    const cnn_int8_layout *layout = j->layout;
    const int32_t *kernel = j->shape->kernel;
    const int64_t group = j->depthwise->group, row_bytes = layout->padded * j->depthwise->group_bytes;
    char *to = j->packed + layout->weights;
    for (int64_t row = 0; row < layout->outer; row++)
        memset(to + row * row_bytes + first * j->depthwise->group_bytes, 0,
               (size_t)((last - first) * j->depthwise->group_bytes));
    const int8_t *values = j->weights->values;
    for (int64_t tap = 0; tap < (int64_t)kernel[0] * kernel[1]; tap++, values += layout->columns)
        for (int64_t c = first; c < cnn_lesser(last, layout->columns); c++) {
            sums[c - first] += values[c];
            for (int64_t shift = 0; shift < layout->sharing; shift++) {
                int64_t y = tap / kernel[1] + shift, x = tap % kernel[1];
                char *row = to + shift * layout->outer / layout->sharing * row_bytes;
                put_depthwise(row + (y / group * kernel[1] + x) * row_bytes, group, c, y % group, values[c]);
            }
        }
}

static void pack_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    int32_t sums[CNN_INT8_PANEL] = { 0 };
    int64_t blocks = cnn_divide_up(j->layout->padded, j->kernels->columns);
    int64_t group = (int64_t)task / blocks, first = (int64_t)task % blocks * j->kernels->columns;
    int64_t last = cnn_lesser(first + j->kernels->columns, j->layout->padded);
    if (j->layout->depthwise)
        pack_depthwise(j, first, last, sums);
    else if (j->layout->winograd)
        pack_winograd_block(j, first, last, sums);
    else
        pack_block(j, group, first, last, sums);
    pack_numbers(j, group, first, last, sums);
}

void cnn_int8_conv_pack(cnn_context *context, const cnn_conv_shape *shape, const cnn_int8_weights *weights,
                        const cnn_int8_epilogue *epilogue, void *packed)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    cnn_int8_layout layout = cnn_int8_layout_make(kernels, shape);
    job j = { kernels->int8_gemm, kernels->int8_depthwise, shape, weights, epilogue, &layout, packed };
    int64_t blocks = cnn_divide_up(layout.padded, kernels->int8_gemm->columns);
    cnn_parallel(context, (size_t)(layout.groups * blocks), pack_task, &j);
}
