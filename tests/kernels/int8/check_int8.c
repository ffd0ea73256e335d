/* The int8 kernels: every instruction set must give the very bytes that plain loops give. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kernels/int8/int8.h"

/* The least and the greatest bytes, and the greatest weights: in all places, and in the patterns that make transforms
 * and sums of neighbours as large as can be. */
typedef enum extreme {
    EXTREME_NONE,
    EXTREME_RANDOM, /* bytes of both kinds */
    EXTREME_POSITIVE,
    EXTREME_NEGATIVE,
    EXTREME_CHECKERED, /* signs by taps, bytes by pixels */
    EXTREME_STRIPED,   /* signs by channels */
    EXTREME_COUNT
} extreme;

typedef struct int8_case {
    cnn_conv_shape shape;
    cnn_int8_epilogue epilogue;
    bool residual;
    extreme extreme;
} int8_case;

typedef struct int8_data {
    const int8_case *test;
    uint8_t *input, *residual;
    int8_t *weights;
    float *scales, *bias;
    void *expected;
    int64_t outputs; /* values */
    size_t bytes;    /* of the output */
} int8_data;

static uint8_t *random_bytes(int64_t count, uint32_t seed)
{
    uint8_t *bytes = check_allocate((size_t)count);
    for (int64_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)check_draw(&seed, 256);
    return bytes;
}

static uint8_t *make_input(const int8_case *test)
{
    const cnn_conv_shape *s = &test->shape;
    int64_t count = s->batch * s->in_height * s->in_width * s->in_channels;
    uint8_t *bytes = random_bytes(count, 1);
    for (int64_t i = 0; i < count && test->extreme; i++) {
        int64_t pixel = i / s->in_channels, checker = pixel % s->in_width + pixel / s->in_width;
        bool least =
            test->extreme == EXTREME_RANDOM ? bytes[i] < 128 : test->extreme == EXTREME_CHECKERED && checker % 2;
        bytes[i] = least ? 0 : 255;
    }
    return bytes;
}

static int8_t *make_weights(const int8_case *test)
{
    const cnn_conv_shape *s = &test->shape;
    int64_t tap_weights = s->in_channels / s->groups * s->out_channels;
    int64_t count = s->kernel[0] * s->kernel[1] * tap_weights;
    uint32_t seed = 5;
    int8_t *weights = check_allocate((size_t)count);
    for (int64_t i = 0; i < count; i++) {
        int64_t tap = i / tap_weights;
        bool negative = test->extreme == EXTREME_NEGATIVE ||
                        (test->extreme == EXTREME_CHECKERED && (tap / s->kernel[1] + tap % s->kernel[1]) % 2) ||
                        (test->extreme == EXTREME_STRIPED && i / s->out_channels % 2);
        weights[i] = (int8_t)(!test->extreme ? (int)check_draw(&seed, 255) - 127 : negative ? -127 : 127);
    }
    return weights;
}

/* The sum by one pixel, with the bias. */
static int32_t reference_sum(const int8_data *d, int64_t image, int64_t y, int64_t x, int64_t channel)
{
    const cnn_conv_shape *s = &d->test->shape;
    int64_t channels = s->in_channels / s->groups, group = channel / (s->out_channels / s->groups);
    int64_t sum =
        llrint((double)d->bias[channel] / ((double)d->test->epilogue.input.scale * (double)d->scales[channel]));
    for (int64_t v = 0; v < s->kernel[0]; v++)
        for (int64_t u = 0; u < s->kernel[1]; u++) {
            int64_t from_y = y * s->stride[0] - s->pad_top + v * s->dilation[0];
            int64_t from_x = x * s->stride[1] - s->pad_left + u * s->dilation[1];
            if (from_y < 0 || from_y >= s->in_height || from_x < 0 || from_x >= s->in_width)
                continue;
            const uint8_t *pixel = d->input + ((image * s->in_height + from_y) * s->in_width + from_x) * s->in_channels;
            for (int64_t i = 0; i < channels; i++)
                sum += (pixel[group * channels + i] - d->test->epilogue.input.zero) *
                       d->weights[((v * s->kernel[1] + u) * channels + i) * s->out_channels + channel];
        }
    check_true("a sum passes 32 bits", sum <= INT32_MAX && sum >= INT32_MIN);
    return (int32_t)sum;
}

