/* ONNX operators of activations, and the activations that exporters write as several operators: x × sigmoid(x) as SiLU,
 * x × hard sigmoid(x) as hard swish, x × (1 + erf(x / √2)) and its form by tanh as GELU. Their parts stay pending as
 * gates until the product shows what they are parts of. */
#include <float.h>
#include <math.h>

#include "core/error.h"
#include "formats/onnx/import.h"

/* Of GELU's form by tanh(√(2/π) × (x + CUBIC x³)). */
#define CUBIC 0.044715f
#define SQRT_2_OVER_PI 0.797884561f
#define SQRT_HALF 0.707106781f

/* Files with weights in float16 round these constants too. */
static bool is_near(float value, float constant)
{
    return fabsf(value - constant) <= 5e-4f * fabsf(constant);
}

/* Whether x times this hard sigmoid is hard swish. */
static bool is_of_hard_swish(float slope, float offset)
{
    return is_near(slope, 1.0f / 6) && is_near(offset, 0.5f);
}

static float scale_of(const cnn_onnx_activation *x)
{
    return x->affine.count ? x->affine.scale[0] : 1;
}

static float offset_of(const cnn_onnx_activation *x)
{
    return x->affine.count ? x->affine.offset[0] : 0;
}

/* Whether what is pending on it is the same for all of its numbers. */
static bool is_uniform(const cnn_onnx_activation *x)
{
    return x->affine.count <= 1 && !x->padded;
}

/* A node's value times one number. */
static bool is_multiple(const cnn_onnx_activation *x)
{
    return x->gate.kind == CNN_ONNX_NO_GATE && is_uniform(x) && offset_of(x) == 0;
}

static cnn_status set_scale(cnn_onnx_import *import, cnn_onnx_activation *x, float scale)
{
    void *memory;
    x->affine = (cnn_onnx_affine){ 0 };
    if (scale == 1)
        return CNN_OK;
    cnn_status status = cnn_onnx_memory(import, 2, sizeof(float), &memory);
    if (status)
        return status;
    float *numbers = memory;
    numbers[0] = scale;
    numbers[1] = 0;
    x->affine = (cnn_onnx_affine){ 1, numbers, numbers + 1 };
    return CNN_OK;
}

/* The node's value: scale × gate(x). */
static cnn_status define_gate(cnn_onnx_import *import, cnn_onnx_activation *x, cnn_onnx_gate_kind kind, float scale)
{
    cnn_status status = set_scale(import, x, scale);
    x->gate.kind = kind;
    x->gate.node = import->node;
    return status ? status : cnn_onnx_define(import, x);
}

/* The node's value: scale × a layer's. */
static cnn_status define_layer(cnn_onnx_import *import, cnn_onnx_activation *x, const cnn_layer_type *type,
                               const void *attributes, float scale)
{
    x->gate = (cnn_onnx_gate){ 0 };
    cnn_status status = set_scale(import, x, scale);
    if (!status)
        status = cnn_onnx_add_layer(import, type, &x->node, 1, attributes, &x->node);
    return status ? status : cnn_onnx_define(import, x);
}

static cnn_status multiply_gate(cnn_onnx_import *import, cnn_onnx_activation *gated, float factor)
{
    float scale = scale_of(gated), offset = offset_of(gated);
    const cnn_gelu_attributes by_tanh = { CNN_GELU_TANH };
    switch (gated->gate.kind) {
    case CNN_ONNX_SIGMOID:
        if (offset == 0)
            return define_layer(import, gated, &cnn_layer_silu, NULL, factor * scale);
        break;
    case CNN_ONNX_HARD_SIGMOID:
        if (offset == 0 && is_of_hard_swish(gated->gate.slope, gated->gate.offset))
            return define_layer(import, gated, &cnn_layer_hard_swish, NULL, factor * scale);
        break;
    case CNN_ONNX_ERF:
        if (scale == offset)
            return define_layer(import, gated, &cnn_layer_gelu, NULL, 2 * factor * scale);
        break;
    case CNN_ONNX_TANH:
        if (scale == offset)
            return define_layer(import, gated, &cnn_layer_gelu, &by_tanh, 2 * factor * scale);
        break;
    case CNN_ONNX_SQUARE:
        if (offset == 0)
            return define_gate(import, gated, CNN_ONNX_CUBE, factor * scale);
        if (is_near(scale, CUBIC * offset))
            return define_gate(import, gated, CNN_ONNX_CUBIC, factor * offset);
        break;
    default: break;
    }
    return cnn_onnx_fail_two(import);
}

