#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kernels/winograd/winograd.h"
#include "kernels/winograd/winograd_backward_weights.h"
#include "reference.h"

typedef struct conv_case {
    cnn_conv_shape shape;
    cnn_activation activation;
    int32_t pool[2];
    bool bias, add; /* add: where values are floats */
} conv_case;

/* A case's data and what the reference makes of it. */
typedef struct fixture {
    const conv_case *c;
    check_values values;
    int64_t input_count, weight_count, result_count, output_count;
    float *input, *weights, *bias, *residual, *gradient; /* residual: NULL for none */
    float *result, *output, *expanded, *input_gradient, *weight_gradient, *bias_gradient;
    uint8_t *argmax;
} fixture;

static int64_t out_size(int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int64_t before, int64_t after)
{
    return (size + before + after - (kernel - 1) * dilation - 1) / stride + 1;
}

static void set_sizes(fixture *f)
{
    const cnn_conv_shape *s = &f->c->shape;
    int64_t height = s->out_height / (f->c->pool[0] ? f->c->pool[0] : 1);
    int64_t width = s->out_width / (f->c->pool[1] ? f->c->pool[1] : 1);
    f->input_count = s->batch * s->in_height * s->in_width * s->in_channels;
    f->weight_count = s->kernel[0] * s->kernel[1] * (s->in_channels / s->groups) * s->out_channels;
    f->result_count = s->batch * s->out_height * s->out_width * s->out_channels;
    f->output_count = s->batch * height * width * s->out_channels;
}

static float *allocate_floats(int64_t count)
{
    return check_allocate((size_t)count * sizeof(float));
}

static cnn_conv_gradient gradient_of(const fixture *f)
{
    return (cnn_conv_gradient){ .gradient = f->gradient,
                                .output = f->output,
                                .activation = f->c->activation,
                                .pool = { f->c->pool[0], f->c->pool[1] },
                                .argmax = f->c->pool[0] ? f->argmax : NULL };
}

static void open_fixture(fixture *f, const conv_case *c, check_values values, uint32_t seed)
{
    const cnn_conv_shape *s = &c->shape;
    *f = (fixture){ .c = c, .values = values };
    set_sizes(f);
    f->input = check_random(f->input_count, values, seed);
    f->weights = check_random(f->weight_count, values, seed + 1);
    f->bias = check_random(s->out_channels, values, seed + 2);
    f->gradient = check_random(f->output_count, values, seed + 3);
    check_round(f->input, f->input_count, s->input_type);
    check_round(f->weights, f->weight_count, s->output_type);
    check_round(f->gradient, f->output_count, s->output_type);
    f->result = allocate_floats(f->result_count);
    f->expanded = allocate_floats(f->result_count);
    f->output = allocate_floats(f->output_count);
    f->argmax = check_allocate((size_t)f->output_count);
    f->input_gradient = allocate_floats(f->input_count);
    f->weight_gradient = allocate_floats(f->weight_count);
    f->bias_gradient = allocate_floats(s->out_channels);
    if (c->add && s->input_type == CNN_FLOAT32 && s->output_type == CNN_FLOAT32)
        f->residual = check_random(f->output_count, values, seed + 4);
    cnn_conv_epilogue epilogue = {
        c->bias ? f->bias : NULL, c->activation, { c->pool[0], c->pool[1] }, f->argmax, f->residual
    };
    reference_conv_forward(s, f->input, f->weights, &epilogue, f->output, f->result);
    check_round(f->output, f->output_count, s->output_type);
    cnn_conv_gradient gradient = gradient_of(f);
    reference_conv_expand(s, &gradient, f->expanded);
    reference_conv_backward_data(s, f->expanded, f->weights, f->input_gradient);
    check_round(f->input_gradient, f->input_count, s->input_type);
    reference_conv_backward_weights(s, f->expanded, f->input, f->weight_gradient, f->bias_gradient);
}

static void close_fixture(fixture *f)
{
    void *arrays[] = { f->input,    f->weights, f->bias,   f->residual,       f->gradient,        f->result,
                       f->expanded, f->output,  f->argmax, f->input_gradient, f->weight_gradient, f->bias_gradient };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        check_release(arrays[i]);
}

