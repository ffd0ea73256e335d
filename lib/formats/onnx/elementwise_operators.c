/* ONNX operators that work element by element: sums, arithmetic with constants, ReLU and its like. Other activations
 * are in activation_operators.c. */
#include <string.h>

#include "core/error.h"
#include "formats/onnx/import.h"

/* The constant as one number for all, or one for each channel in our order. */
static cnn_status channel_numbers(cnn_onnx_import *import, const cnn_onnx_activation *x, const cnn_onnx_tensor *from,
                                  const float **numbers, int64_t *count)
{
    int64_t channels = cnn_onnx_channels(import, x), dims[3], strides[3];
    *count = from->count;
    *numbers = from->floats;
    bool fits = from->rank <= x->rank && (from->count == 1 || from->count == channels);
    for (int32_t i = 0; i < from->rank && fits; i++)
        fits = from->dims[i] == 1 || x->axes[x->rank - from->rank + i] == CNN_ONNX_CHANNEL;
    if (!fits || !from->floats)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                             "its constant is not one number, nor one for each of %lld channels", (long long)channels);
    if (!x->flat_dims[2] || from->count == 1)
        return CNN_OK;
    void *memory;
    cnn_status status = cnn_onnx_memory(import, from->count, sizeof(float), &memory);
    if (status)
        return status;
    float *to = memory;
    *numbers = to;
    cnn_onnx_feature_layout(import, x, dims, strides);
    for (int64_t h = 0; h < dims[0]; h++)
        for (int64_t w = 0; w < dims[1]; w++)
            for (int64_t c = 0; c < dims[2]; c++)
                *to++ = from->floats[h * strides[0] + w * strides[1] + c * strides[2]];
    return CNN_OK;
}

typedef enum arithmetic { ADD, SUBTRACT, SUBTRACT_FROM, MULTIPLY, DIVIDE } arithmetic;

/* Puts the operation behind the x × scale + offset that is pending already. */
static void compose(arithmetic operation, float number, float *scale, float *offset)
{
    switch (operation) {
    case ADD: *offset += number; break;
    case SUBTRACT: *offset -= number; break;
    case SUBTRACT_FROM:
        *scale = -*scale;
        *offset = number - *offset;
        break;
    case MULTIPLY:
        *scale *= number;
        *offset *= number;
        break;
    case DIVIDE:
        *scale /= number;
        *offset /= number;
        break;
    }
}

/* Puts the arithmetic into the layer whose output it works on. */
static cnn_status combine_weights(cnn_onnx_import *import, const cnn_onnx_activation *x, arithmetic operation,
                                  const float *numbers, int64_t count)
{
    int64_t channels = cnn_onnx_channels(import, x);
    void *memory;
    cnn_status status = cnn_onnx_memory(import, 2 * channels, sizeof(float), &memory);
    if (status)
        return status;
    float *scale = memory, *offset = scale + channels;
    for (int64_t i = 0; i < channels; i++) {
        scale[i] = 1;
        offset[i] = 0;
        compose(operation, numbers[count > 1 ? i : 0], &scale[i], &offset[i]);
    }
    status = cnn_onnx_scale_weights(import, x->node, scale, offset);
    return status ? status : cnn_onnx_define(import, x);
}

/* Whether the arithmetic may be a part of an activation that comes in parts. */
static bool is_part(const cnn_onnx_import *import, size_t activation)
{
    const cnn_onnx_value *value = cnn_onnx_input(import, activation);
    return value && value->uses < 2 && cnn_onnx_constant(import, !activation)->count == 1;
}

/* Arithmetic of the activation with a constant: a matter of the weights, if nothing else uses the layer's output, such
 * as a bias or a batch normalisation that an exporter has left to themselves. Else it stays pending. */
static cnn_status combine(cnn_onnx_import *import, size_t activation, arithmetic operation)
{
    cnn_onnx_activation x;
    const cnn_onnx_tensor *tensor = cnn_onnx_constant(import, !activation);
    const float *numbers;
    int64_t count;
    void *memory;
    cnn_status status = is_part(import, activation) ? cnn_onnx_gated_activation(import, activation, &x)
                                                    : cnn_onnx_raw_activation(import, activation, &x);
    if (!status && x.padded)
        status = cnn_onnx_activation_of(import, activation, &x); /* refuses it */
    if (!status)
        status = channel_numbers(import, &x, tensor, &numbers, &count);
    if (status)
        return status;
    if (!x.gate.kind && !x.affine.count && cnn_onnx_has_weights(import, x.node) && !import->shared[x.node])
        return combine_weights(import, &x, operation, numbers, count);
    int64_t before = x.affine.count, all = before > count ? before : count;
    status = cnn_onnx_memory(import, 2 * all, sizeof(float), &memory);
    if (status)
        return status;
    float *scale = memory, *offset = scale + all;
    for (int64_t i = 0; i < all; i++) {
        scale[i] = before ? x.affine.scale[before > 1 ? i : 0] : 1;
        offset[i] = before ? x.affine.offset[before > 1 ? i : 0] : 0;
        compose(operation, numbers[count > 1 ? i : 0], &scale[i], &offset[i]);
    }
    x.affine = (cnn_onnx_affine){ all, scale, offset };
    return cnn_onnx_define(import, &x);
}

