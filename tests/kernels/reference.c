#include "reference.h"

#include <stdbool.h>

#include <string.h>

static float activate(float value, cnn_activation activation)
{
    if (activation != CNN_ACTIVATION_NONE && !(value > 0))
        value = 0;
    return activation == CNN_ACTIVATION_RELU6 && value > 6 ? 6 : value;
}

/* One term of the sum: output pixel, kernel tap, and the input pixel that they meet (none: NULL offset). */
typedef struct tap {
    int64_t image, out_y, out_x;
    int32_t kernel_y, kernel_x;
    int64_t input, output, weights; /* offsets of the first channels */
} tap;

static bool locate(const cnn_conv_shape *s, tap *t)
{
    int64_t y = t->out_y * s->stride[0] + (int64_t)t->kernel_y * s->dilation[0] - s->pad_top;
    int64_t x = t->out_x * s->stride[1] + (int64_t)t->kernel_x * s->dilation[1] - s->pad_left;
    if (y < 0 || x < 0 || y >= s->in_height || x >= s->in_width)
        return false;
    t->input = ((t->image * s->in_height + y) * s->in_width + x) * s->in_channels;
    t->output = ((t->image * s->out_height + t->out_y) * s->out_width + t->out_x) * s->out_channels;
    t->weights = ((int64_t)t->kernel_y * s->kernel[1] + t->kernel_x) * (s->in_channels / s->groups) * s->out_channels;
    return true;
}

/* Calls `visit` for every pair of an output pixel and a tap that lies inside the image. */
static void for_each_tap(const cnn_conv_shape *s, void (*visit)(const cnn_conv_shape *, const tap *, void *),
                         void *argument)
{
    tap t;
    for (t.image = 0; t.image < s->batch; t.image++)
        for (t.out_y = 0; t.out_y < s->out_height; t.out_y++)
            for (t.out_x = 0; t.out_x < s->out_width; t.out_x++)
                for (t.kernel_y = 0; t.kernel_y < s->kernel[0]; t.kernel_y++)
                    for (t.kernel_x = 0; t.kernel_x < s->kernel[1]; t.kernel_x++)
                        if (locate(s, &t))
                            visit(s, &t, argument);
}

typedef struct arrays {
    const float *input, *weights, *gradient;
    float *result;
} arrays;

static void add_forward(const cnn_conv_shape *s, const tap *t, void *argument)
{
    const arrays *a = argument;
    int64_t ins = s->in_channels / s->groups, outs = s->out_channels / s->groups;
    for (int64_t i = 0; i < s->in_channels; i++)
        for (int64_t o = i / ins * outs; o < (i / ins + 1) * outs; o++)
            a->result[t->output + o] += a->input[t->input + i] * a->weights[t->weights + i % ins * s->out_channels + o];
}

static void add_backward_data(const cnn_conv_shape *s, const tap *t, void *argument)
{
    const arrays *a = argument;
    int64_t ins = s->in_channels / s->groups, outs = s->out_channels / s->groups;
    for (int64_t i = 0; i < s->in_channels; i++)
        for (int64_t o = i / ins * outs; o < (i / ins + 1) * outs; o++)
            a->result[t->input + i] +=
                a->gradient[t->output + o] * a->weights[t->weights + i % ins * s->out_channels + o];
}

static void add_backward_weights(const cnn_conv_shape *s, const tap *t, void *argument)
{
    const arrays *a = argument;
    int64_t ins = s->in_channels / s->groups, outs = s->out_channels / s->groups;
    for (int64_t i = 0; i < s->in_channels; i++)
        for (int64_t o = i / ins * outs; o < (i / ins + 1) * outs; o++)
            a->result[t->weights + i % ins * s->out_channels + o] +=
                a->gradient[t->output + o] * a->input[t->input + i];
}

static int64_t result_count(const cnn_conv_shape *s)
{
    return s->batch * s->out_height * s->out_width * s->out_channels;
}

/* The offset in the unpooled map of window element `number` of the pooled value `pooled`. */
static int64_t unpooled_offset(const cnn_conv_shape *s, const int32_t pool[2], int64_t pooled, int64_t number)
{
    int64_t width = s->out_width / pool[1], height = s->out_height / pool[0];
    int64_t channel = pooled % s->out_channels, pixel = pooled / s->out_channels;
    int64_t x = pixel % width * pool[1] + number % pool[1];
    int64_t y = pixel / width % height * pool[0] + number / pool[1];
    return ((pixel / width / height * s->out_height + y) * s->out_width + x) * s->out_channels + channel;
}

