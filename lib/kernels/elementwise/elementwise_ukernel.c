#include <math.h>

#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/functions.h"

/* NaN stays NaN in each, so that training notices. */

#define FORWARD(name, expression)                                                             \
    static void name(const float *input, float *output, size_t count, const float *constants) \
    {                                                                                         \
        (void)constants;                                                                      \
        CNN_INDEPENDENT                                                                       \
        for (size_t i = 0; i < count; i++) {                                                  \
            float x = input[i];                                                               \
            output[i] = expression;                                                           \
        }                                                                                     \
    }

/* `value` is y, the output, or x, the input. */
#define BACKWARD(name, value, expression)                                                             \
    static void name(const float *values, const float *gradient, float *input_gradient, size_t count, \
                     const float *constants)                                                          \
    {                                                                                                 \
        (void)constants;                                                                              \
        CNN_INDEPENDENT                                                                               \
        for (size_t i = 0; i < count; i++) {                                                          \
            float value = values[i], g = gradient[i];                                                 \
            input_gradient[i] = expression;                                                           \
        }                                                                                             \
    }

/* The same with two constants: the array could lie in the output, for all that the compiler knows. */
#define FORWARD_BY_TWO(name, first, second, expression)                                       \
    static void name(const float *input, float *output, size_t count, const float *constants) \
    {                                                                                         \
        float first = constants[0], second = constants[1];                                    \
        CNN_INDEPENDENT                                                                       \
        for (size_t i = 0; i < count; i++) {                                                  \
            float x = input[i];                                                               \
            output[i] = expression;                                                           \
        }                                                                                     \
    }

#define BACKWARD_BY_TWO(name, first, second, expression)                                              \
    static void name(const float *output, const float *gradient, float *input_gradient, size_t count, \
                     const float *constants)                                                          \
    {                                                                                                 \
        float first = constants[0], second = constants[1];                                            \
        CNN_INDEPENDENT                                                                               \
        for (size_t i = 0; i < count; i++) {                                                          \
            float y = output[i], g = gradient[i];                                                     \
            input_gradient[i] = expression;                                                           \
        }                                                                                             \
    }

FORWARD(relu_forward, x < 0 ? 0 : x)
BACKWARD(relu_backward, y, y > 0 ? g : 0)

FORWARD(relu6_forward, x < 0 ? 0 : (x > 6 ? 6 : x))
BACKWARD(relu6_backward, y, y > 0 && y < 6 ? g : 0)

FORWARD_BY_TWO(clip_forward, min, max, clamp(x, min, max))
BACKWARD_BY_TWO(clip_backward, min, max, y > min && y < max ? g : 0)

static void leaky_relu_forward(const float *input, float *output, size_t count, const float *constants)
{
    float slope = constants[0];
    CNN_INDEPENDENT
    for (size_t i = 0; i < count; i++)
        output[i] = input[i] < 0 ? input[i] * slope : input[i];
}

static void leaky_relu_backward(const float *output, const float *gradient, float *input_gradient, size_t count,
                                const float *constants)
{
    float slope = constants[0];
    CNN_INDEPENDENT
    for (size_t i = 0; i < count; i++)
        input_gradient[i] = output[i] > 0 ? gradient[i] : gradient[i] * slope;
}

FORWARD(sigmoid_forward, sigmoid(x))
BACKWARD(sigmoid_backward, y, g *y *(1.0f - y))

FORWARD_BY_TWO(hard_sigmoid_forward, slope, offset, clamp(x *slope + offset, 0, 1))
BACKWARD_BY_TWO(hard_sigmoid_backward, slope, offset, ((void)offset, y > 0 && y < 1 ? g * slope : 0))

FORWARD(tanh_forward, tanh_of(x))
BACKWARD(tanh_backward, y, g *(1.0f - y * y))

FORWARD_BY_TWO(elu_forward, alpha, scale, scale *(x < 0 ? alpha * cnn_expm1(x) : x))
BACKWARD_BY_TWO(elu_backward, alpha, scale, g *(y > 0 ? scale : y + scale * alpha))

FORWARD(silu_forward, silu(x))
BACKWARD(silu_backward, x, g *silu_slope(x))

FORWARD(hard_swish_forward, hard_swish(x))
BACKWARD(hard_swish_backward, x, g *hard_swish_slope(x))

FORWARD(gelu_forward, gelu(x))
BACKWARD(gelu_backward, x, g *gelu_slope(x))

FORWARD(gelu_tanh_forward, gelu_tanh(x))
BACKWARD(gelu_tanh_backward, x, g *gelu_tanh_slope(x))

FORWARD(softplus_forward, softplus(x))
BACKWARD(softplus_backward, x, g *sigmoid(x))

FORWARD_BY_TWO(rescale_forward, scale, offset, x *scale + offset)

static void rescale_backward(const float *output, const float *gradient, float *input_gradient, size_t count,
                             const float *constants)
{
    (void)output;
    float scale = constants[0];
    CNN_INDEPENDENT
    for (size_t i = 0; i < count; i++)
        input_gradient[i] = gradient[i] * scale;
}

