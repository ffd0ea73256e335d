/* The gradient by a convolution's input is a convolution of the gradient by its result with the weights turned over.
 * With a stride, input pixels whose places differ by multiples of it meet the same taps: they make one phase, a
 * convolution of its own without stride. */
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/conv_algorithm.h"

/* One direction of a phase: the input pixels first, first + stride, ... (`count` of them) and the taps that they meet.
 */
typedef struct axis {
    int64_t first, count;
    int64_t taps, last_tap, tap_distance; /* the kernel's taps, from the last to the first */
    int64_t origin, dilation;
} axis;

static int64_t greatest_common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Input pixel y and tap k meet result pixel (y + padding - k * dilation) / stride, if that is whole. */
static axis axis_of(int64_t phase, int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int64_t padding)
{
    int64_t common = greatest_common_divisor(stride, dilation);
    axis a = { .first = phase,
               .count = (size - phase + stride - 1) / stride,
               .tap_distance = stride / common,
               .dilation = dilation / common };
    for (int64_t k = 0; k < kernel; k++)
        if ((phase + padding - k * dilation) % stride == 0) {
            a.taps++;
            a.last_tap = k;
        }
    a.origin = (phase + padding - a.last_tap * dilation) / stride;
    return a;
}

typedef struct phase {
    axis axes[2];
    cnn_conv_problem problem;
    size_t packed_bytes; /* a multiple of 64 */
} phase;

static int64_t phase_count(const cnn_conv_shape *s)
{
    return (int64_t)s->stride[0] * s->stride[1];
}

static phase phase_of(const cnn_kernels *kernels, const cnn_conv_shape *s, int64_t index)
{
    phase p;
    p.axes[0] = axis_of(index / s->stride[1], s->in_height, s->kernel[0], s->stride[0], s->dilation[0], s->pad_top);
    p.axes[1] = axis_of(index % s->stride[1], s->in_width, s->kernel[1], s->stride[1], s->dilation[1], s->pad_left);
    p.problem = (cnn_conv_problem){ .batch = s->batch,
                                    .source_height = s->out_height,
                                    .source_width = s->out_width,
                                    .source_channels = s->out_channels,
                                    .height = p.axes[0].count,
                                    .width = p.axes[1].count,
                                    .channels = s->in_channels,
                                    .origin = { p.axes[0].origin, p.axes[1].origin },
                                    .stride = { 1, 1 },
                                    .taps = { p.axes[0].taps, p.axes[1].taps },
                                    .dilation = { p.axes[0].dilation, p.axes[1].dilation },
                                    .groups = s->groups,
                                    .source_bf16 = s->output_type == CNN_BFLOAT16,
                                    .result_bf16 = s->input_type == CNN_BFLOAT16,
                                    .in_batches = true };
    cnn_conv_problem_choose_type(kernels, &p.problem);
    p.packed_bytes = cnn_round_up(cnn_conv_problem_packed_bytes(kernels, &p.problem), 64);
    return p;
}

static bool meets_none(const phase *p)
{
    return !p->axes[0].taps || !p->axes[1].taps || p->axes[0].count <= 0 || p->axes[1].count <= 0;
}

size_t cnn_conv_packed_backward_bytes(cnn_context *context, const cnn_conv_shape *shape)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    size_t bytes = 0;
    for (int64_t i = 0; i < phase_count(shape); i++)
        bytes += phase_of(kernels, shape, i).packed_bytes;
    return bytes;
}

void cnn_conv_pack_backward(cnn_context *context, const cnn_conv_shape *s, const float *weights, void *packed)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    int64_t tap = s->in_channels / s->groups * s->out_channels, row = s->kernel[1] * tap;
    unsigned char *to = packed;
    for (int64_t i = 0; i < phase_count(s); i++) {
        phase p = phase_of(kernels, s, i);
        cnn_conv_weights strides = { .first = weights + p.axes[0].last_tap * row + p.axes[1].last_tap * tap,
                                     .group = s->out_channels / s->groups,
                                     .tap = { -p.axes[0].tap_distance * row, -p.axes[1].tap_distance * tap },
                                     .source_channel = 1,
                                     .channel = s->out_channels };
        if (!meets_none(&p))
            cnn_conv_problem_pack(context, &p.problem, &strides, (float *)(void *)to);
        to += p.packed_bytes;
    }
}

/* What follows the convolution may leave its gradient alone, which is then read in place, as an image is. */
static cnn_conv_call call_for(cnn_context *context, const cnn_conv_shape *s, const cnn_conv_gradient *gradient,
                              const phase *p)
{
    bool plain = cnn_conv_gradient_is_plain(gradient);
    return (cnn_conv_call){ .context = context,
                            .problem = p->problem,
                            .source = { .kernels = cnn_kernels_get(context),
                                        .bf16 = s->output_type == CNN_BFLOAT16,
                                        .height = s->out_height,
                                        .width = s->out_width,
                                        .channels = s->out_channels,
                                        .image = plain ? gradient->gradient : NULL,
                                        .gradient = plain ? NULL : gradient },
                            .clamp = CNN_NO_CLAMP,
                            .strides = { s->stride[1] * s->in_channels, s->stride[0] * s->in_width * s->in_channels,
                                         s->in_height * s->in_width * s->in_channels } };
}

size_t cnn_conv_backward_data_workspace(cnn_context *context, const cnn_conv_shape *shape,
                                        const cnn_conv_gradient *gradient)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    size_t most = 0;
    for (int64_t i = 0; i < phase_count(shape); i++) {
        phase p = phase_of(kernels, shape, i);
        cnn_conv_call call = call_for(context, shape, gradient, &p);
        size_t bytes = meets_none(&p) ? 0 : cnn_conv_call_workspace(&call);
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* Pixels that no tap reaches. */
typedef struct clear_job {
    const cnn_conv_shape *shape;
    const phase *phase;
    char *input_gradient;
} clear_job;

/* The phase's pixels in one row of one image. */
static void clear_row(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const clear_job *job = argument;
    const cnn_conv_shape *s = job->shape;
    const axis *axes = job->phase->axes;
    int64_t bytes = s->in_channels * (int64_t)cnn_dtype_size(s->input_type), row = (int64_t)task;
    int64_t image = row / axes[0].count, y = axes[0].first + row % axes[0].count * s->stride[0];
    char *to = job->input_gradient + (image * s->in_height + y) * s->in_width * bytes;
    for (int64_t x = axes[1].first; x < s->in_width; x += s->stride[1])
        memset(to + x * bytes, 0, (size_t)bytes);
}

static void clear_phase(cnn_context *context, const cnn_conv_shape *s, const phase *p, void *input_gradient)
{
    clear_job job = { s, p, input_gradient };
    if (p->axes[0].count > 0)
        cnn_parallel(context, (size_t)(s->batch * p->axes[0].count), clear_row, &job);
}

void cnn_conv_backward_data(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_gradient *gradient,
                            const void *packed, void *input_gradient, void *workspace)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    const unsigned char *weights = packed;
    for (int64_t i = 0; i < phase_count(shape); i++) {
        phase p = phase_of(kernels, shape, i);
        if (meets_none(&p)) {
            clear_phase(context, shape, &p, input_gradient);
        } else {
            cnn_conv_call call = call_for(context, shape, gradient, &p);
            call.packed = (const float *)(const void *)weights;
            call.result = (char *)input_gradient + (p.axes[0].first * shape->in_width + p.axes[1].first) *
                                                       shape->in_channels * (int64_t)cnn_dtype_size(shape->input_type);
            cnn_conv_call_run(&call, workspace);
        }
        weights += p.packed_bytes;
    }
}