cnn_status cnn_onnx_multiply(cnn_onnx_import *import)
{
    cnn_onnx_activation a, b;
    cnn_status status = cnn_onnx_gated_activation(import, 0, &a);
    if (!status)
        status = cnn_onnx_gated_activation(import, 1, &b);
    if (status)
        return status;
    if (a.node != b.node || !is_uniform(&a) || !is_uniform(&b) || !cnn_onnx_same_order(&a, &b))
        return cnn_onnx_fail_two(import);
    if (is_multiple(&a) && is_multiple(&b))
        return define_gate(import, &a, CNN_ONNX_SQUARE, scale_of(&a) * scale_of(&b));
    if (is_multiple(&a))
        return multiply_gate(import, &b, scale_of(&a));
    return is_multiple(&b) ? multiply_gate(import, &a, scale_of(&b)) : cnn_onnx_fail_two(import);
}

cnn_status cnn_onnx_add_cube(cnn_onnx_import *import, bool *added)
{
    cnn_onnx_activation x, cube;
    cnn_status status = cnn_onnx_gated_activation(import, 0, &x);
    if (!status)
        status = cnn_onnx_gated_activation(import, 1, &cube);
    if (!status && x.gate.kind == CNN_ONNX_CUBE) {
        cnn_onnx_activation other = x;
        x = cube;
        cube = other;
    }
    *added = !status && cube.gate.kind == CNN_ONNX_CUBE && is_multiple(&x) && cube.node == x.node &&
             offset_of(&cube) == 0 && is_near(scale_of(&cube), CUBIC * scale_of(&x));
    return *added ? define_gate(import, &x, CNN_ONNX_CUBIC, scale_of(&x)) : status;
}

static cnn_status read_sigmoid(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    return status ? status : define_gate(import, &x, CNN_ONNX_SIGMOID, 1);
}

static cnn_status read_hard_sigmoid(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    float slope = cnn_onnx_float_attribute(import, "alpha", 0.2f);
    float offset = cnn_onnx_float_attribute(import, "beta", 0.5f);
    if (!(slope > 0))
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "its alpha is %g; only numbers above 0 are supported",
                             (double)slope);
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    x.gate.slope = slope;
    x.gate.offset = offset;
    return status ? status : define_gate(import, &x, CNN_ONNX_HARD_SIGMOID, 1);
}

static cnn_status read_erf(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    cnn_status status = cnn_onnx_raw_activation(import, 0, &x);
    if (status)
        return status;
    if (!is_multiple(&x) || !is_near(scale_of(&x), SQRT_HALF))
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                             "it is supported only as a part of GELU: x \xC3\x97 (1 + Erf(x / sqrt(2))) / 2");
    return define_gate(import, &x, CNN_ONNX_ERF, 1);
}

static cnn_status read_tanh(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    cnn_status status = cnn_onnx_gated_activation(import, 0, &x);
    if (!status && x.gate.kind == CNN_ONNX_CUBIC && offset_of(&x) == 0 && is_near(scale_of(&x), SQRT_2_OVER_PI))
        return define_gate(import, &x, CNN_ONNX_TANH, 1);
    return status ? status : cnn_onnx_read_as(import, &cnn_layer_tanh, NULL);
}

static cnn_status read_pow(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    const cnn_onnx_tensor *exponent = cnn_onnx_constant(import, 1);
    cnn_status status = cnn_onnx_raw_activation(import, 0, &x);
    if (status)
        return status;
    float power = !exponent || exponent->count != 1 ? 0
                  : exponent->floats                ? exponent->floats[0]
                                                    : (float)exponent->int64s[0];
    float scale = scale_of(&x);
    if (!is_multiple(&x) || (power != 2 && power != 3))
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "only squares and cubes, as parts of GELU, are supported");
    return power == 2 ? define_gate(import, &x, CNN_ONNX_SQUARE, scale * scale)
                      : define_gate(import, &x, CNN_ONNX_CUBE, scale * scale * scale);
}

/* From an attribute (opsets below 11), or an input. */
static cnn_status read_bound(const cnn_onnx_import *import, const char *name, size_t index, float *bound)
{
    const cnn_onnx_tensor *tensor;
    *bound = cnn_onnx_float_attribute(import, name, *bound);
    if (!cnn_onnx_input(import, index))
        return CNN_OK;
    cnn_status status = cnn_onnx_need_floats(import, index, "bound", &tensor);
    if (!status && tensor->count != 1)
        status = cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its bound is not one number");
    if (!status)
        *bound = tensor->floats[0];
    return status;
}