/* What one context makes of a fixture. */
typedef struct results {
    float *output, *input_gradient, *weight_gradient, *bias_gradient;
    uint8_t *argmax;
} results;

static void run_forward(cnn_context *context, const fixture *f, results *r)
{
    const conv_case *c = f->c;
    cnn_conv_epilogue epilogue = {
        c->bias ? f->bias : NULL, c->activation, { c->pool[0], c->pool[1] }, c->pool[0] ? r->argmax : NULL, f->residual
    };
    void *input = check_typed(f->input, f->input_count, c->shape.input_type);
    void *output = check_allocate((size_t)f->output_count * cnn_dtype_size(c->shape.output_type));
    void *packed = check_allocate(cnn_conv_packed_bytes(context, &c->shape));
    void *workspace = check_allocate(cnn_conv_forward_workspace(context, &c->shape, &epilogue));
    cnn_conv_pack(context, &c->shape, f->weights, packed);
    cnn_conv_forward(context, &c->shape, &epilogue, &(cnn_conv_arrays){ input, packed, output, workspace });
    r->output = check_widened(output, f->output_count, c->shape.output_type);
    check_release(workspace);
    check_release(packed);
    check_release(input);
}

static void run_backward_data(cnn_context *context, const fixture *f, const cnn_conv_gradient *gradient, results *r)
{
    const cnn_conv_shape *s = &f->c->shape;
    void *packed = check_allocate(cnn_conv_packed_backward_bytes(context, s));
    void *workspace = check_allocate(cnn_conv_backward_data_workspace(context, s, gradient));
    void *input_gradient = check_allocate((size_t)f->input_count * cnn_dtype_size(s->input_type));
    cnn_conv_pack_backward(context, s, f->weights, packed);
    cnn_conv_backward_data(context, s, gradient, packed, input_gradient, workspace);
    r->input_gradient = check_widened(input_gradient, f->input_count, s->input_type);
    check_release(workspace);
    check_release(packed);
}

static void run_backward_weights(cnn_context *context, const fixture *f, const cnn_conv_gradient *gradient, results *r)
{
    const cnn_conv_shape *s = &f->c->shape;
    void *input = check_typed(f->input, f->input_count, s->input_type);
    void *workspace = check_allocate(cnn_conv_backward_weights_workspace(context, s, gradient));
    cnn_weight_gradient wanted = { input, r->weight_gradient, f->c->bias ? r->bias_gradient : NULL, workspace };
    cnn_conv_backward_weights(context, s, gradient, &wanted);
    check_release(workspace);
    check_release(input);
}

static void run_backward(cnn_context *context, const fixture *f, results *r)
{
    cnn_dtype type = f->c->shape.output_type;
    cnn_conv_gradient gradient = gradient_of(f);
    void *typed_gradient = check_typed(f->gradient, f->output_count, type);
    void *typed_output = check_typed(f->output, f->output_count, type);
    gradient.gradient = typed_gradient;
    gradient.output = typed_output;
    run_backward_data(context, f, &gradient, r);
    run_backward_weights(context, f, &gradient, r);
    check_release(typed_gradient);
    check_release(typed_output);
}

static results run_all(cnn_context *context, const fixture *f)
{
    results r = { .weight_gradient = allocate_floats(f->weight_count),
                  .bias_gradient = allocate_floats(f->c->shape.out_channels),
                  .argmax = check_allocate((size_t)f->output_count) };
    run_forward(context, f, &r);
    run_backward(context, f, &r);
    return r;
}

static void release_results(results *r)
{
    check_release(r->output);
    check_release(r->input_gradient);
    check_release(r->weight_gradient);
    check_release(r->bias_gradient);
    check_release(r->argmax);
}

static bool forward_is_winograd(const cnn_conv_shape *s)
{
    cnn_conv_problem c = { .source_height = s->in_height,
                           .source_width = s->in_width,
                           .source_channels = s->in_channels,
                           .channels = s->out_channels,
                           .stride = { s->stride[0], s->stride[1] },
                           .taps = { s->kernel[0], s->kernel[1] },
                           .dilation = { s->dilation[0], s->dilation[1] },
                           .groups = s->groups };
    return cnn_winograd_tile(&c) != 0;
}