static void add(const float *a, const float *b, float *sum, size_t count)
{
    CNN_INDEPENDENT
    for (size_t i = 0; i < count; i++)
        sum[i] = a[i] + b[i];
}

ALWAYS_INLINE void clamp_bf16(const uint16_t *input, uint16_t *output, size_t count, float max)
{
    for (size_t i = 0; i < count; i += VF_WIDTH) {
        size_t lanes = count - i < VF_WIDTH ? count - i : VF_WIDTH;
        vf value = vf_max(vf_zero(), vf_load_values(true, input, (ptrdiff_t)i, lanes)); /* NaN passes */
        vf_store_values(true, output, (ptrdiff_t)i, vf_min(vf_broadcast(max), value), lanes);
    }
}

ALWAYS_INLINE void mask_bf16(const uint16_t *output, const uint16_t *gradient, uint16_t *input_gradient, size_t count,
                             float max)
{
    for (size_t i = 0; i < count; i += VF_WIDTH) {
        size_t lanes = count - i < VF_WIDTH ? count - i : VF_WIDTH;
        vf value = vf_load_values(true, output, (ptrdiff_t)i, lanes);
        vf_mask within = vf_both(vf_greater(value, vf_zero()), vf_greater(vf_broadcast(max), value));
        vf_store_values(true, input_gradient, (ptrdiff_t)i,
                        vf_select(within, vf_load_values(true, gradient, (ptrdiff_t)i, lanes), vf_zero()), lanes);
    }
}

static void relu_bf16(const uint16_t *input, uint16_t *output, size_t count)
{
    clamp_bf16(input, output, count, INFINITY);
}

static void relu6_bf16(const uint16_t *input, uint16_t *output, size_t count)
{
    clamp_bf16(input, output, count, 6);
}

static void relu_backward_bf16(const uint16_t *output, const uint16_t *gradient, uint16_t *input_gradient, size_t count)
{
    mask_bf16(output, gradient, input_gradient, count, INFINITY);
}

static void relu6_backward_bf16(const uint16_t *output, const uint16_t *gradient, uint16_t *input_gradient,
                                size_t count)
{
    mask_bf16(output, gradient, input_gradient, count, 6);
}

static void add_bf16(const uint16_t *a, const uint16_t *b, uint16_t *sum, size_t count)
{
    for (size_t i = 0; i < count; i += VF_WIDTH) {
        size_t lanes = count - i < VF_WIDTH ? count - i : VF_WIDTH;
        vf_store_values(
            true, sum, (ptrdiff_t)i,
            vf_add(vf_load_values(true, a, (ptrdiff_t)i, lanes), vf_load_values(true, b, (ptrdiff_t)i, lanes)), lanes);
    }
}

/* Times 0, what isn't finite becomes NaN. */
ALWAYS_INLINE bool finite(bool bf16, const void *values, size_t count)
{
    vf sums[4] = { vf_zero(), vf_zero(), vf_zero(), vf_zero() };
    size_t i = 0;
    for (; i + 4 * VF_WIDTH <= count; i += 4 * VF_WIDTH)
        UNROLLED (v, 4)
            sums[v] = vf_fmadd(vf_load_values(bf16, values, (ptrdiff_t)(i + (size_t)v * VF_WIDTH), VF_WIDTH), vf_zero(),
                               sums[v]);
    for (; i < count; i += VF_WIDTH) {
        size_t lanes = count - i < VF_WIDTH ? count - i : VF_WIDTH;
        sums[0] = vf_fmadd(vf_load_values(bf16, values, (ptrdiff_t)i, lanes), vf_zero(), sums[0]);
    }
    return vf_sum(vf_add(vf_add(sums[0], sums[1]), vf_add(sums[2], sums[3]))) == 0;
}

static bool finite_floats(const void *values, size_t count)
{
    return finite(false, values, count);
}

static bool finite_bf16(const void *values, size_t count)
{
    return finite(true, values, count);
}

#define FORWARD_LOOP(NAME, loop) [CNN_ELEMENTWISE_##NAME] = loop##_forward,
#define BACKWARD_LOOP(NAME, loop) [CNN_ELEMENTWISE_##NAME] = loop##_backward,

const cnn_elementwise_kernels CNN_FOR_ISA(cnn_elementwise_kernels) = {
    .forward = { CNN_ELEMENTWISE_OPERATIONS(FORWARD_LOOP) },
    .backward = { CNN_ELEMENTWISE_OPERATIONS(BACKWARD_LOOP) },
    .add = add,
    .finite = { finite_floats, finite_bf16 },
    .forward_bf16 = { [CNN_ELEMENTWISE_RELU] = relu_bf16, [CNN_ELEMENTWISE_RELU6] = relu6_bf16 },
    .backward_bf16 = { [CNN_ELEMENTWISE_RELU] = relu_backward_bf16, [CNN_ELEMENTWISE_RELU6] = relu6_backward_bf16 },
    .add_bf16 = add_bf16,
};
