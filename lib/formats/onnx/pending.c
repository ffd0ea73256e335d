/* What is pending on an activation, a gate, x × scale + offset and padding, becomes layers where an operator needs the
 * value. */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "formats/onnx/import.h"

static bool is_finite(const float *values, int64_t count)
{
    bool finite = true;
    for (int64_t i = 0; i < count; i++)
        finite = finite && isfinite(values[i]);
    return finite;
}

/* Named after the node that computes it, which others have followed. */
cnn_status cnn_onnx_apply_gate(cnn_onnx_import *import, cnn_onnx_activation *x)
{
    const CnnOnnx__Node *reading = import->node;
    const cnn_hard_sigmoid_attributes hard = { x->gate.slope, x->gate.offset };
    if (x->gate.kind == CNN_ONNX_NO_GATE)
        return CNN_OK;
    cnn_status status = CNN_OK;
    import->node = x->gate.node;
    if (x->gate.kind == CNN_ONNX_SIGMOID)
        status = cnn_onnx_add_layer(import, &cnn_layer_sigmoid, &x->node, 1, NULL, &x->node);
    else if (x->gate.kind == CNN_ONNX_HARD_SIGMOID)
        status = cnn_onnx_add_layer(import, &cnn_layer_hard_sigmoid, &x->node, 1, &hard, &x->node);
    else
        status = cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it is supported only as a part of GELU");
    import->node = reading;
    x->gate = (cnn_onnx_gate){ 0 };
    return status;
}

static cnn_status add_rescale(cnn_onnx_import *import, cnn_onnx_activation *x)
{
    const cnn_rescale_attributes attributes = { x->affine.scale[0], x->affine.offset[0] };
    if (attributes.scale == 1 && attributes.offset == 0)
        return CNN_OK;
    return cnn_onnx_add_layer(import, &cnn_layer_rescale, &x->node, 1, &attributes, &x->node);
}

/* (x - mean) / deviation, for the few channels of an input. */
static cnn_status add_normalize(cnn_onnx_import *import, cnn_onnx_activation *x)
{
    cnn_normalize_attributes attributes = { 0 };
    for (int64_t c = 0; c < x->affine.count; c++) {
        attributes.deviation[c] = 1 / x->affine.scale[c];
        attributes.mean[c] = -x->affine.offset[c] / x->affine.scale[c];
    }
    return cnn_onnx_add_layer(import, &cnn_layer_normalize, &x->node, 1, &attributes, &x->node);
}

/* Any scale and offset for each channel, as a batch normalisation whose mean is 0 and whose variance is 1. */
static cnn_status add_batch_norm(cnn_onnx_import *import, cnn_onnx_activation *x)
{
    static const float one = 1;
    const cnn_batch_norm_attributes attributes = { .epsilon = 1e-12f };
    int64_t count = x->affine.count;
    cnn_status status = cnn_onnx_add_layer(import, &cnn_layer_batch_norm, &x->node, 1, &attributes, &x->node);
    const cnn_onnx_weight_copy copies[] = {
        { x->node, "scale", x->affine.scale, { 1, 1, 1, count }, { 0, 0, 0, 1 }, 1 },
        { x->node, "offset", x->affine.offset, { 1, 1, 1, count }, { 0, 0, 0, 1 }, 1 },
        { x->node, "running_variance", &one, { 1, 1, 1, count }, { 0, 0, 0, 0 }, 1 },
    };
    for (size_t i = 0; i < sizeof copies / sizeof *copies && !status; i++)
        status = cnn_onnx_add_weight_copy(import, &copies[i]);
    return status;
}