static uint8_t reference_byte(const int8_data *d, int32_t sum, int64_t channel, int64_t at)
{
    const cnn_int8_epilogue *e = &d->test->epilogue;
    float value = (float)sum * (e->input.scale * d->scales[channel] / e->output.scale);
    if (d->test->residual)
        value += (float)(d->residual[at] - e->residual_quantization.zero) *
                 (e->residual_quantization.scale / e->output.scale);
    cnn_int8_clamp clamp = cnn_int8_activation_clamp(e->activation, e->output);
    double byte = nearbyint((double)value) + e->output.zero;
    return (uint8_t)(byte < clamp.min ? clamp.min : byte > clamp.max ? clamp.max : byte);
}

static void reference(const int8_data *d)
{
    const cnn_conv_shape *s = &d->test->shape;
    int64_t unit = d->test->epilogue.pool ? 2 : 1, at = 0;
    for (int64_t image = 0; image < s->batch; image++)
        for (int64_t y = 0; y < s->out_height / unit; y++)
            for (int64_t x = 0; x < s->out_width / unit; x++)
                for (int64_t c = 0; c < s->out_channels; c++, at++) {
                    int32_t sum = INT32_MIN;
                    for (int64_t i = 0; i < unit * unit; i++) {
                        int32_t other = reference_sum(d, image, y * unit + i / unit, x * unit + i % unit, c);
                        sum = other > sum ? other : sum;
                    }
                    if (d->test->epilogue.output.scale == 0)
                        ((float *)d->expected)[at] = (float)sum * (d->test->epilogue.input.scale * d->scales[c]);
                    else
                        ((uint8_t *)d->expected)[at] = reference_byte(d, sum, c, at);
                }
}

static void run(cnn_context *context, const int8_data *d)
{
    const cnn_conv_shape *s = &d->test->shape;
    cnn_int8_epilogue epilogue = d->test->epilogue;
    epilogue.residual = d->test->residual ? d->residual : NULL;
    void *packed = check_allocate(cnn_int8_conv_packed_bytes(context, s));
    void *workspace = check_allocate(cnn_int8_conv_workspace(context, s, &epilogue));
    uint8_t *output = check_allocate(d->bytes);
    cnn_int8_conv_pack(context, s, &(cnn_int8_weights){ d->weights, d->scales, d->bias }, &epilogue, packed);
    cnn_int8_conv(context, s, &epilogue, &(cnn_conv_arrays){ d->input, packed, output, workspace });
    check_same_bits("the output is not that of plain loops", d->expected, output, d->bytes);
    check_release(packed);
    check_release(workspace);
    check_release(output);
}

static int8_data make_data(const int8_case *test)
{
    const cnn_conv_shape *s = &test->shape;
    int64_t unit = test->epilogue.pool ? 2 : 1;
    int8_data d = { .test = test };
    d.outputs = s->batch * (s->out_height / unit) * (s->out_width / unit) * s->out_channels;
    d.bytes = (size_t)d.outputs * (test->epilogue.output.scale == 0 ? sizeof(float) : 1);
    d.input = make_input(test);
    d.residual = random_bytes(d.outputs, 2);
    d.weights = make_weights(test);
    d.scales = check_random(s->out_channels, CHECK_FLOATS, 3);
    for (int64_t i = 0; i < s->out_channels; i++)
        d.scales[i] = 1e-4f + fabsf(d.scales[i]) * 0.01f;
    d.bias = check_random(s->out_channels, CHECK_FLOATS, 4);
    d.expected = check_allocate(d.bytes);
    reference(&d);
    return d;
}

