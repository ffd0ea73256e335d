#include <math.h>

#include "kernels/elementwise/elementwise.h"
#include "simd/autovectorize.h"

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

#define BACKWARD(name, expression)                                                                    \
    static void name(const float *output, const float *gradient, float *input_gradient, size_t count, \
                     const float *constants)                                                          \
    {                                                                                                 \
        (void)constants;                                                                              \
        CNN_INDEPENDENT                                                                               \
        for (size_t i = 0; i < count; i++) {                                                          \
            float y = output[i], g = gradient[i];                                                     \
            input_gradient[i] = expression;                                                           \
        }                                                                                             \
    }

FORWARD(relu_forward, x < 0 ? 0 : x)
BACKWARD(relu_backward, y > 0 ? g : 0)

FORWARD(relu6_forward, x < 0 ? 0 : (x > 6 ? 6 : x))
BACKWARD(relu6_backward, y > 0 && y < 6 ? g : 0)

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

FORWARD(sigmoid_forward, 1.0f / (1.0f + cnn_exp(-x)))
BACKWARD(sigmoid_backward, g *y *(1.0f - y))

/* After Cephes' tanhf: a polynomial near 0, where 1 - 2 / (e^2x + 1) would cancel. */
static inline float tanh_of(float x)
{
    float size = x < 0 ? -x : x, z = x * x;
    float p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    float near = p * z * x + x;
    float far = 1.0f - 2.0f / (cnn_exp(2.0f * size) + 1.0f);
    return size < 0.625f ? near : (x < 0 ? -far : far);
}

FORWARD(tanh_forward, tanh_of(x))
BACKWARD(tanh_backward, g *(1.0f - y * y))

static void rescale_forward(const float *input, float *output, size_t count, const float *constants)
{
    float scale = constants[0], offset = constants[1];
    CNN_INDEPENDENT
    for (size_t i = 0; i < count; i++)
        output[i] = input[i] * scale + offset;
}

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
