#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peak_flops.h"
#include "bench_report.h"
#include "check.h"
#include "cli/clock.h"

typedef struct layer {
    const char *name;
    int64_t size, in, out; /* pixels on a side, channels */
    int32_t kernel, stride, padding, pool, groups;
} layer;

static const layer layers[] = {
    { "3x3 64-64 at 70", 72, 64, 64, 3, 1, 0, 0, 1 },
    { "3x3 128-128 at 34", 36, 128, 128, 3, 1, 0, 0, 1 },
    { "3x3 128-128 at 15", 17, 128, 128, 3, 1, 0, 0, 1 },
    { "two_conv 1", 64, 3, 64, 3, 1, 0, 2, 1 },
    { "two_conv 2", 31, 64, 64, 3, 1, 0, 2, 1 },
    { "three_conv 1", 128, 3, 32, 3, 1, 1, 2, 1 },
    { "three_conv 2", 64, 32, 64, 3, 1, 1, 2, 1 },
    { "three_conv 3", 32, 64, 128, 3, 1, 1, 2, 1 },
    { "four_conv 1", 150, 3, 32, 3, 1, 0, 2, 1 },
    { "four_conv 2", 74, 32, 64, 3, 1, 0, 2, 1 },
    { "four_conv 3", 36, 64, 128, 3, 1, 0, 2, 1 },
    { "four_conv 4", 17, 128, 128, 3, 1, 0, 2, 1 },
    { "resnet18 stem", 128, 3, 64, 7, 2, 3, 0, 1 },
    { "resnet18 64", 32, 64, 64, 3, 1, 1, 0, 1 },
    { "resnet18 64-128 /2", 32, 64, 128, 3, 2, 1, 0, 1 },
    { "resnet18 128", 16, 128, 128, 3, 1, 1, 0, 1 },
    { "resnet18 128-256 1x1 /2", 16, 128, 256, 1, 2, 0, 0, 1 },
    { "resnet18 256", 8, 256, 256, 3, 1, 1, 0, 1 },
    { "resnet18 512", 4, 512, 512, 3, 1, 1, 0, 1 },
    { "1x1 96-24 at 56", 56, 96, 24, 1, 1, 0, 0, 1 },
    { "1x1 16-96 at 112", 112, 16, 96, 1, 1, 0, 0, 1 },
    { "1x1 24-144 at 56", 56, 24, 144, 1, 1, 0, 0, 1 },
    { "stem 3-32 /2 at 224", 224, 3, 32, 3, 2, 1, 0, 1 },
    { "depthwise 96 at 56", 56, 96, 96, 3, 1, 1, 0, 96 },
    { "depthwise 96 /2 at 112", 112, 96, 96, 3, 2, 1, 0, 96 },
    { "depthwise 5x5 240 at 28", 28, 240, 240, 5, 1, 2, 0, 240 },
    { "depthwise 5x5 672 at 14", 14, 672, 672, 5, 1, 2, 0, 672 },
};

/* Runs are short, for the best of many to be one that nothing interrupted; data of one run is out of the nearer caches
 * when its turn comes again, as in training. */
static const double run_flops = 5e8;
static const int64_t rotation_floats = 6 << 20;

static const cnn_dense_shape dense_layers[] = { { 32, 6272, 512 }, { 1, 6272, 512 }, { 32, 12544, 64 } };

typedef struct job {
    cnn_context *context;
    cnn_conv_shape shape;
    cnn_conv_epilogue epilogue;
    cnn_conv_gradient gradient;
    cnn_dense_shape dense;
    float *weights, *weight_gradient, *bias_gradient;
    void *input, *output, *input_gradient, *packed, *packed_backward, *workspace;
    int64_t copies, inputs, outputs; /* sets of data, and values in one */
} job;

/* The copy of that number of an array with `count` values each. */
static void *copy_of(const job *j, const void *array, int64_t copy, int64_t count)
{
    return (char *)array + copy * count * (int64_t)cnn_dtype_size(j->shape.output_type);
}

static void forward(job *j, int64_t copy)
{
    cnn_conv_arrays arrays = { copy_of(j, j->input, copy, j->inputs), j->packed,
                               copy_of(j, j->output, copy, j->outputs), j->workspace };
    cnn_conv_forward(j->context, &j->shape, &j->epilogue, &arrays);
}

static cnn_conv_gradient gradient_of(const job *j, int64_t copy)
{
    cnn_conv_gradient gradient = j->gradient;
    gradient.gradient = copy_of(j, gradient.gradient, copy, j->outputs);
    gradient.output = copy_of(j, gradient.output, copy, j->outputs);
    return gradient;
}

