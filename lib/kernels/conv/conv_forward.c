
#include "kernels/conv/conv.h"
#include "kernels/conv/conv_algorithm.h"

static cnn_conv_problem problem_of(const cnn_kernels *kernels, const cnn_conv_shape *shape)
{
    cnn_conv_problem problem = cnn_conv_problem_of(shape);
    cnn_conv_problem_choose_type(kernels, &problem);
    return problem;
}

size_t cnn_conv_packed_bytes(cnn_context *context, const cnn_conv_shape *shape)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    cnn_conv_problem problem = problem_of(kernels, shape);
    return cnn_conv_problem_packed_bytes(kernels, &problem);
}

void cnn_conv_pack(cnn_context *context, const cnn_conv_shape *s, const float *weights, void *packed)
{
    cnn_conv_problem problem = problem_of(cnn_kernels_get(context), s);
    int64_t tap = s->in_channels / s->groups * s->out_channels;
    cnn_conv_weights strides = { .first = weights,
                                 .group = s->out_channels / s->groups,
                                 .tap = { s->kernel[1] * tap, tap },
                                 .source_channel = s->out_channels,
                                 .channel = 1 };
    cnn_conv_problem_pack(context, &problem, &strides, packed);
}

static cnn_conv_call call_for(cnn_context *context, const cnn_conv_shape *s, const cnn_conv_epilogue *epilogue)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    cnn_conv_call call = { .context = context,
                           .problem = problem_of(kernels, s),
                           .source = { .kernels = kernels,
                                       .bf16 = s->input_type == CNN_BFLOAT16,
                                       .height = s->in_height,
                                       .width = s->in_width,
                                       .channels = s->in_channels },
                           .bias = epilogue->bias,
                           .residual = epilogue->residual,
                           .clamp = cnn_activation_clamp(epilogue->activation),
                           .pool = { epilogue->pool[0], epilogue->pool[1] },
                           .argmax = epilogue->argmax,
                           .strides = { s->out_channels, s->out_width * s->out_channels,
                                        s->out_height * s->out_width * s->out_channels } };
    if (call.pool[0]) { /* what no whole window holds isn't computed */
        call.problem.height -= call.problem.height % call.pool[0];
        call.problem.width -= call.problem.width % call.pool[1];
    }
    return call;
}

size_t cnn_conv_forward_workspace(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_epilogue *epilogue)
{
    cnn_conv_call call = call_for(context, shape, epilogue);
    return cnn_conv_call_workspace(&call);
}

const char *cnn_conv_forward_algorithm(cnn_context *context, const cnn_conv_shape *shape,
                                       const cnn_conv_epilogue *epilogue)
{
    cnn_conv_call call = call_for(context, shape, epilogue);
    return cnn_conv_call_algorithm(&call);
}

void cnn_conv_forward(cnn_context *context, const cnn_conv_shape *shape, const cnn_conv_epilogue *epilogue,
                      const cnn_conv_arrays *arrays)
{
    cnn_conv_call call = call_for(context, shape, epilogue);
    call.source.image = arrays->input;
    call.packed = arrays->packed;
    call.result = arrays->output;
    cnn_conv_call_run(&call, arrays->workspace);
}
