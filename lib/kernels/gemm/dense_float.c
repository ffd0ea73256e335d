/* Dense layers of floats. Their weights are many and each is used once for a row of input: what limits them is memory,
 * so all three products read or write the weights once, in the order in which they lie. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/epilogue.h"
#include "kernels/gemm/dense_float.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/kernels.h"

enum {
    ENOUGH_TASKS = 16,
    ROWS = 64,        /* of input that one task takes */
    MIN_INPUTS = 64,  /* that one task takes */
    MAX_INPUTS = 128, /* of a task in the backward products */
    SUM_PIECE = 4096
};

typedef struct dense {
    const cnn_kernels *kernels;
    const cnn_dense_shape *shape;
    const float *input, *weights, *gradient, *bias;
    float *result, *bias_gradient;
    float low, high;
    int64_t parts;        /* of the inputs */
    ptrdiff_t *tables[2]; /* distances between rows */
    float *sums, *scratch;
} dense;

static void fill_table(ptrdiff_t *table, int64_t count, int64_t distance)
{
    for (int64_t i = 0; i < count; i++)
        table[i] = i * distance;
}

/* Forward: each task takes some rows and a part of the inputs; the sums over parts are added up in order. */

static int64_t forward_parts(const cnn_dense_shape *s)
{
    int64_t parts = cnn_divide_up(ENOUGH_TASKS, cnn_divide_up(s->rows, ROWS));
    parts = cnn_lesser(parts, s->inputs / MIN_INPUTS);
    return parts > 1 ? parts : 1;
}

static size_t row_tables_bytes(void)
{
    return cnn_round_up(2 * ROWS * sizeof(ptrdiff_t), 64);
}

size_t cnn_dense_floats_forward_workspace(cnn_context *context, const cnn_dense_shape *s)
{
    (void)context;
    return row_tables_bytes() + (size_t)((forward_parts(s) - 1) * s->rows * s->units) * sizeof(float);
}

static const ptrdiff_t no_offset[1] = { 0 };

static void multiply_forward(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const dense *d = argument;
    const cnn_dense_shape *s = d->shape;
    int64_t part = (int64_t)task % d->parts, row = (int64_t)task / d->parts * ROWS;
    int64_t first = s->inputs * part / d->parts, last = s->inputs * (part + 1) / d->parts;
    float *to = part ? d->sums + (part - 1) * s->rows * s->units : d->result;
    bool whole = d->parts == 1;
    cnn_product product = { .rows = cnn_lesser(s->rows - row, ROWS),
                            .columns = s->units,
                            .outer = 1,
                            .inner = last - first,
                            .a = d->input + row * s->inputs + first,
                            .a_rows = d->tables[0],
                            .a_offsets = no_offset,
                            .a_step = 1,
                            .b = d->weights + first * s->units,
                            .b_step = s->units,
                            .c = to + row * s->units,
                            .c_rows = d->tables[1],
                            .bias = part ? NULL : d->bias,
                            .low = whole ? d->low : -INFINITY,
                            .high = whole ? d->high : INFINITY };
    cnn_product_run(d->kernels, &product);
}

static void add_parts(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const dense *d = argument;
    int64_t all = d->shape->rows * d->shape->units, first = (int64_t)task * SUM_PIECE;
    int64_t count = cnn_lesser(SUM_PIECE, all - first);
    d->kernels->row->sum_rows(d->sums + first, all, d->parts - 1, count, d->result + first);
    d->kernels->row->limit(d->result + first, count, d->low, d->high);
}

void cnn_dense_floats_forward(cnn_context *context, const cnn_dense_shape *s, const float *input, const float *weights,
                              const float *bias, cnn_activation activation, float *output, void *workspace)
{
    dense d = { .kernels = cnn_kernels_get(context),
                .shape = s,
                .input = input,
                .weights = weights,
                .bias = bias,
                .result = output,
                .low = activation == CNN_ACTIVATION_NONE ? -INFINITY : 0,
                .high = activation == CNN_ACTIVATION_RELU6 ? 6 : INFINITY,
                .parts = forward_parts(s) };
    d.tables[0] = workspace;
    d.tables[1] = d.tables[0] + ROWS;
    d.sums = (float *)(void *)((unsigned char *)workspace + row_tables_bytes());
    fill_table(d.tables[0], cnn_lesser(s->rows, ROWS), s->inputs);
    fill_table(d.tables[1], cnn_lesser(s->rows, ROWS), s->units);
    cnn_parallel(context, (size_t)(cnn_divide_up(s->rows, ROWS) * d.parts), multiply_forward, &d);
    if (d.parts > 1)
        cnn_parallel(context, (size_t)cnn_divide_up(s->rows * s->units, SUM_PIECE), add_parts, &d);
}

/* Backward: each task takes a part of the inputs, which are the rows of the weights. */