static void backward_data(job *j, int64_t copy)
{
    cnn_conv_gradient gradient = gradient_of(j, copy);
    cnn_conv_backward_data(j->context, &j->shape, &gradient, j->packed_backward,
                           copy_of(j, j->input_gradient, copy, j->inputs), j->workspace);
}

static void backward_weights(job *j, int64_t copy)
{
    cnn_conv_gradient gradient = gradient_of(j, copy);
    cnn_weight_gradient wanted = { copy_of(j, j->input, copy, j->inputs), j->weight_gradient, j->bias_gradient,
                                   j->workspace };
    cnn_conv_backward_weights(j->context, &j->shape, &gradient, &wanted);
}

static void pack(job *j, int64_t copy)
{
    (void)copy;
    cnn_conv_pack(j->context, &j->shape, j->weights, j->packed);
    cnn_conv_pack_backward(j->context, &j->shape, j->weights, j->packed_backward);
}

static void dense_forward(job *j, int64_t copy)
{
    (void)copy;
    cnn_dense_arrays arrays = { j->input, j->weights, NULL, j->output, j->workspace };
    cnn_dense_forward(j->context, &j->dense, CNN_ACTIVATION_RELU, &arrays);
}

static void dense_backward_data(job *j, int64_t copy)
{
    (void)copy;
    cnn_dense_backward_data(j->context, &j->dense, j->output, j->weights, j->input_gradient, j->workspace);
}

static void dense_backward_weights(job *j, int64_t copy)
{
    (void)copy;
    cnn_weight_gradient wanted = { j->input, j->weight_gradient, j->bias_gradient, j->workspace };
    cnn_dense_backward_weights(j->context, &j->dense, j->output, &wanted);
}

/* The shortest of many runs: what else the machine does lengthens the others. */
static double seconds(void (*run)(job *, int64_t), job *j)
{
    double best = 1e9, end = clock_now() + 0.2;
    run(j, 0);
    for (int64_t i = 0; i < 5 || clock_now() < end; i++) {
        double start = clock_now();
        run(j, j->copies ? i % j->copies : 0);
        double taken = clock_now() - start;
        best = taken < best ? taken : best;
    }
    return best;
}

static void report(const char *name, void (*run)(job *, int64_t), job *j, double flops)
{
    bench_rate(name, flops / seconds(run, j) * 1e-9);
}

static size_t largest(size_t a, size_t b, size_t c)
{
    size_t ab = a > b ? a : b;
    return ab > c ? ab : c;
}

static cnn_conv_shape shape_of(const layer *l)
{
    int64_t out = (l->size + 2 * l->padding - l->kernel) / l->stride + 1;
    return (cnn_conv_shape){ .in_height = l->size,
                             .in_width = l->size,
                             .in_channels = l->in,
                             .out_height = out,
                             .out_width = out,
                             .out_channels = l->out,
                             .kernel = { l->kernel, l->kernel },
                             .stride = { l->stride, l->stride },
                             .dilation = { 1, 1 },
                             .pad_top = l->padding,
                             .pad_left = l->padding,
                             .groups = l->groups };
}

/* Random values in that type. */
static void *random_typed(int64_t count, cnn_dtype type, uint32_t seed)
{
    float *values = check_random(count, CHECK_FLOATS, seed);
    void *typed = check_typed(values, count, type);
    check_release(values);
    return typed;
}