/* Any phase of it; one may be where the kernel is larger than three, for phases have a part of its taps each. */
static bool data_may_be_winograd(const cnn_conv_shape *s)
{
    cnn_conv_problem c = { .source_height = s->out_height,
                           .source_width = s->out_width,
                           .source_channels = s->out_channels,
                           .channels = s->in_channels,
                           .stride = { 1, 1 },
                           .taps = { 3, 3 },
                           .dilation = { 1, 1 },
                           .groups = s->groups,
                           .in_batches = true };
    return s->kernel[0] >= 3 && s->kernel[1] >= 3 && cnn_winograd_tile(&c) != 0;
}

static float largest_of(const float *values, int64_t count)
{
    float largest = 0;
    for (int64_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(values[i]));
    return largest;
}

/* Winograd's transforms multiply and cancel: errors are in proportion to the largest result, not to the one at hand. */
static const float winograd_tolerance = 2e-5f;

/* Results are rounded, and Winograd's transforms of bfloat16 too. */
static const float bf16_tolerance = 1e-2f;

static bool is_bf16(const cnn_conv_shape *s)
{
    return s->input_type == CNN_BFLOAT16 || s->output_type == CNN_BFLOAT16;
}

/* What the argmax of near-equals may be: any whose value is the maximum's but for the tolerance. */
static void compare_argmax(const fixture *f, const results *r, float tolerance)
{
    const cnn_conv_shape *s = &f->c->shape;
    const int32_t *pool = f->c->pool;
    int64_t height = s->out_height / pool[0], width = s->out_width / pool[1], c = s->out_channels;
    bool good = true;
    for (int64_t i = 0; i < f->output_count; i++) {
        int64_t pixel = i / c, x = pixel % width * pool[1], y = pixel / width % height * pool[0];
        const float *window = f->result + ((pixel / width / height * s->out_height + y) * s->out_width + x) * c + i % c;
        float values[2];
        for (int k = 0; k < 2; k++) {
            int place = k ? r->argmax[i] : f->argmax[i];
            good = good && place < pool[0] * pool[1];
            values[k] = good ? window[(place / pool[1] * s->out_width + place % pool[1]) * c] : 0;
        }
        good = good && values[0] - values[1] <= tolerance;
    }
    check_true("argmax isn't where the maximum is", good);
}

static void compare_with_reference(const fixture *f, const results *r)
{
    const cnn_conv_shape *s = &f->c->shape;
    bool exact = f->values == CHECK_WHOLE_NUMBERS;
    double taps = s->kernel[0] * s->kernel[1], pixels = (double)(s->batch * s->out_height * s->out_width);
    float forward = exact ? 0 : 1e-5f * (float)sqrt(taps * (double)(s->in_channels / s->groups));
    float data = exact ? 0 : 1e-5f * (float)sqrt(taps * (double)(s->out_channels / s->groups));
    float weights = exact ? 0 : 1e-5f * (float)sqrt(pixels);
    float bias = weights;
    bool winograd = forward_is_winograd(s);
    if (!is_bf16(s) && cnn_winograd_backward_weights_fits(cnn_kernels_get(NULL), s))
        weights = winograd_tolerance * largest_of(f->weight_gradient, f->weight_count);
    if (winograd)
        forward = winograd_tolerance * largest_of(f->result, f->result_count);
    if (data_may_be_winograd(s))
        data = winograd_tolerance * largest_of(f->input_gradient, f->input_count);
    if (is_bf16(s) && !exact) {
        forward = bf16_tolerance * largest_of(f->result, f->result_count);
        data = bf16_tolerance * largest_of(f->input_gradient, f->input_count);
        weights = bf16_tolerance * largest_of(f->weight_gradient, f->weight_count);
    }
    check_equal("output", f->output, r->output, f->output_count, forward);
    if (f->c->pool[0] && (winograd || is_bf16(s)))
        compare_argmax(f, r, forward);
    else if (exact && f->c->pool[0])
        check_same_bits("argmax differs", f->argmax, r->argmax, (size_t)f->output_count);
    check_equal("input gradient", f->input_gradient, r->input_gradient, f->input_count, data);
    check_equal("weight gradient", f->weight_gradient, r->weight_gradient, f->weight_count, weights);
    if (f->c->bias)
        check_equal("bias gradient", f->bias_gradient, r->bias_gradient, s->out_channels, is_bf16(s) ? weights : bias);
}