/* The sum of activations. */
static cnn_status read_sum(cnn_onnx_import *import)
{
    cnn_onnx_activation sum, next;
    cnn_status status = cnn_onnx_activation_of(import, 0, &sum);
    for (size_t i = 1; i < import->node->n_input && !status; i++) {
        status = cnn_onnx_activation_of(import, i, &next);
        if (!status && !cnn_onnx_same_order(&sum, &next))
            status = cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "its inputs have their axes in different orders");
        if (!status)
            status =
                cnn_onnx_add_layer(import, &cnn_layer_add, (cnn_node[]){ sum.node, next.node }, 2, NULL, &sum.node);
    }
    return status ? status : cnn_onnx_define(import, &sum);
}

static cnn_status read_add(cnn_onnx_import *import)
{
    if (cnn_onnx_constant(import, 1))
        return combine(import, 0, ADD);
    if (cnn_onnx_constant(import, 0))
        return combine(import, 1, ADD);
    bool added;
    cnn_status status = cnn_onnx_add_cube(import, &added);
    return status || added ? status : read_sum(import);
}

static cnn_status read_sub(cnn_onnx_import *import)
{
    if (cnn_onnx_constant(import, 1))
        return combine(import, 0, SUBTRACT);
    return cnn_onnx_constant(import, 0) ? combine(import, 1, SUBTRACT_FROM) : cnn_onnx_fail_two(import);
}

static cnn_status read_mul(cnn_onnx_import *import)
{
    if (cnn_onnx_constant(import, 1))
        return combine(import, 0, MULTIPLY);
    return cnn_onnx_constant(import, 0) ? combine(import, 1, MULTIPLY) : cnn_onnx_multiply(import);
}

static cnn_status read_div(cnn_onnx_import *import)
{
    if (cnn_onnx_constant(import, 1))
        return combine(import, 0, DIVIDE);
    return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "only division by a constant is supported");
}

static cnn_status read_relu(cnn_onnx_import *import)
{
    return cnn_onnx_read_as(import, &cnn_layer_relu, NULL);
}

static cnn_status read_leaky_relu(cnn_onnx_import *import)
{
    const cnn_leaky_relu_attributes attributes = { cnn_onnx_float_attribute(import, "alpha", 0.01f) };
    return cnn_onnx_read_as(import, &cnn_layer_leaky_relu, &attributes);
}

static cnn_status read_softmax(cnn_onnx_import *import)
{
    enum { OVER_ONE_AXIS = 13 }; /* from this opset on; before, over all axes from that one on */
    cnn_onnx_activation x;
    int32_t axis;
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    if (!status)
        status = cnn_onnx_axis_of(
            import, cnn_onnx_int_attribute(import, "axis", import->opset < OVER_ONE_AXIS ? 1 : -1), x.rank, &axis);
    if (status)
        return status;
    bool sound = x.axes[axis] == CNN_ONNX_CHANNEL;
    for (int32_t i = axis + 1; import->opset < OVER_ONE_AXIS && i < x.rank; i++)
        sound = sound && x.axes[i] == CNN_ONNX_ONE;
    if (!sound)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "only softmax over channels is supported");
    status = cnn_onnx_add_layer(import, &cnn_layer_softmax, &x.node, 1, NULL, &x.node);
    return status ? status : cnn_onnx_define(import, &x);
}

/* What the quantised type cuts off: below 0, and above 6, if not more. NULL: neither. */
static const cnn_layer_type *cut_of(const cnn_onnx_import *import)
{
    const cnn_onnx_tensor *scale = cnn_onnx_constant(import, 1), *zero = cnn_onnx_constant(import, 2);
    int32_t type = zero ? zero->type : CNN_ONNX_UINT8;
    bool is_signed = type == CNN_ONNX_INT8 || type == CNN_ONNX_INT16;
    int32_t steps = type == CNN_ONNX_INT8 || type == CNN_ONNX_UINT8 ? UINT8_MAX : UINT16_MAX;
    int64_t lowest = is_signed ? -(steps / 2) - 1 : 0;
    if (zero && !(zero->int64s && zero->count == 1 && zero->int64s[0] == lowest))
        return NULL;
    bool to_six = scale && scale->floats && scale->count == 1 && scale->floats[0] * (float)steps < 6.05f;
    return to_six ? &cnn_layer_relu6 : &cnn_layer_relu;
}

/* The model is computed without rounding. But where 0 is the smallest value that the quantised type can have, it is
 * the rounding that cuts off what is negative: quantisers leave out Relu, and Clip to 6, there. */
static cnn_status read_quantize(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    const cnn_layer_type *cut = cut_of(import);
    cnn_status status = cnn_onnx_padded_activation(import, 0, &x);
    if (status)
        return status;
    if (cnn_onnx_is_not_negative(import, x.node))
        cut = NULL;
    if (cut && x.padded && x.pad_value < 0)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it cuts off a padding by %g", (double)x.pad_value);
    if (cut)
        status = cnn_onnx_add_layer(import, cut, &x.node, 1, NULL, &x.node);
    return status ? status : cnn_onnx_define(import, &x);
}

const cnn_onnx_operator cnn_onnx_elementwise_operators[] = {
    { "Add", read_add },
    { "Div", read_div },
    { "LeakyRelu", read_leaky_relu },
    { "Mul", read_mul },
    { "QuantizeLinear", read_quantize },
    { "Relu", read_relu },
    { "Softmax", read_softmax },
    { "Sub", read_sub },
    { "Sum", read_sum },
    { NULL, NULL },
};