/* Whether the clipped value is `high` × a hard sigmoid that may be a part of hard swish. */
static bool is_hard_sigmoid(const cnn_onnx_activation *x, float low, float high)
{
    return x->gate.kind == CNN_ONNX_NO_GATE && x->affine.count == 1 && !x->padded && low == 0 && high > 0 &&
           is_of_hard_swish(scale_of(x) / high, offset_of(x) / high);
}

static cnn_status clip_to(cnn_onnx_import *import, float low, float high)
{
    if (low == 0 && high >= FLT_MAX)
        return cnn_onnx_read_as(import, &cnn_layer_relu, NULL);
    if (low == 0 && high == 6)
        return cnn_onnx_read_as(import, &cnn_layer_relu6, NULL);
    return cnn_onnx_read_as(import, &cnn_layer_clip, &(cnn_clip_attributes){ low, high });
}

static cnn_status read_clip(cnn_onnx_import *import)
{
    float low = -FLT_MAX, high = FLT_MAX;
    cnn_onnx_activation x;
    cnn_status status = read_bound(import, "min", 1, &low);
    if (!status)
        status = read_bound(import, "max", 2, &high);
    if (!status)
        status = cnn_onnx_gated_activation(import, 0, &x);
    if (status || !is_hard_sigmoid(&x, low, high))
        return status ? status : clip_to(import, low, high);
    x.gate.slope = scale_of(&x) / high;
    x.gate.offset = offset_of(&x) / high;
    return define_gate(import, &x, CNN_ONNX_HARD_SIGMOID, high);
}

static cnn_status read_hard_swish(cnn_onnx_import *import)
{
    return cnn_onnx_read_as(import, &cnn_layer_hard_swish, NULL);
}

static cnn_status read_softplus(cnn_onnx_import *import)
{
    return cnn_onnx_read_as(import, &cnn_layer_softplus, NULL);
}

static cnn_status read_gelu(cnn_onnx_import *import)
{
    bool by_tanh = cnn_onnx_text_is(import, "approximate", "tanh");
    if (!by_tanh && cnn_onnx_attribute(import, "approximate") && !cnn_onnx_text_is(import, "approximate", "none"))
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its attribute approximate is neither \"none\" nor \"tanh\"");
    return cnn_onnx_read_as(import, &cnn_layer_gelu,
                            &(cnn_gelu_attributes){ by_tanh ? CNN_GELU_TANH : CNN_GELU_EXACT });
}

static cnn_status read_swish(cnn_onnx_import *import)
{
    float alpha = cnn_onnx_float_attribute(import, "alpha", 1);
    if (alpha != 1)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "its alpha is %g; only 1 is supported", (double)alpha);
    return cnn_onnx_read_as(import, &cnn_layer_silu, NULL);
}

static cnn_status read_elu(cnn_onnx_import *import)
{
    const cnn_elu_attributes attributes = { .alpha = cnn_onnx_float_attribute(import, "alpha", 1) };
    if (attributes.alpha == 0)
        return cnn_onnx_read_as(import, &cnn_layer_relu, NULL);
    return cnn_onnx_read_as(import, &cnn_layer_elu, &attributes);
}

static cnn_status read_selu(cnn_onnx_import *import)
{
    float alpha = cnn_onnx_float_attribute(import, "alpha", CNN_SELU_ALPHA);
    float gamma = cnn_onnx_float_attribute(import, "gamma", CNN_SELU_SCALE);
    if (!is_near(alpha, CNN_SELU_ALPHA) || !is_near(gamma, CNN_SELU_SCALE))
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                             "its alpha is %g and its gamma %g; only the defaults are supported", (double)alpha,
                             (double)gamma);
    return cnn_onnx_read_as(import, &cnn_layer_selu, NULL);
}

const cnn_onnx_operator cnn_onnx_activation_operators[] = {
    { "Clip", read_clip },
    { "Elu", read_elu },
    { "Erf", read_erf },
    { "Gelu", read_gelu },
    { "HardSigmoid", read_hard_sigmoid },
    { "HardSwish", read_hard_swish },
    { "Pow", read_pow },
    { "Selu", read_selu },
    { "Sigmoid", read_sigmoid },
    { "Softplus", read_softplus },
    { "Swish", read_swish },
    { "Tanh", read_tanh },
    { NULL, NULL },
};
