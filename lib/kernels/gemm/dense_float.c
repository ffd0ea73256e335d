/* Dense layers of floats. Their weights are many and each is used once for a row of input: what slows them is memory,
 * so all three gemms read or write the weights once, in the order in which they lie. */
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/gemm/dense_float.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/gemm/matrix.h"
#include "kernels/kernels.h"
#include "kernels/tasks.h"

enum {
    ROWS = 64,        /* of input that one task takes */
    MIN_INPUTS = 64,  /* that one task takes */
    MIN_UNITS = 64,   /* likewise, with many threads */
    MAX_INPUTS = 128, /* of a task of the backward gemms */
    SUM_PIECE = 4096,
    UNIT_GRAIN = 16 /* a cache line of the weights */
};

typedef struct dense {
    const cnn_kernels *kernels;
    const cnn_dense_shape *shape;
    const float *input, *weights, *gradient, *bias;
    float *result, *bias_gradient;
    cnn_clamp clamp;
    int64_t parts;      /* of the inputs */
    int64_t unit_parts; /* forward, of the units */
    cnn_indirection indirection;
    float *sums, *scratch;
} dense;

/* Rows of input `distance` apart make rows of the result `output_distance` apart. */
static cnn_indirection fill_tables(void *workspace, int64_t rows, int64_t distance, int64_t output_distance)
{
    cnn_indirection tables = cnn_indirection_at(workspace, rows);
    tables.taps[0] = 0;
    for (int64_t i = 0; i < rows; i++) {
        tables.rows[i] = i * distance;
        tables.outputs[i] = i * output_distance;
    }
    return tables;
}

/* Forward: each task takes some rows and a part of the inputs; the sums over parts are added up in order. Weights are
 * read fastest for all units at once: many threads alone have parts of these, too. */

static int64_t forward_parts(const cnn_dense_shape *s)
{
    int64_t parts = cnn_divide_up(CNN_ENOUGH_TASKS, cnn_divide_up(s->rows, ROWS));
    parts = cnn_lesser(parts, s->inputs / MIN_INPUTS);
    return parts > 1 ? parts : 1;
}

static int64_t forward_unit_parts(const cnn_dense_shape *s, uint32_t threads)
{
    int64_t tasks = cnn_divide_up(s->rows, ROWS) * forward_parts(s);
    if (threads <= CNN_FEW_THREADS)
        return 1;
    return cnn_clamp_size(cnn_divide_up(2 * threads, tasks), 1, cnn_at_least_1(s->units / MIN_UNITS));
}

size_t cnn_dense_floats_forward_workspace(cnn_context *context, const cnn_dense_shape *s)
{
    (void)context;
    return cnn_indirection_bytes(ROWS, 1) + (size_t)((forward_parts(s) - 1) * s->rows * s->units) * sizeof(float);
}

static void multiply_forward(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const dense *d = argument;
    const cnn_dense_shape *s = d->shape;
    int64_t unit_part = (int64_t)task % d->unit_parts, part = (int64_t)task / d->unit_parts % d->parts;
    int64_t row = (int64_t)task / d->unit_parts / d->parts * ROWS;
    int64_t vectors = cnn_divide_up(s->units, UNIT_GRAIN);
    int64_t unit = vectors * unit_part / d->unit_parts * UNIT_GRAIN;
    int64_t last_unit = cnn_lesser(vectors * (unit_part + 1) / d->unit_parts * UNIT_GRAIN, s->units);
    int64_t first = s->inputs * part / d->parts, last = s->inputs * (part + 1) / d->parts;
    float *to = part ? d->sums + (part - 1) * s->rows * s->units : d->result;
    bool whole = d->parts == 1;
    cnn_gemm gemm = { .rows = cnn_lesser(s->rows - row, ROWS),
                      .columns = last_unit - unit,
                      .outer = 1,
                      .inner = last - first,
                      .a = d->input + row * s->inputs + first,
                      .indirection = d->indirection,
                      .a_stride = 1,
                      .b = d->weights + first * s->units + unit,
                      .b_stride = s->units,
                      .c = to + row * s->units + unit,
                      .bias = part || !d->bias ? NULL : d->bias + unit,
                      .clamp = whole ? d->clamp : CNN_NO_CLAMP };
    cnn_gemm_run(d->kernels, &gemm);
}

static void add_parts(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const dense *d = argument;
    int64_t all = d->shape->rows * d->shape->units, first = (int64_t)task * SUM_PIECE;
    int64_t count = cnn_lesser(SUM_PIECE, all - first);
    cnn_matrix parts = { .values = d->sums + first, .rows = d->parts - 1, .columns = count, .row_stride = all };
    d->kernels->matrix->sum_rows(&parts, d->result + first);
    d->kernels->matrix->clamp(d->result + first, count, d->clamp);
}

void cnn_dense_floats_forward(cnn_context *context, const cnn_dense_shape *s, cnn_activation activation,
                              const cnn_dense_arrays *arrays)
{
    dense d = { .kernels = cnn_kernels_get(context),
                .shape = s,
                .input = arrays->input,
                .weights = arrays->weights,
                .bias = arrays->bias,
                .result = arrays->output,
                .clamp = cnn_activation_clamp(activation),
                .parts = forward_parts(s),
                .unit_parts = forward_unit_parts(s, cnn_context_threads(context)) };
    d.indirection = fill_tables(arrays->workspace, ROWS, s->inputs, s->units);
    d.sums = (float *)(void *)((unsigned char *)arrays->workspace + cnn_indirection_bytes(ROWS, 1));
    cnn_parallel(context, (size_t)(cnn_divide_up(s->rows, ROWS) * d.parts * d.unit_parts), multiply_forward, &d);
    if (d.parts > 1)
        cnn_parallel(context, (size_t)cnn_divide_up(s->rows * s->units, SUM_PIECE), add_parts, &d);
}

