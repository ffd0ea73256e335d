#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peak_flops.h"
#include "bench_report.h"
#include "check.h"
#include "cli/clock.h"
#include "kernels/int8/int8.h"

typedef struct layer {
    const char *name;
    int64_t size, in, out; /* pixels on a side, channels */
    int32_t kernel, stride, padding, groups;
    bool pool, residual;
} layer;

static const layer layers[] = {
    { "3x3 64-64 at 70", 72, 64, 64, 3, 1, 0, 1, false, false },
    { "3x3 128-128 at 34", 36, 128, 128, 3, 1, 0, 1, false, false },
    { "3x3 128-128 at 15", 17, 128, 128, 3, 1, 0, 1, false, false },
    { "two_conv 1", 64, 3, 64, 3, 1, 0, 1, true, false },
    { "two_conv 2", 31, 64, 64, 3, 1, 0, 1, true, false },
    { "four_conv 1", 150, 3, 32, 3, 1, 0, 1, true, false },
    { "four_conv 2", 74, 32, 64, 3, 1, 0, 1, true, false },
    { "four_conv 3", 36, 64, 128, 3, 1, 0, 1, true, false },
    { "four_conv 4", 17, 128, 128, 3, 1, 0, 1, true, false },
    { "resnet18 stem", 128, 3, 64, 7, 2, 3, 1, false, false },
    { "resnet18 64", 32, 64, 64, 3, 1, 1, 1, false, true },
    { "resnet18 64-128 /2", 32, 64, 128, 3, 2, 1, 1, false, false },
    { "resnet18 128", 16, 128, 128, 3, 1, 1, 1, false, true },
    { "resnet18 128-256 1x1 /2", 16, 128, 256, 1, 2, 0, 1, false, false },
    { "resnet18 256", 8, 256, 256, 3, 1, 1, 1, false, true },
    { "resnet18 512", 4, 512, 512, 3, 1, 1, 1, false, true },
    { "1x1 96-24 at 56", 56, 96, 24, 1, 1, 0, 1, false, false },
    { "depthwise 96 at 56", 56, 96, 96, 3, 1, 1, 96, false, false },
    { "dense 6272-512", 1, 6272, 512, 1, 1, 0, 1, false, false },
};

typedef struct job {
    cnn_context *context;
    cnn_conv_shape shape;
    cnn_int8_epilogue epilogue;
    uint8_t *input, *output, *residual;
    void *packed, *workspace;
    int8_t *weights;
    float *scales;
} job;

static void run(job *j)
{
    cnn_int8_conv(j->context, &j->shape, &j->epilogue,
                  &(cnn_conv_arrays){ j->input, j->packed, j->output, j->workspace });
}

static void pack(job *j)
{
    cnn_int8_conv_pack(j->context, &j->shape, &(cnn_int8_weights){ j->weights, j->scales, NULL }, &j->epilogue,
                       j->packed);
}

/* The shortest of many runs: what else the machine does lengthens the others. */
static double seconds(void (*function)(job *), job *j)
{
    double best = 1e9, end = clock_now() + 0.2;
    for (int64_t i = 0; i < 5 || clock_now() < end; i++) {
        double start = clock_now();
        function(j);
        double taken = clock_now() - start;
        best = taken < best ? taken : best;
    }
    return best;
}

static job make_job(cnn_context *context, const layer *l, int64_t batch)
{
    int64_t out = (l->size + 2 * l->padding - l->kernel) / l->stride + 1;
    job j = { .context = context,
              .shape = { batch,
                         l->size,
                         l->size,
                         l->in,
                         out,
                         out,
                         l->out,
                         { l->kernel, l->kernel },
                         { l->stride, l->stride },
                         { 1, 1 },
                         l->padding,
                         l->padding,
                         l->groups },
              .epilogue = { .input = { 0.02f, 0 },
                            .output = { 1, 0 },
                            .activation = CNN_ACTIVATION_RELU,
                            .pool = l->pool,
                            .residual_quantization = { 0.02f, 0 } } };
    int64_t outputs = batch * out * out * l->out;
    j.input = check_allocate((size_t)(batch * l->size * l->size * l->in));
    j.output = check_allocate((size_t)outputs);
    j.residual = check_allocate((size_t)outputs);
    j.epilogue.residual = l->residual ? j.residual : NULL;
    j.weights = check_allocate((size_t)(l->kernel * l->kernel * l->in / l->groups * l->out));
    j.scales = check_random(l->out, CHECK_WHOLE_NUMBERS, 1);
    j.packed = check_allocate(cnn_int8_conv_packed_bytes(context, &j.shape));
    j.workspace = check_allocate(cnn_int8_conv_workspace(context, &j.shape, &j.epilogue));
    pack(&j);
    return j;
}

static double rate(job *j)
{
    const cnn_conv_shape *s = &j->shape;
    double operations = 2.0 * (double)(s->kernel[0] * s->kernel[1] * s->in_channels / s->groups * s->out_channels) *
                        (double)(s->out_height * s->out_width * s->batch);
    return operations / seconds(run, j) * 1e-9;
}

static void bench_layer(cnn_context *context, const layer *l)
{
    static const int64_t batches[] = { 1, 32 };
    bench_layer_of(l->name);
    for (int i = 0; i < 2; i++) {
        job j = make_job(context, l, batches[i]);
        bench_rate(i ? "batch 32" : "batch 1", rate(&j));
        if (i)
            bench_packing(seconds(pack, &j));
        void *arrays[] = { j.input, j.output, j.residual, j.weights, j.scales, j.packed, j.workspace };
        for (size_t k = 0; k < sizeof arrays / sizeof arrays[0]; k++)
            check_release(arrays[k]);
    }
}

void bench_int8(const char *set, cnn_context *context, const char *filter)
{
    double peak = peak_int8_gops(set) * cnn_context_threads(context);
    bench_set_of(set, "int8", cnn_context_threads(context), peak);
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++)
        if (!filter || strstr(layers[i].name, filter))
            bench_layer(context, &layers[i]);
}