static int64_t backward_parts(const cnn_dense_shape *s)
{
    int64_t inputs = cnn_divide_up(s->inputs, ENOUGH_TASKS);
    return cnn_divide_up(s->inputs, inputs > MAX_INPUTS ? MAX_INPUTS : inputs < 8 ? 8 : inputs);
}

static size_t input_tables_bytes(void)
{
    return cnn_round_up(2 * MAX_INPUTS * sizeof(ptrdiff_t), 64);
}

size_t cnn_dense_floats_backward_data_workspace(cnn_context *context, const cnn_dense_shape *s)
{
    size_t turned = cnn_round_up((size_t)(s->units * s->rows), 16);
    size_t scratch = (size_t)(MAX_INPUTS * s->rows) * cnn_context_threads(context);
    return input_tables_bytes() + (turned + scratch) * sizeof(float);
}

/* With the gradient turned, its columns are the batch, and the weights are what is broadcast, each once. */
static void multiply_backward_data(void *argument, size_t task, uint32_t worker)
{
    const dense *d = argument;
    const cnn_dense_shape *s = d->shape;
    int64_t first = s->inputs * (int64_t)task / d->parts, last = s->inputs * ((int64_t)task + 1) / d->parts;
    float *turned = d->scratch + worker * MAX_INPUTS * s->rows;
    cnn_product product = { .rows = last - first,
                            .columns = s->rows,
                            .outer = 1,
                            .inner = s->units,
                            .a = d->weights + first * s->units,
                            .a_rows = d->tables[0],
                            .a_offsets = no_offset,
                            .a_step = 1,
                            .b = d->gradient,
                            .b_step = s->rows,
                            .c = turned,
                            .c_rows = d->tables[1],
                            .low = -INFINITY,
                            .high = INFINITY };
    cnn_product_run(d->kernels, &product);
    d->kernels->row->transpose(turned, s->rows, last - first, s->rows, d->result + first, s->inputs);
}

void cnn_dense_floats_backward_data(cnn_context *context, const cnn_dense_shape *s, const float *output_gradient,
                                    const float *weights, float *input_gradient, void *workspace)
{
    dense d = { .kernels = cnn_kernels_get(context),
                .shape = s,
                .weights = weights,
                .result = input_gradient,
                .parts = backward_parts(s) };
    d.tables[0] = workspace;
    d.tables[1] = d.tables[0] + MAX_INPUTS;
    float *turned = (float *)(void *)((unsigned char *)workspace + input_tables_bytes());
    d.scratch = turned + cnn_round_up((size_t)(s->units * s->rows), 16);
    fill_table(d.tables[0], MAX_INPUTS, s->units);
    fill_table(d.tables[1], MAX_INPUTS, s->rows);
    d.kernels->row->transpose(output_gradient, s->units, s->rows, s->units, turned, s->rows);
    d.gradient = turned;
    cnn_parallel(context, (size_t)d.parts, multiply_backward_data, &d);
}

size_t cnn_dense_floats_backward_weights_workspace(cnn_context *context, const cnn_dense_shape *s)
{
    (void)context, (void)s;
    return input_tables_bytes();
}

static void multiply_backward_weights(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const dense *d = argument;
    const cnn_dense_shape *s = d->shape;
    if ((int64_t)task == d->parts) { /* the last one */
        memset(d->bias_gradient, 0, (size_t)s->units * sizeof(float));
        d->kernels->row->sum_rows(d->gradient, s->units, s->rows, s->units, d->bias_gradient);
        return;
    }
    int64_t first = s->inputs * (int64_t)task / d->parts, last = s->inputs * ((int64_t)task + 1) / d->parts;
    cnn_product product = { .rows = last - first,
                            .columns = s->units,
                            .outer = 1,
                            .inner = s->rows,
                            .a = d->input + first,
                            .a_rows = d->tables[0],
                            .a_offsets = no_offset,
                            .a_step = s->inputs,
                            .b = d->gradient,
                            .b_step = s->units,
                            .c = d->result + first * s->units,
                            .c_rows = d->tables[1],
                            .low = -INFINITY,
                            .high = INFINITY };
    cnn_product_run(d->kernels, &product);
}

void cnn_dense_floats_backward_weights(cnn_context *context, const cnn_dense_shape *s, const float *input,
                                       const float *output_gradient, float *weight_gradient, float *bias_gradient,
                                       void *workspace)
{
    dense d = { .kernels = cnn_kernels_get(context),
                .shape = s,
                .input = input,
                .gradient = output_gradient,
                .result = weight_gradient,
                .bias_gradient = bias_gradient,
                .parts = backward_parts(s) };
    d.tables[0] = workspace;
    d.tables[1] = d.tables[0] + MAX_INPUTS;
    fill_table(d.tables[0], MAX_INPUTS, 1);
    fill_table(d.tables[1], MAX_INPUTS, s->units);
    cnn_parallel(context, (size_t)(d.parts + (bias_gradient != NULL)), multiply_backward_weights, &d);
}