static void compare_bits(const fixture *f, const results *a, const results *b)
{
    check_same_bits("output depends on threads", a->output, b->output, (size_t)f->output_count * sizeof(float));
    check_same_bits("input gradient depends on threads", a->input_gradient, b->input_gradient,
                    (size_t)f->input_count * sizeof(float));
    check_same_bits("weight gradient depends on threads", a->weight_gradient, b->weight_gradient,
                    (size_t)f->weight_count * sizeof(float));
    check_same_bits("bias gradient depends on threads", a->bias_gradient, b->bias_gradient,
                    (size_t)f->c->shape.out_channels * sizeof(float));
    check_same_bits("argmax depends on threads", a->argmax, b->argmax, (size_t)f->output_count);
}

static void describe(const char *set, const conv_case *c)
{
    const cnn_conv_shape *s = &c->shape;
    check_case("%s: conv %lldx%lldx%lldx%lld -> %lldx%lldx%lld, kernel %dx%d, stride %dx%d, dilation %dx%d, "
               "padding %d %d, groups %d, pool %dx%d, activation %d, bias %d, types %d %d",
               set, (long long)s->batch, (long long)s->in_height, (long long)s->in_width, (long long)s->in_channels,
               (long long)s->out_height, (long long)s->out_width, (long long)s->out_channels, s->kernel[0],
               s->kernel[1], s->stride[0], s->stride[1], s->dilation[0], s->dilation[1], s->pad_top, s->pad_left,
               s->groups, c->pool[0], c->pool[1], (int)c->activation, c->bias, (int)s->input_type, (int)s->output_type);
}

/* All sets; under sanitizers, which are slow, half of them, drawn anew for each case. */
static bool takes_part(int set, uint32_t draw)
{
    return !CHECK_SANITIZED || (uint32_t)set % 2 == draw;
}

static void check_one(const check_sets *sets, const conv_case *c, check_values values, uint32_t seed)
{
    static uint32_t state = 1;
    uint32_t draw = check_draw(&state, sets->count > 1 ? 2 : 1);
    fixture f;
    open_fixture(&f, c, values, seed);
    for (int i = 0; i < sets->count; i++) {
        const check_set *set = &sets->sets[i];
        if (!takes_part(i, draw))
            continue;
        describe(set->name, c);
        results one = run_all(set->contexts[0], &f);
        compare_with_reference(&f, &one);
        for (int t = 1; t < CHECK_THREADS && values == CHECK_FLOATS; t++) {
            results more = run_all(set->contexts[t], &f);
            compare_bits(&f, &one, &more);
            release_results(&more);
        }
        release_results(&one);
    }
    close_fixture(&f);
}

/* With floats, and with bfloat16 on one side or on both. */
static void check_types(const check_sets *sets, const conv_case *c, check_values values, uint32_t seed)
{
    static const cnn_dtype types[][2] = { { CNN_FLOAT32, CNN_BFLOAT16 }, { CNN_BFLOAT16, CNN_FLOAT32 } };
    conv_case typed = *c;
    check_one(sets, &typed, values, seed);
    typed.shape.input_type = typed.shape.output_type = CNN_BFLOAT16;
    check_one(sets, &typed, values, seed);
    if (seed % 4 == 0) {
        typed.shape.input_type = types[seed / 4 % 2][0];
        typed.shape.output_type = types[seed / 4 % 2][1];
        check_one(sets, &typed, values, seed);
    }
}

static int32_t one_of(uint32_t *state, const int32_t *values, uint32_t count)
{
    return values[check_draw(state, count)];
}