cnn_status cnn_onnx_apply_affine(cnn_onnx_import *import, cnn_onnx_activation *x)
{
    enum { MOST_CHANNELS = 16 };
    const cnn_onnx_affine *affine = &x->affine;
    cnn_status status;
    bool divisible = true; /* as a deviation above 0 does it */
    for (int64_t i = 0; i < affine->count; i++)
        divisible = divisible && affine->scale[i] > 0 && isfinite(1 / affine->scale[i]) &&
                    isfinite(affine->offset[i] / affine->scale[i]);
    if (!affine->count)
        return CNN_OK;
    if (!is_finite(affine->scale, affine->count) || !is_finite(affine->offset, affine->count))
        return cnn_onnx_fail(import, CNN_ERROR_NOT_FINITE, "its input is scaled by a number that is not finite");
    if (affine->count == 1)
        status = add_rescale(import, x);
    else if (divisible && affine->count <= MOST_CHANNELS)
        status = add_normalize(import, x);
    else
        status = add_batch_norm(import, x);
    x->affine = (cnn_onnx_affine){ 0 };
    return status;
}

/* Zeros around an image are what a convolution of each channel by itself makes of it, by one pixel of weight 1. */
static cnn_status add_zeros(cnn_onnx_import *import, cnn_onnx_activation *x)
{
    static const float one = 1;
    int64_t channels = cnn_onnx_channels(import, x);
    if (x->pad_value != 0)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "its input is padded by %g, not 0", (double)x->pad_value);
    if (channels > INT32_MAX)
        return cnn_onnx_fail(import, CNN_ERROR_LIMIT, "its input has too many channels to be padded");
    cnn_conv2d_attributes attributes = { .filters = channels,
                                         .kernel = { 1, 1 },
                                         .groups = (int32_t)channels,
                                         .no_bias = 1,
                                         .padding = CNN_PADDING_EXPLICIT };
    memcpy(attributes.pads, x->pads, sizeof x->pads);
    return cnn_onnx_add_convolution(import, &attributes, &one, (const int64_t[4]){ 0 }, NULL, x);
}

/* What was applied is kept: others may use the value too. */
static void keep(cnn_onnx_import *import, size_t index, const cnn_onnx_activation *activation)
{
    uint32_t place = cnn_names_find(&import->names, import->node->input[index]);
    if (place != CNN_NO_PLACE)
        import->values[place].activation = *activation;
}

cnn_status cnn_onnx_gated_activation(cnn_onnx_import *import, size_t index, cnn_onnx_activation *activation)
{
    cnn_status status = cnn_onnx_stored_activation(import, index, activation);
    if (status || !activation->affine.count || activation->gate.kind > CNN_ONNX_HARD_SIGMOID ||
        cnn_onnx_input(import, index)->uses < 2)
        return status;
    status = cnn_onnx_apply_gate(import, activation);
    if (!status)
        status = cnn_onnx_apply_affine(import, activation);
    if (!status)
        keep(import, index, activation);
    return status;
}

cnn_status cnn_onnx_raw_activation(cnn_onnx_import *import, size_t index, cnn_onnx_activation *activation)
{
    cnn_status status = cnn_onnx_gated_activation(import, index, activation);
    if (status || !activation->gate.kind)
        return status;
    status = cnn_onnx_apply_gate(import, activation);
    if (!status)
        keep(import, index, activation);
    return status;
}

cnn_status cnn_onnx_padded_activation(cnn_onnx_import *import, size_t index, cnn_onnx_activation *activation)
{
    cnn_status status = cnn_onnx_raw_activation(import, index, activation);
    if (status || !activation->affine.count)
        return status;
    status = cnn_onnx_apply_affine(import, activation);
    if (!status)
        keep(import, index, activation);
    return status;
}

cnn_status cnn_onnx_activation_of(cnn_onnx_import *import, size_t index, cnn_onnx_activation *activation)
{
    cnn_status status = cnn_onnx_padded_activation(import, index, activation);
    if (status || !activation->padded)
        return status;
    status = add_zeros(import, activation);
    if (!status)
        keep(import, index, activation);
    return status;
}

cnn_status cnn_onnx_read_as(cnn_onnx_import *import, const cnn_layer_type *type, const void *attributes)
{
    cnn_onnx_activation x;
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    if (!status)
        status = cnn_onnx_add_layer(import, type, &x.node, 1, attributes, &x.node);
    return status ? status : cnn_onnx_define(import, &x);
}