static void check_one(const check_sets *sets, const int8_case *test)
{
    const cnn_conv_shape *s = &test->shape;
    int8_data d = make_data(test);
    for (int i = 0; i < sets->count; i++) {
        check_case("%s: int8 %lldx%lldx%lldx%lld -> %lld, kernel %dx%d, stride %d, dilation %d, padding %d, %d groups, "
                   "zeros %d %d, activation %d%s%s, extreme %d",
                   sets->sets[i].name, (long long)s->batch, (long long)s->in_height, (long long)s->in_width,
                   (long long)s->in_channels, (long long)s->out_channels, s->kernel[0], s->kernel[1], s->stride[0],
                   s->dilation[0], s->pad_top, s->groups, test->epilogue.input.zero, test->epilogue.output.zero,
                   (int)test->epilogue.activation, test->epilogue.pool ? ", pool" : "",
                   test->residual ? ", residual" : "", (int)test->extreme);
        for (int t = 0; t < CHECK_THREADS; t++)
            run(sets->sets[i].contexts[t], &d);
    }
    void *arrays[] = { d.input, d.residual, d.weights, d.scales, d.bias, d.expected };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        check_release(arrays[i]);
}

static int64_t output_size(int64_t in, int32_t kernel, int32_t stride, int32_t dilation, int32_t padding)
{
    return (in + 2 * padding - (int64_t)(kernel - 1) * dilation - 1) / stride + 1;
}

typedef struct sizes {
    int64_t batch, height, width, in, out;
    int32_t kernel[2], stride, dilation, padding, groups;
} sizes;

static cnn_conv_shape shape_of(const sizes *z)
{
    return (cnn_conv_shape){ .batch = z->batch,
                             .in_height = z->height,
                             .in_width = z->width,
                             .in_channels = z->in,
                             .out_height = output_size(z->height, z->kernel[0], z->stride, z->dilation, z->padding),
                             .out_width = output_size(z->width, z->kernel[1], z->stride, z->dilation, z->padding),
                             .out_channels = z->out,
                             .kernel = { z->kernel[0], z->kernel[1] },
                             .stride = { z->stride, z->stride },
                             .dilation = { z->dilation, z->dilation },
                             .pad_top = z->padding,
                             .pad_left = z->padding,
                             .groups = z->groups };
}

static void check_sizes(const check_sets *sets, const sizes *z, int variant)
{
    static const int32_t zeros[] = { 0, 0, 100, 255 };
    int8_case test = { .shape = shape_of(z),
                       .epilogue = { .input = { 0.02f, zeros[variant % 4] },
                                     .output = { 0.03f, zeros[variant / 2 % 3] },
                                     .activation = (cnn_activation)(variant % 3),
                                     .residual_quantization = { 0.05f, 37 } } };
    bool pools = test.shape.out_height > 1 && test.shape.out_width > 1 && !cnn_int8_conv_is_depthwise(&test.shape);
    test.epilogue.pool = pools && variant % 2;
    test.residual = !test.epilogue.pool && variant % 4 == 2;
    if (variant == 4)
        test.epilogue.output = (cnn_quantization){ 0 };
    check_one(sets, &test);
}

/* The greatest sums there can be: with instructions that saturate, they would be wrong, and so would they be where a
 * transform needs more bits than it has. */