#define ONE_OF(state, ...) \
    one_of(state, (const int32_t[]){ __VA_ARGS__ }, sizeof((const int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t))

static void draw_channels(uint32_t *state, cnn_conv_shape *s)
{
    int32_t kind = ONE_OF(state, 1, 1, 1, 2, 0);
    int32_t channels = ONE_OF(state, 1, 3, 5, 17, 31, 33, 65, 64, 96);
    s->in_channels = channels;
    s->out_channels = ONE_OF(state, 1, 3, 5, 17, 31, 33, 65, 64, 130);
    s->groups = 1;
    if (kind == 2) { /* grouped */
        s->groups = ONE_OF(state, 2, 3);
        s->in_channels *= s->groups;
        s->out_channels *= s->groups;
    } else if (kind == 0) { /* depthwise */
        s->groups = channels;
        s->out_channels = channels;
    }
}

static int64_t draw_axis(uint32_t *state, cnn_conv_shape *s, int axis, int64_t *in, int32_t *padding)
{
    s->kernel[axis] = ONE_OF(state, 1, 2, 3, 3, 5, 7);
    s->stride[axis] = ONE_OF(state, 1, 1, 2, 3);
    s->dilation[axis] = ONE_OF(state, 1, 1, 1, 2);
    int32_t extent = (s->kernel[axis] - 1) * s->dilation[axis];
    *padding = (int32_t)check_draw(state, (uint32_t)extent + 2) * ONE_OF(state, 0, 1);
    int32_t after = (int32_t)check_draw(state, (uint32_t)extent + 1) * ONE_OF(state, 0, 1);
    *in = extent + 1 + (int64_t)check_draw(state, 12);
    return out_size(*in, s->kernel[axis], s->stride[axis], s->dilation[axis], *padding, after);
}

static void draw_epilogue(uint32_t *state, conv_case *c)
{
    c->bias = check_draw(state, 3) > 0;
    int32_t pool = ONE_OF(state, 0, 0, 2, 3);
    c->pool[0] = pool;
    c->pool[1] = pool == 3 && check_draw(state, 2) ? 2 : pool;
    if (c->shape.out_height < c->pool[0] || c->shape.out_width < c->pool[1])
        c->pool[0] = c->pool[1] = 0;
    c->add = !c->pool[0] && check_draw(state, 2);
}

static conv_case draw_case(uint32_t *state)
{
    conv_case c = { .shape.batch = 1 + check_draw(state, 5), .activation = ONE_OF(state, 0, 1, 2) };
    cnn_conv_shape *s = &c.shape;
    draw_channels(state, s);
    s->out_height = draw_axis(state, s, 0, &s->in_height, &s->pad_top);
    s->out_width = draw_axis(state, s, 1, &s->in_width, &s->pad_left);
    draw_epilogue(state, &c);
    return c;
}

/* Ragged tiles, channels and windows; with batches, so that blocks of tiles hold several images. */
static conv_case draw_winograd_case(uint32_t *state)
{
    conv_case c = { .shape = { .batch = 1 + check_draw(state, 3),
                               .in_height = 5 + check_draw(state, 16),
                               .in_width = 5 + check_draw(state, 40),
                               .in_channels = ONE_OF(state, 32, 33, 48, 64, 65),
                               .out_channels = ONE_OF(state, 32, 37, 64, 70, 130),
                               .kernel = { 3, 3 },
                               .stride = { 1, 1 },
                               .dilation = { 1, 1 },
                               .pad_top = ONE_OF(state, 0, 1, 2),
                               .pad_left = ONE_OF(state, 0, 1, 2),
                               .groups = 1 },
                    .activation = ONE_OF(state, 0, 1, 2) };
    cnn_conv_shape *s = &c.shape;
    s->out_height = out_size(s->in_height, 3, 1, 1, s->pad_top, ONE_OF(state, 0, 1));
    s->out_width = out_size(s->in_width, 3, 1, 1, s->pad_left, ONE_OF(state, 0, 1));
    draw_epilogue(state, &c);
    return c;
}

/* Windows whose loops work on tiles of two rows: odd numbers of rows, rows shorter than a tile and longer, several
 * blocks of channels, and padding that some windows meet alone. */
static conv_case draw_depthwise_case(uint32_t *state)
{
    int32_t size = ONE_OF(state, 3, 5), stride = ONE_OF(state, 1, 2), pads[2][2];
    conv_case c = { .shape = { .batch = 1 + check_draw(state, 2),
                               .in_height = 9 + check_draw(state, 12),
                               .in_width = 5 + check_draw(state, 45),
                               .in_channels = ONE_OF(state, 7, 16, 40, 96, 133),
                               .kernel = { ONE_OF(state, 1, size, size), size },
                               .stride = { ONE_OF(state, 1, stride, stride), stride },
                               .dilation = { ONE_OF(state, 1, 1, 2), 1 } },
                    .activation = ONE_OF(state, 0, 1, 2) };
    cnn_conv_shape *s = &c.shape;
    s->out_channels = s->groups = (int32_t)s->in_channels;
    for (int i = 0; i < 4; i++)
        pads[i / 2][i % 2] = (int32_t)check_draw(state, (uint32_t)size + 2);
    s->pad_top = pads[0][0];
    s->pad_left = pads[1][0];
    s->out_height = out_size(s->in_height, s->kernel[0], s->stride[0], s->dilation[0], pads[0][0], pads[0][1]);
    s->out_width = out_size(s->in_width, size, stride, 1, pads[1][0], pads[1][1]);
    draw_epilogue(state, &c);
    return c;
}

static double cost(const cnn_conv_shape *s)
{
    return (double)(s->batch * s->out_height * s->out_width * s->out_channels) * s->kernel[0] * s->kernel[1] *
           (double)(s->in_channels / s->groups);
}

/* What the random shapes are too small for: several tiles to an image, panels of terms, splits of the pixels. */
static const conv_case large_cases[] = {
    { { 2, 40, 70, 16, 38, 68, 32, { 3, 3 }, { 1, 1 }, { 1, 1 }, 0, 0, 1 }, CNN_ACTIVATION_RELU, { 2, 2 }, true },
    { { 3, 5, 5, 260, 5, 5, 70, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1 }, CNN_ACTIVATION_RELU6, { 0, 0 }, true },
    { { 20, 4, 4, 48, 4, 4, 40, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1 }, CNN_ACTIVATION_RELU, { 2, 2 }, true },
    { { 1, 3, 3, 1100, 3, 3, 20, { 1, 1 }, { 1, 1 }, { 1, 1 }, 0, 0, 1 }, CNN_ACTIVATION_NONE, { 0, 0 }, false },
    { { 1, 61, 63, 3, 31, 32, 64, { 7, 7 }, { 2, 2 }, { 1, 1 }, 3, 3, 1 }, CNN_ACTIVATION_NONE, { 0, 0 }, true },
    { { 2, 60, 60, 80, 60, 60, 80, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 80 }, CNN_ACTIVATION_RELU6, { 0, 0 }, true },
    /* one image, whose rows threads share, the last of four fewer */
    { { 1, 21, 200, 5, 21, 200, 70, { 1, 1 }, { 1, 1 }, { 1, 1 }, 0, 0, 1 }, CNN_ACTIVATION_RELU6, { 0, 0 }, true },
    { { 1, 22, 130, 5, 22, 130, 33, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1 }, CNN_ACTIVATION_RELU, { 2, 2 }, true },
    { { 1, 21, 200, 40, 21, 200, 40, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 40 }, CNN_ACTIVATION_RELU6, { 0, 0 }, true },
};

void check_conv(const check_sets *sets)
{
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof large_cases / sizeof large_cases[0]; i++) {
        check_types(sets, &large_cases[i], CHECK_WHOLE_NUMBERS, (uint32_t)i);
        check_types(sets, &large_cases[i], CHECK_FLOATS, (uint32_t)i);
    }
    for (uint32_t i = 0; i < 400; i++) {
        conv_case c = draw_case(&state);
        if (cost(&c.shape) > 5e6)
            continue;
        check_types(sets, &c, CHECK_WHOLE_NUMBERS, i);
        if (i % 4 == 0)
            check_types(sets, &c, CHECK_FLOATS, i);
    }
    for (uint32_t i = 0; i < 24; i++) {
        conv_case c = draw_winograd_case(&state);
        check_types(sets, &c, i % 2 ? CHECK_FLOATS : CHECK_WHOLE_NUMBERS, i);
    }
    for (uint32_t i = 0; i < 120; i++) {
        conv_case c = draw_depthwise_case(&state);
        check_types(sets, &c, i % 2 ? CHECK_FLOATS : CHECK_WHOLE_NUMBERS, i);
    }
}
