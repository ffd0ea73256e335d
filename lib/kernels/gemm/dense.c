/* Dense layers of values of any type. What slows them is reading the weights, which are floats: dot products of
 * bfloat16 would win nothing, and values are few beside weights, so they are widened first and rounded last. */
#include "core/memory.h"
#include "kernels/elementwise/convert_bf16.h"
#include "kernels/gemm/dense_float.h"

/* Floats for bfloat16, in the workspace. */
static size_t wide_bytes(cnn_dtype type, int64_t rows, int64_t columns)
{
    return type == CNN_BFLOAT16 ? cnn_round_up((size_t)(rows * columns) * sizeof(float), 64) : 0;
}

static size_t both_bytes(const cnn_dense_shape *s)
{
    return wide_bytes(s->input_type, s->rows, s->inputs) + wide_bytes(s->output_type, s->rows, s->units);
}

/* Room in the workspace, which moves on; NULL if the values are floats already. */
static float *take(void **workspace, cnn_dtype type, int64_t rows, int64_t columns)
{
    float *room = type == CNN_BFLOAT16 ? *workspace : NULL;
    *workspace = (char *)*workspace + wide_bytes(type, rows, columns);
    return room;
}

static const float *widened(cnn_context *context, const void *values, float *room, int64_t rows, int64_t columns)
{
    if (!room)
        return values;
    cnn_bf16_widen_array(context, values, room, (size_t)(rows * columns));
    return room;
}

static void round_back(cnn_context *context, const float *room, void *values, int64_t rows, int64_t columns)
{
    if (room)
        cnn_bf16_round_array(context, room, values, (size_t)(rows * columns));
}

size_t cnn_dense_forward_workspace(cnn_context *context, const cnn_dense_shape *s)
{
    return both_bytes(s) + cnn_dense_floats_forward_workspace(context, s);
}

void cnn_dense_forward(cnn_context *context, const cnn_dense_shape *s, cnn_activation activation,
                       const cnn_dense_arrays *arrays)
{
    cnn_dense_arrays floats = *arrays;
    float *in = take(&floats.workspace, s->input_type, s->rows, s->inputs);
    float *out = take(&floats.workspace, s->output_type, s->rows, s->units);
    floats.input = widened(context, arrays->input, in, s->rows, s->inputs);
    floats.output = out ? out : arrays->output;
    cnn_dense_floats_forward(context, s, activation, &floats);
    round_back(context, out, arrays->output, s->rows, s->units);
}

size_t cnn_dense_backward_data_workspace(cnn_context *context, const cnn_dense_shape *s)
{
    return both_bytes(s) + cnn_dense_floats_backward_data_workspace(context, s);
}

void cnn_dense_backward_data(cnn_context *context, const cnn_dense_shape *s, const void *output_gradient,
                             const float *weights, void *input_gradient, void *workspace)
{
    float *in = take(&workspace, s->input_type, s->rows, s->inputs);
    float *out = take(&workspace, s->output_type, s->rows, s->units);
    cnn_dense_floats_backward_data(context, s, widened(context, output_gradient, out, s->rows, s->units), weights,
                                   in ? in : input_gradient, workspace);
    round_back(context, in, input_gradient, s->rows, s->inputs);
}

size_t cnn_dense_backward_weights_workspace(cnn_context *context, const cnn_dense_shape *s)
{
    return both_bytes(s) + cnn_dense_floats_backward_weights_workspace(context, s);
}

void cnn_dense_backward_weights(cnn_context *context, const cnn_dense_shape *s, const void *output_gradient,
                                const cnn_weight_gradient *wanted)
{
    cnn_weight_gradient floats = *wanted;
    float *in = take(&floats.workspace, s->input_type, s->rows, s->inputs);
    float *out = take(&floats.workspace, s->output_type, s->rows, s->units);
    floats.input = widened(context, wanted->input, in, s->rows, s->inputs);
    cnn_dense_floats_backward_weights(context, s, widened(context, output_gradient, out, s->rows, s->units), &floats);
}
