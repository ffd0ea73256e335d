#include "kernels/conv/conv_algorithm.h"

#include "kernels/conv/direct_conv.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/winograd/winograd.h"

size_t cnn_conv_problem_packed_bytes(const cnn_kernels *kernels, const cnn_conv_problem *problem)
{
    return cnn_winograd_tile(problem) ? cnn_winograd_packed_bytes(kernels, problem)
                                      : cnn_direct_conv_packed_bytes(kernels, problem);
}

void cnn_conv_problem_pack(cnn_context *context, const cnn_conv_problem *problem, const cnn_conv_weights *weights,
                           float *packed)
{
    if (cnn_winograd_tile(problem))
        cnn_winograd_pack(context, problem, weights, packed);
    else
        cnn_direct_conv_pack(context, problem, weights, packed);
}

static bool is_empty(const cnn_conv_problem *s)
{
    return s->batch <= 0 || s->height <= 0 || s->width <= 0;
}

const char *cnn_conv_call_algorithm(const cnn_conv_call *call)
{
    int64_t tile = cnn_winograd_tile(&call->problem);
    if (tile)
        return tile == 4 ? "Winograd 4×4" : "Winograd 2×2";
    return cnn_depthwise_fits(call) ? "depthwise" : "direct";
}

size_t cnn_conv_call_workspace(const cnn_conv_call *call)
{
    if (is_empty(&call->problem) || cnn_depthwise_fits(call))
        return 0;
    return cnn_winograd_tile(&call->problem) ? cnn_winograd_workspace(call) : cnn_direct_conv_workspace(call);
}

void cnn_conv_call_run(const cnn_conv_call *call, void *workspace)
{
    if (is_empty(&call->problem))
        return;
    if (cnn_winograd_tile(&call->problem))
        cnn_winograd_run(call, workspace);
    else if (cnn_depthwise_fits(call))
        cnn_depthwise_run(call);
    else
        cnn_direct_conv_run(call, workspace);
}
