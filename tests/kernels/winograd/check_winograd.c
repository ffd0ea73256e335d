#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kernels/winograd/winograd.h"
#include "reference.h"

/* Whole layers as they are in nets, with inputs after a rectifier and weights of He's scale. */
static const cnn_conv_shape layers[] = {
    { 2, 36, 36, 64, 34, 34, 128, { 3, 3 }, { 1, 1 }, { 1, 1 }, 0, 0, 1 },
    { 3, 17, 17, 128, 15, 15, 128, { 3, 3 }, { 1, 1 }, { 1, 1 }, 0, 0, 1 },
    { 3, 8, 8, 256, 8, 8, 256, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1 },
};

static float *draw_layer_input(const cnn_conv_shape *s)
{
    int64_t count = s->batch * s->in_height * s->in_width * s->in_channels;
    float *input = check_random(count, CHECK_FLOATS, 1);
    for (int64_t i = 0; i < count; i++)
        input[i] = fmaxf(input[i], 0);
    return input;
}

static float *draw_layer_weights(const cnn_conv_shape *s)
{
    int64_t terms = 9 * s->in_channels;
    float *weights = check_random(terms * s->out_channels, CHECK_FLOATS, 2);
    float scale = sqrtf(6.0f / (float)terms);
    for (int64_t i = 0; i < terms * s->out_channels; i++)
        weights[i] *= scale;
    return weights;
}

static void compute(cnn_context *context, const cnn_conv_shape *s, const float *input, const void *packed,
                    float *output)
{
    const cnn_conv_epilogue epilogue = { .activation = CNN_ACTIVATION_NONE };
    void *workspace = check_allocate(cnn_conv_forward_workspace(context, s, &epilogue));
    cnn_conv_forward(context, s, &epilogue, &(cnn_conv_arrays){ input, packed, output, workspace });
    check_release(workspace);
}

/* Within 1e-4 of the image's largest value. */
static void check_errors(const cnn_conv_shape *s, const float *expected, const float *got)
{
    int64_t count = s->out_height * s->out_width * s->out_channels;
    for (int64_t image = 0; image < s->batch; image++, expected += count, got += count) {
        float largest = 0;
        for (int64_t i = 0; i < count; i++)
            largest = fmaxf(largest, fabsf(expected[i]));
        check_equal("a layer's output", expected, got, count, 1e-4f * largest);
    }
}

/* An image alone gives the bits that it gives in a batch. */
static void check_alone(cnn_context *context, const cnn_conv_shape *s, const float *input, const void *packed,
                        const float *output)
{
    cnn_conv_shape one = *s;
    one.batch = 1;
    int64_t inputs = s->in_height * s->in_width * s->in_channels;
    size_t outputs = (size_t)(s->out_height * s->out_width * s->out_channels);
    float *alone = check_allocate(outputs * sizeof *alone);
    for (int64_t image = 0; image < s->batch; image++, input += inputs, output += outputs) {
        compute(context, &one, input, packed, alone);
        check_same_bits("output depends on the batch", output, alone, outputs * sizeof *alone);
    }
    check_release(alone);
}

static void check_layer(const check_sets *sets, const cnn_conv_shape *s)
{
    size_t count = (size_t)(s->batch * s->out_height * s->out_width * s->out_channels);
    float *input = draw_layer_input(s), *weights = draw_layer_weights(s);
    float *expected = check_allocate(count * sizeof *expected), *result = check_allocate(count * sizeof *result);
    float *got = check_allocate(count * sizeof *got);
    const cnn_conv_epilogue epilogue = { .activation = CNN_ACTIVATION_NONE };
    reference_conv_forward(s, input, weights, &epilogue, expected, result);
    for (int i = 0; i < sets->count; i++) {
        cnn_context *context = sets->sets[i].contexts[0];
        check_case("%s: a layer of %lld channels", sets->sets[i].name, (long long)s->in_channels);
        void *packed = check_allocate(cnn_conv_packed_bytes(context, s));
        cnn_conv_pack(context, s, weights, packed);
        compute(context, s, input, packed, got);
        check_errors(s, expected, got);
        check_alone(context, s, input, packed, got);
        check_release(packed);
    }
    void *arrays[] = { input, weights, expected, result, got };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        check_release(arrays[i]);
}

/* The choice is by channels and image size: batches and what pooling drops of the result don't change it. */
static void check_choice(void)
{
    cnn_conv_problem c = { .batch = 1,
                           .source_height = 40,
                           .source_width = 40,
                           .source_channels = 64,
                           .height = 38,
                           .width = 38,
                           .channels = 64,
                           .stride = { 1, 1 },
                           .taps = { 3, 3 },
                           .dilation = { 1, 1 },
                           .groups = 1 };
    check_case("the choice of tiles");
    check_true("a large image isn't made of tiles of 4", cnn_winograd_tile(&c) == 4);
    c.batch = 32;
    c.height = 36;
    check_true("the batch or the result changes the choice", cnn_winograd_tile(&c) == 4);
    c.source_height = c.source_width = 8;
    check_true("a small image isn't made of tiles of 2", cnn_winograd_tile(&c) == 2);
    c.source_height = c.source_width = 4;
    check_true("one tile is thought worth it", cnn_winograd_tile(&c) == 0);
    c.source_height = c.source_width = 40;
    c.source_channels = 3;
    check_true("a thin image is thought worth it", cnn_winograd_tile(&c) == 0);
    c.source_channels = 64;
    c.stride[0] = 2;
    check_true("strides can't be", cnn_winograd_tile(&c) == 0);
}

void check_winograd(const check_sets *sets)
{
    check_choice();
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++)
        check_layer(sets, &layers[i]);
}