void reference_conv_forward(const cnn_conv_shape *s, const float *input, const float *weights,
                            const cnn_conv_epilogue *epilogue, float *output, float *result)
{
    int32_t pool[2] = { epilogue->pool[0] ? epilogue->pool[0] : 1, epilogue->pool[1] ? epilogue->pool[1] : 1 };
    memset(result, 0, (size_t)result_count(s) * sizeof *result);
    for_each_tap(s, add_forward, &(arrays){ .input = input, .weights = weights, .result = result });
    int64_t pooled_count = s->batch * (s->out_height / pool[0]) * (s->out_width / pool[1]) * s->out_channels;
    for (int64_t i = 0; i < pooled_count; i++) {
        int32_t best = 0;
        for (int32_t n = 1; n < pool[0] * pool[1]; n++)
            if (result[unpooled_offset(s, pool, i, n)] > result[unpooled_offset(s, pool, i, best)])
                best = n;
        float bias = epilogue->bias ? epilogue->bias[i % s->out_channels] : 0;
        float residual = epilogue->residual ? epilogue->residual[i] : 0;
        output[i] = activate(result[unpooled_offset(s, pool, i, best)] + bias + residual, epilogue->activation);
        if (epilogue->argmax)
            epilogue->argmax[i] = (uint8_t)best;
    }
}

void reference_conv_expand(const cnn_conv_shape *s, const cnn_conv_gradient *g, float *expanded)
{
    int32_t pool[2] = { g->pool[0] ? g->pool[0] : 1, g->pool[1] ? g->pool[1] : 1 };
    const float *output = g->output, *gradient = g->gradient;
    memset(expanded, 0, (size_t)result_count(s) * sizeof *expanded);
    int64_t pooled_count = s->batch * (s->out_height / pool[0]) * (s->out_width / pool[1]) * s->out_channels;
    for (int64_t i = 0; i < pooled_count; i++) {
        bool off = (g->activation != CNN_ACTIVATION_NONE && !(output[i] > 0)) ||
                   (g->activation == CNN_ACTIVATION_RELU6 && !(output[i] < 6));
        if (!off)
            expanded[unpooled_offset(s, pool, i, g->pool[0] ? g->argmax[i] : 0)] = gradient[i];
    }
}

void reference_conv_backward_data(const cnn_conv_shape *s, const float *expanded, const float *weights,
                                  float *input_gradient)
{
    memset(input_gradient, 0,
           (size_t)(s->batch * s->in_height * s->in_width * s->in_channels) * sizeof *input_gradient);
    for_each_tap(s, add_backward_data, &(arrays){ .gradient = expanded, .weights = weights, .result = input_gradient });
}

void reference_conv_backward_weights(const cnn_conv_shape *s, const float *expanded, const float *input,
                                     float *weight_gradient, float *bias_gradient)
{
    int64_t count = s->kernel[0] * s->kernel[1] * (s->in_channels / s->groups) * s->out_channels;
    memset(weight_gradient, 0, (size_t)count * sizeof *weight_gradient);
    for_each_tap(s, add_backward_weights, &(arrays){ .gradient = expanded, .input = input, .result = weight_gradient });
    if (!bias_gradient)
        return;
    memset(bias_gradient, 0, (size_t)s->out_channels * sizeof *bias_gradient);
    for (int64_t i = 0; i < result_count(s); i++)
        bias_gradient[i % s->out_channels] += expanded[i];
}

void reference_dense_forward(const cnn_dense_shape *s, const float *input, const float *weights, const float *bias,
                             cnn_activation activation, float *output)
{
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t u = 0; u < s->units; u++) {
            float sum = 0;
            for (int64_t i = 0; i < s->inputs; i++)
                sum += input[r * s->inputs + i] * weights[i * s->units + u];
            output[r * s->units + u] = activate(sum + (bias ? bias[u] : 0), activation);
        }
}

void reference_dense_backward_data(const cnn_dense_shape *s, const float *output_gradient, const float *weights,
                                   float *input_gradient)
{
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t i = 0; i < s->inputs; i++) {
            float sum = 0;
            for (int64_t u = 0; u < s->units; u++)
                sum += output_gradient[r * s->units + u] * weights[i * s->units + u];
            input_gradient[r * s->inputs + i] = sum;
        }
}

void reference_dense_backward_weights(const cnn_dense_shape *s, const float *input, const float *output_gradient,
                                      float *weight_gradient, float *bias_gradient)
{
    memset(weight_gradient, 0, (size_t)(s->inputs * s->units) * sizeof *weight_gradient);
    if (bias_gradient)
        memset(bias_gradient, 0, (size_t)s->units * sizeof *bias_gradient);
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t u = 0; u < s->units; u++) {
            for (int64_t i = 0; i < s->inputs; i++)
                weight_gradient[i * s->units + u] += input[r * s->inputs + i] * output_gradient[r * s->units + u];
            if (bias_gradient)
                bias_gradient[u] += output_gradient[r * s->units + u];
        }
}
