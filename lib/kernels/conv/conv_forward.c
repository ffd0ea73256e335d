#include <math.h>

#include "kernels/conv/conv.h"
#include "kernels/conv/direct_conv.h"

static cnn_correlation correlation_of(const cnn_kernels *kernels, const cnn_conv_shape *s)
{
    cnn_correlation correlation = { .batch = s->batch,
                                    .source_height = s->in_height,
                                    .source_width = s->in_width,
                                    .source_channels = s->in_channels,
                                    .height = s->out_height,
                                    .width = s->out_width,
                                    .channels = s->out_channels,
                                    .origin = { -s->pad_top, -s->pad_left },
                                    .step = { s->stride[0], s->stride[1] },
                                    .taps = { s->kernel[0], s->kernel[1] },
                                    .tap_step = { s->dilation[0], s->dilation[1] },
                                    .groups = s->groups,
                                    .in_batches = s->in_batches,
                                    .source_narrow = s->input_type == CNN_BFLOAT16,
                                    .result_narrow = s->output_type == CNN_BFLOAT16 };
    cnn_correlation_choose(kernels, &correlation);
    return correlation;
}

size_t cnn_conv_packed_bytes(cnn_context *context, const cnn_conv_shape *shape)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    cnn_correlation correlation = correlation_of(kernels, shape);
    return cnn_correlation_packed_bytes(kernels, &correlation);
}

void cnn_conv_pack(cnn_context *context, const cnn_conv_shape *s, const float *weights, void *packed)
{
    cnn_correlation correlation = correlation_of(cnn_kernels_get(context), s);
    int64_t tap = s->in_channels / s->groups * s->out_channels;
    cnn_correlation_weights strides = { .first = weights,
                                        .group = s->out_channels / s->groups,
                                        .tap = { s->kernel[1] * tap, tap },
                                        .source_channel = s->out_channels,
                                        .channel = 1 };
    cnn_correlation_pack(context, &correlation, &strides, packed);
}

static cnn_correlation_call call_for(cnn_context *context, const cnn_conv_shape *s, const cnn_conv_epilogue *epilogue)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    cnn_correlation_call call = { .context = context,
                                  .shape = correlation_of(kernels, s),
                                  .source = { .kernels = kernels,
                                              .narrow = s->input_type == CNN_BFLOAT16,
                                              .height = s->in_height,
                                              .width = s->in_width,
                                              .channels = s->in_channels },
                                  .bias = epilogue->bias,
                                  .addend = epilogue->addend,
                                  .low = epilogue->activation == CNN_ACTIVATION_NONE ? -INFINITY : 0,
                                  .high = epilogue->activation == CNN_ACTIVATION_RELU6 ? 6 : INFINITY,
                                  .pool = { epilogue->pool[0], epilogue->pool[1] },
                                  .argmax = epilogue->argmax,
                                  .pixel_stride = s->out_channels,
                                  .row_stride = s->out_width * s->out_channels,
                                  .image_stride = s->out_height * s->out_width * s->out_channels };
    if (call.pool[0]) { /* what no whole window holds isn't computed */
        call.shape.height -= call.shape.height % call.pool[0];
        call.shape.width -= call.shape.width % call.pool[1];
    }
    return call;
}

size_t cnn_conv_forward_workspace(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_epilogue *epilogue)
{
    cnn_correlation_call call = call_for(context, shape, epilogue);
    return cnn_correlation_workspace(&call);
}

void cnn_conv_forward(cnn_context *context, const cnn_conv_shape *shape, const void *input, const void *packed,
                      const cnn_conv_epilogue *epilogue, void *output, void *workspace)
{
    cnn_correlation_call call = call_for(context, shape, epilogue);
    call.source.image = input;
    call.packed = packed;
    call.result = output;
    cnn_correlation_run(&call, workspace);
}