static void check_extremes(const check_sets *sets)
{
    static const sizes all[] = {
        { 1, 4, 4, 64, 20, { 3, 3 }, 1, 1, 0, 1 },     { 1, 10, 10, 64, 20, { 3, 3 }, 1, 1, 0, 1 },
        { 1, 10, 10, 1024, 16, { 3, 3 }, 1, 1, 0, 1 }, { 1, 10, 10, 2048, 16, { 3, 3 }, 1, 1, 0, 1 },
        { 1, 8, 7, 32, 20, { 3, 3 }, 1, 1, 1, 1 },     { 1, 6, 6, 40, 40, { 3, 3 }, 1, 1, 1, 40 },
        { 1, 9, 8, 70, 70, { 5, 5 }, 2, 1, 2, 70 },    { 1, 1, 1, CNN_INT8_MAX_TERMS, 3, { 1, 1 }, 1, 1, 0, 1 },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (int kind = EXTREME_RANDOM; kind < EXTREME_COUNT; kind++) {
            int8_case test = { .shape = shape_of(&all[i]), .extreme = (extreme)kind };
            test.epilogue.input = (cnn_quantization){ 0.02f, kind % 2 ? 0 : 255 }; /* to floats, which hide nothing */
            check_one(sets, &test);
        }
}

/* Results so far out of range that no integer holds them before they are clamped. */
static void check_far_results(const check_sets *sets)
{
    static const sizes all[] = {
        { 1, 9, 9, 16, 32, { 1, 1 }, 1, 1, 0, 1 },
        { 2, 7, 7, 24, 72, { 1, 1 }, 1, 1, 0, 1 },
        { 1, 6, 9, 8, 64, { 3, 3 }, 1, 1, 1, 1 },
        { 1, 6, 6, 40, 40, { 3, 3 }, 1, 1, 1, 40 },
    };
    static const cnn_quantization outputs[] = { { 1e-12f, 0 }, { 1e-12f, 100 }, { 1e-30f, 255 } };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (int k = 0; k < 3; k++)
            for (int residual = 0; residual < 2; residual++) {
                int8_case test = { .shape = shape_of(&all[i]),
                                   .epilogue = { .input = { 0.02f, 100 },
                                                 .output = outputs[k],
                                                 .activation = (cnn_activation)k,
                                                 .residual_quantization = { 0.05f, 37 } },
                                   .residual = residual };
                check_one(sets, &test);
            }
}

static void check_quantizing(const check_sets *sets)
{
    enum { COUNT = 20000 + 7 };
    cnn_quantization quantization = { 0.013f, 93 };
    float *values = check_random(COUNT, CHECK_FLOATS, 1), *back = check_allocate(COUNT * sizeof *back);
    uint8_t *bytes = check_allocate(COUNT);
    for (int64_t i = 0; i < COUNT; i++)
        values[i] = i < 4   ? (float[]){ INFINITY, -INFINITY, 1e30f, -1e30f }[i]
                    : i % 3 ? values[i] * 2.5f
                            : (float)(i % 300 - 93) / (1 / quantization.scale) / 2;
    for (int i = 0; i < sets->count; i++) {
        check_case("%s: quantizing", sets->sets[i].name);
        cnn_int8_quantize(sets->sets[i].contexts[i % CHECK_THREADS], values, COUNT, quantization, bytes);
        cnn_int8_dequantize(sets->sets[i].contexts[i % CHECK_THREADS], bytes, COUNT, quantization, back);
        bool nearest = true, exact = true;
        for (int64_t k = 0; k < COUNT; k++) {
            double byte = nearbyint((double)(values[k] * (1 / quantization.scale))) + quantization.zero;
            nearest = nearest && bytes[k] == (uint8_t)(byte < 0 ? 0 : byte > 255 ? 255 : byte);
            exact = exact && back[k] == (float)(bytes[k] - quantization.zero) * quantization.scale;
        }
        check_true("a value isn't rounded to the nearest byte", nearest);
        check_true("a byte isn't its value", exact);
    }
    check_release(values);
    check_release(back);
    check_release(bytes);
}

static void check_adding(const check_sets *sets)
{
    enum { COUNT = 5000 + 3 };
    uint8_t *a = random_bytes(COUNT, 1), *b = random_bytes(COUNT, 2), *sum = check_allocate(COUNT);
    cnn_int8_term terms[] = { { a, { 0.02f, 10 } }, { b, { 0.05f, 200 } } };
    cnn_quantization output = { 0.04f, 60 };
    for (int i = 0; i < sets->count; i++) {
        check_case("%s: adding", sets->sets[i].name);
        cnn_int8_add(sets->sets[i].contexts[i % CHECK_THREADS],
                     &(cnn_int8_sum){ terms, 2, CNN_ACTIVATION_RELU, output }, COUNT, sum);
        bool same = true;
        for (int64_t k = 0; k < COUNT; k++) {
            float value = (float)(a[k] - 10) * (0.02f / 0.04f);
            value += (float)(b[k] - 200) * (0.05f / 0.04f);
            double byte = nearbyint((double)value) + 60;
            same = same && sum[k] == (uint8_t)(byte < 60 ? 60 : byte > 255 ? 255 : byte);
        }
        check_true("a sum is wrong", same);
    }
    check_release(a);
    check_release(b);
    check_release(sum);
}

static void check_pooling(const check_sets *sets, int64_t channels)
{
    const cnn_pool_shape s = { 2, 9, 8, channels, 5, 4, { 3, 3 }, { 2, 2 }, 1, 1 };
    int64_t inputs = s.batch * s.in_height * s.in_width * channels;
    int64_t outputs = s.batch * s.out_height * s.out_width * channels;
    uint8_t *input = random_bytes(inputs, 1), *output = check_allocate((size_t)outputs);
    float *values = check_allocate((size_t)inputs * sizeof(float));
    float *pooled = check_allocate((size_t)outputs * sizeof(float));
    float *means = check_allocate((size_t)(s.batch * channels) * sizeof(float));
    for (int64_t k = 0; k < inputs; k++)
        values[k] = input[k];
    for (int i = 0; i < sets->count; i++) {
        cnn_context *context = sets->sets[i].contexts[i % CHECK_THREADS];
        check_case("%s: int8 pooling, %lld channels", sets->sets[i].name, (long long)channels);
        cnn_int8_max_pool(context, &s, input, output);
        cnn_max_pool_forward(context, &s, values, pooled, NULL);
        bool same = true;
        for (int64_t k = 0; k < outputs; k++)
            same = same && pooled[k] == (float)output[k];
        check_true("a maximum is wrong", same);
        cnn_int8_global_avg_pool(
            context,
            &(cnn_global_pool_shape){ .batch = s.batch, .pixels = s.in_height * s.in_width, .channels = channels },
            &(cnn_int8_term){ input, { 0.5f, 7 } }, means);
        float sum = 0;
        for (int64_t k = 0; k < s.in_height * s.in_width; k++)
            sum += input[k * channels + channels - 1];
        check_true("a mean is wrong", fabsf(means[channels - 1] - 0.5f * (sum / 72 - 7)) < 1e-4f);
    }
    void *arrays[] = { input, output, values, pooled, means };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        check_release(arrays[i]);
}

void check_int8(const check_sets *sets)
{
    static const sizes all[] = {
        { 1, 5, 5, 4, 16, { 1, 1 }, 1, 1, 0, 1 },    { 2, 9, 7, 3, 5, { 3, 3 }, 1, 1, 0, 1 },
        { 1, 12, 13, 3, 32, { 3, 3 }, 1, 1, 1, 1 },  { 2, 17, 15, 3, 33, { 7, 7 }, 2, 1, 3, 1 },
        { 3, 8, 8, 64, 64, { 3, 3 }, 1, 1, 1, 1 },   { 1, 30, 31, 16, 70, { 3, 3 }, 1, 1, 0, 1 },
        { 1, 9, 9, 7, 130, { 3, 3 }, 2, 1, 1, 1 },   { 1, 9, 9, 8, 24, { 1, 1 }, 2, 1, 0, 1 },
        { 2, 11, 10, 6, 9, { 3, 3 }, 1, 2, 2, 1 },   { 1, 8, 8, 12, 20, { 3, 5 }, 1, 1, 1, 4 },
        { 1, 10, 9, 37, 37, { 3, 3 }, 1, 1, 1, 37 }, { 2, 10, 9, 96, 96, { 3, 3 }, 2, 1, 1, 96 },
        { 1, 7, 7, 8, 8, { 3, 3 }, 1, 2, 0, 8 },     { 40, 4, 4, 32, 40, { 3, 3 }, 1, 1, 1, 1 },
        { 7, 1, 1, 300, 19, { 1, 1 }, 1, 1, 0, 1 },  { 33, 1, 1, 129, 65, { 1, 1 }, 1, 1, 0, 1 },
        { 1, 6, 200, 5, 18, { 3, 3 }, 1, 1, 1, 1 },  { 1, 3, 3, 4, 4, { 5, 5 }, 1, 1, 3, 1 },
        { 2, 15, 14, 18, 67, { 3, 3 }, 1, 1, 1, 1 }, { 1, 33, 9, 34, 131, { 3, 3 }, 1, 1, 2, 1 },
        { 1, 9, 19, 67, 67, { 5, 5 }, 2, 1, 2, 67 }, { 2, 8, 9, 130, 130, { 4, 2 }, 1, 1, 1, 130 },
        { 1, 5, 5, 3, 3, { 7, 3 }, 1, 1, 4, 3 },     { 1, 14, 21, 24, 24, { 5, 5 }, 1, 1, 2, 24 },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (int variant = 0; variant < 6; variant++)
            check_sizes(sets, &all[i], variant);
    check_extremes(sets);
    check_far_results(sets);
    check_quantizing(sets);
    check_adding(sets);
    check_pooling(sets, 37);
    check_pooling(sets, 130);
}