static void bench_conv(cnn_context *context, const layer *l, cnn_dtype type)
{
    job j = { .context = context, .shape = shape_of(l) };
    cnn_conv_shape *s = &j.shape;
    s->input_type = s->output_type = type;
    double flops = 2.0 * (double)(s->kernel[0] * s->kernel[1] * s->in_channels / s->groups * s->out_channels) *
                   (double)(s->out_height * s->out_width);
    s->batch = flops < run_flops ? (int64_t)(run_flops / flops) : 1;
    if (s->batch > 32)
        s->batch = 32;
    int64_t inputs = s->batch * s->in_height * s->in_width * s->in_channels;
    int64_t outputs = s->batch * s->out_height * s->out_width * s->out_channels;
    int64_t weights = s->kernel[0] * s->kernel[1] * s->in_channels / s->groups * s->out_channels;
    j.inputs = inputs;
    j.outputs = outputs;
    j.copies = 1 + rotation_floats / (inputs + outputs);
    uint8_t *argmax = check_allocate((size_t)outputs);
    j.input = random_typed(j.copies * inputs, type, 1);
    j.weights = check_random(weights, CHECK_FLOATS, 2);
    j.output = random_typed(j.copies * outputs, type, 3);
    void *gradient = random_typed(j.copies * outputs, type, 4);
    j.input_gradient = random_typed(j.copies * inputs, type, 5);
    j.weight_gradient = check_random(weights, CHECK_FLOATS, 6);
    j.bias_gradient = check_random(s->out_channels, CHECK_FLOATS, 7);
    j.epilogue = (cnn_conv_epilogue){ j.bias_gradient, CNN_ACTIVATION_RELU, { l->pool, l->pool }, argmax };
    j.gradient = (cnn_conv_gradient){ gradient, j.output, CNN_ACTIVATION_RELU, { l->pool, l->pool }, argmax };
    j.packed = check_allocate(cnn_conv_packed_bytes(context, s));
    j.packed_backward = check_allocate(cnn_conv_packed_backward_bytes(context, s));
    j.workspace = check_allocate(largest(cnn_conv_forward_workspace(context, s, &j.epilogue),
                                         cnn_conv_backward_data_workspace(context, s, &j.gradient),
                                         cnn_conv_backward_weights_workspace(context, s, &j.gradient)));
    pack(&j, 0);
    flops *= (double)s->batch;
    bench_layer_of(l->name);
    report("forward", forward, &j, flops);
    report("by data", backward_data, &j, flops);
    report("by weights", backward_weights, &j, flops);
    bench_packing(seconds(pack, &j));
    void *arrays[] = { j.input,           j.weights,         j.output,        gradient,
                       j.input_gradient,  j.weight_gradient, j.bias_gradient, j.packed,
                       j.packed_backward, j.workspace,       argmax };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        check_release(arrays[i]);
}

static void bench_dense(cnn_context *context, const cnn_dense_shape *s, const char *name)
{
    job j = { .context = context, .dense = *s };
    j.input = check_random(s->rows * s->inputs, CHECK_FLOATS, 1);
    j.weights = check_random(s->inputs * s->units, CHECK_FLOATS, 2);
    j.output = check_random(s->rows * s->units, CHECK_FLOATS, 3);
    j.input_gradient = check_random(s->rows * s->inputs, CHECK_FLOATS, 4);
    j.weight_gradient = check_random(s->inputs * s->units, CHECK_FLOATS, 5);
    j.bias_gradient = check_random(s->units, CHECK_FLOATS, 6);
    j.workspace =
        check_allocate(largest(cnn_dense_forward_workspace(context, s), cnn_dense_backward_data_workspace(context, s),
                               cnn_dense_backward_weights_workspace(context, s)));
    double flops = 2.0 * (double)(s->rows * s->inputs * s->units);
    bench_layer_of(name);
    report("forward", dense_forward, &j, flops);
    report("by data", dense_backward_data, &j, flops);
    report("by weights", dense_backward_weights, &j, flops);
    void *arrays[] = {
        j.input, j.weights, j.output, j.input_gradient, j.weight_gradient, j.bias_gradient, j.workspace
    };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        check_release(arrays[i]);
}

static void bench_type(const char *set, cnn_context *context, cnn_dtype type, const char *filter)
{
    double peak = (type == CNN_BFLOAT16 ? peak_bf16_gflops(set) : peak_gflops(set)) * cnn_context_threads(context);
    bench_set_of(set, type == CNN_BFLOAT16 ? "bf16" : "fp32", cnn_context_threads(context), peak);
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++)
        if (!filter || strstr(layers[i].name, filter))
            bench_conv(context, &layers[i], type);
    for (size_t i = 0; i < sizeof dense_layers / sizeof dense_layers[0]; i++) {
        const cnn_dense_shape *s = &dense_layers[i];
        char name[64];
        snprintf(name, sizeof name, "dense %lldx%lld-%lld", (long long)s->rows, (long long)s->inputs,
                 (long long)s->units);
        if (type == CNN_FLOAT32 && (!filter || strstr(name, filter)))
            bench_dense(context, s, name);
    }
}

static void bench_set(const char *set, cnn_context *context, const char *filter)
{
    bench_type(set, context, CNN_FLOAT32, filter);
    bench_type(set, context, CNN_BFLOAT16, filter);
}

void bench(const check_sets *sets, const char *set, const char *filter, bool json)
{
    bench_begin(json);
    for (int i = 0; i < sets->count; i++)
        for (int t = 0; t < 2; t++)
            if (set ? !strcmp(set, sets->sets[i].name) && t == 0 : i == sets->count - 1) {
                bench_set(sets->sets[i].name, sets->sets[i].contexts[t], filter);
                bench_int8(sets->sets[i].name, sets->sets[i].contexts[t], filter);
            }
    bench_end();
}
