#include "kernels/conv/conv_problem.h"

#include "kernels/tasks.h"

cnn_conv_problem cnn_conv_problem_of(const cnn_conv_shape *s)
{
    return (cnn_conv_problem){ .batch = s->batch,
                               .source_height = s->in_height,
                               .source_width = s->in_width,
                               .source_channels = s->in_channels,
                               .height = s->out_height,
                               .width = s->out_width,
                               .channels = s->out_channels,
                               .origin = { -s->pad_top, -s->pad_left },
                               .stride = { s->stride[0], s->stride[1] },
                               .taps = { s->kernel[0], s->kernel[1] },
                               .dilation = { s->dilation[0], s->dilation[1] },
                               .groups = s->groups,
                               .in_batches = s->in_batches,
                               .source_bf16 = s->input_type == CNN_BFLOAT16,
                               .result_bf16 = s->output_type == CNN_BFLOAT16 };
}

void cnn_conv_problem_choose_type(const cnn_kernels *kernels, cnn_conv_problem *s)
{
    s->bf16_dot = s->source_bf16 && kernels->bf16_dot && s->source_channels / s->groups % 2 == 0;
    if (s->bf16_dot)
        s->source_channels /= 2;
}

bool cnn_conv_is_depthwise(const cnn_conv_problem *s)
{
    return s->groups > 1 && !s->bf16_dot && s->groups == s->source_channels && s->groups == s->channels;
}

bool cnn_conv_reads_outside(const cnn_conv_problem *s)
{
    const int64_t source[2] = { s->source_height, s->source_width }, result[2] = { s->height, s->width };
    for (int i = 0; i < 2; i++)
        if (s->origin[i] < 0 ||
            s->origin[i] + (result[i] - 1) * s->stride[i] + (s->taps[i] - 1) * s->dilation[i] >= source[i])
            return true;
    return false;
}

int64_t cnn_conv_source_rows(const cnn_conv_problem *s, int64_t rows)
{
    return (rows - 1) * s->stride[0] + (s->taps[0] - 1) * s->dilation[0] + 1;
}

int64_t cnn_conv_source_columns(const cnn_conv_problem *s)
{
    return (s->width - 1) * s->stride[1] + (s->taps[1] - 1) * s->dilation[1] + 1;
}

cnn_tap_rows cnn_conv_tap_rows(const cnn_conv_problem *s, int64_t row)
{
    int64_t top = s->origin[0] + row * s->stride[0], below = s->source_height - top;
    cnn_tap_rows taps = { top < 0 ? cnn_divide_up(-top, s->dilation[0]) : 0,
                          below > 0 ? cnn_divide_up(below, s->dilation[0]) : 0 };
    taps.last = cnn_lesser(taps.last, s->taps[0]);
    taps.first = cnn_lesser(taps.first, taps.last);
    return taps;
}

void cnn_fill_pixels(const cnn_task_pixels *pixels, const int64_t step[2], cnn_pixel_strides strides,
                     ptrdiff_t *offsets)
{
    for (int64_t y = 0; y < pixels->rows; y++)
        for (int64_t image = 0; image < pixels->images; image++)
            for (int64_t x = 0; x < pixels->width; x++)
                *offsets++ = cnn_pixel_offset(strides, image, y * step[0], x * step[1]);
}