/* Backward: each task takes a part of the inputs, which are the rows of the weights. */

static int64_t backward_parts(const cnn_dense_shape *s)
{
    int64_t inputs = cnn_divide_up(s->inputs, CNN_ENOUGH_TASKS);
    return cnn_divide_up(s->inputs, inputs > MAX_INPUTS ? MAX_INPUTS : inputs < 8 ? 8 : inputs);
}

size_t cnn_dense_floats_backward_data_workspace(cnn_context *context, const cnn_dense_shape *s)
{
    size_t turned = cnn_round_up((size_t)(s->units * s->rows), 16);
    size_t scratch = (size_t)(MAX_INPUTS * s->rows) * cnn_context_threads(context);
    return cnn_indirection_bytes(MAX_INPUTS, 1) + (turned + scratch) * sizeof(float);
}

/* With the gradient turned, its columns are the batch, and the weights are what is broadcast, each once. */
static void multiply_backward_data(void *argument, size_t task, uint32_t worker)
{
    const dense *d = argument;
    const cnn_dense_shape *s = d->shape;
    int64_t first = s->inputs * (int64_t)task / d->parts, last = s->inputs * ((int64_t)task + 1) / d->parts;
    float *turned = d->scratch + worker * MAX_INPUTS * s->rows;
    cnn_gemm gemm = { .rows = last - first,
                      .columns = s->rows,
                      .outer = 1,
                      .inner = s->units,
                      .a = d->weights + first * s->units,
                      .indirection = d->indirection,
                      .a_stride = 1,
                      .b = d->gradient,
                      .b_stride = s->rows,
                      .c = turned,
                      .clamp = CNN_NO_CLAMP };
    cnn_gemm_run(d->kernels, &gemm);
    cnn_matrix result = { .values = turned, .rows = last - first, .columns = s->rows, .row_stride = s->rows };
    d->kernels->matrix->transpose(&result, d->result + first, s->inputs);
}

void cnn_dense_floats_backward_data(cnn_context *context, const cnn_dense_shape *s, const float *output_gradient,
                                    const float *weights, float *input_gradient, void *workspace)
{
    dense d = { .kernels = cnn_kernels_get(context),
                .shape = s,
                .weights = weights,
                .result = input_gradient,
                .parts = backward_parts(s) };
    d.indirection = fill_tables(workspace, MAX_INPUTS, s->units, s->rows);
    float *turned = (float *)(void *)((unsigned char *)workspace + cnn_indirection_bytes(MAX_INPUTS, 1));
    d.scratch = turned + cnn_round_up((size_t)(s->units * s->rows), 16);
    cnn_matrix gradient = { .values = output_gradient, .rows = s->rows, .columns = s->units, .row_stride = s->units };
    d.kernels->matrix->transpose(&gradient, turned, s->rows);
    d.gradient = turned;
    cnn_parallel(context, (size_t)d.parts, multiply_backward_data, &d);
}

size_t cnn_dense_floats_backward_weights_workspace(cnn_context *context, const cnn_dense_shape *s)
{
    (void)context, (void)s;
    return cnn_indirection_bytes(MAX_INPUTS, 1);
}

static void multiply_backward_weights(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const dense *d = argument;
    const cnn_dense_shape *s = d->shape;
    if ((int64_t)task == d->parts) { /* the last one */
        memset(d->bias_gradient, 0, (size_t)s->units * sizeof(float));
        cnn_matrix gradient = { .values = d->gradient, .rows = s->rows, .columns = s->units, .row_stride = s->units };
        d->kernels->matrix->sum_rows(&gradient, d->bias_gradient);
        return;
    }
    int64_t first = s->inputs * (int64_t)task / d->parts, last = s->inputs * ((int64_t)task + 1) / d->parts;
    cnn_gemm gemm = { .rows = last - first,
                      .columns = s->units,
                      .outer = 1,
                      .inner = s->rows,
                      .a = d->input + first,
                      .indirection = d->indirection,
                      .a_stride = s->inputs,
                      .b = d->gradient,
                      .b_stride = s->units,
                      .c = d->result + first * s->units,
                      .clamp = CNN_NO_CLAMP };
    cnn_gemm_run(d->kernels, &gemm);
}

void cnn_dense_floats_backward_weights(cnn_context *context, const cnn_dense_shape *s, const float *output_gradient,
                                       const cnn_weight_gradient *wanted)
{
    dense d = { .kernels = cnn_kernels_get(context),
                .shape = s,
                .input = wanted->input,
                .gradient = output_gradient,
                .result = wanted->weights,
                .bias_gradient = wanted->bias,
                .parts = backward_parts(s) };
    d.indirection = fill_tables(wanted->workspace, MAX_INPUTS, 1, s->units);
    cnn_parallel(context, (size_t)(d.parts + (wanted->bias != NULL)), multiply_backward_weights, &d);
}
