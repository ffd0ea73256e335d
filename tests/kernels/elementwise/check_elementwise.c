#include <math.h>

#include "check.h"
#include "check_pair.h"
#include "kernels/elementwise/dropout.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/kernels.h"

static void check_operations(cnn_context *context, int64_t count)
{
    static const cnn_elementwise operations[] = { CNN_ELEMENTWISE_RELU, CNN_ELEMENTWISE_RELU6 };
    check_pair a = check_pair_draw(count, 1), b = check_pair_draw(count, 2);
    for (int i = 0; i < 2; i++) {
        check_pair forward = check_pair_draw(count, 3), backward = check_pair_draw(count, 4);
        cnn_elementwise_call floats = { operations[i], NULL, CNN_FLOAT32, (size_t)count }, bf16 = floats;
        bf16.type = CNN_BFLOAT16;
        cnn_elementwise_forward(context, &floats, a.wide, forward.wide);
        cnn_elementwise_forward(context, &bf16, a.bf16, forward.bf16);
        cnn_elementwise_backward(context, &floats, forward.wide, b.wide, backward.wide);
        cnn_elementwise_backward(context, &bf16, forward.bf16, b.bf16, backward.bf16);
        check_pair_compare("an activation", &forward);
        check_pair_compare("an activation's gradient", &backward);
    }
    check_pair sum = check_pair_draw(count, 5), copy = check_pair_draw(count, 6);
    cnn_elementwise_add(context, CNN_FLOAT32, a.wide, b.wide, sum.wide, (size_t)count);
    cnn_elementwise_add(context, CNN_BFLOAT16, a.bf16, b.bf16, sum.bf16, (size_t)count);
    check_pair_compare("a sum", &sum);
    cnn_elementwise_copy(context, CNN_FLOAT32, a.wide, copy.wide, (size_t)count);
    cnn_elementwise_copy(context, CNN_BFLOAT16, a.bf16, copy.bf16, (size_t)count);
    check_pair_compare("a copy", &copy);
    check_pair_release(&a);
    check_pair_release(&b);
}

static void check_dropout(cnn_context *context, int64_t count)
{
    const cnn_dropout_kernels *kernels = cnn_kernels_get(context)->dropout;
    check_pair a = check_pair_draw(count, 1), kept = check_pair_draw(count, 2);
    uint8_t *keep = check_allocate((size_t)count);
    uint32_t state = 3;
    for (int64_t i = 0; i < count; i++)
        keep[i] = (uint8_t)check_draw(&state, 2);
    kernels->mask(keep, a.wide, 1.25f, kept.wide, (size_t)count);
    kernels->mask_bf16(keep, a.bf16, 1.25f, kept.bf16, (size_t)count);
    check_pair_compare("dropout", &kept);
    check_release(keep);
    check_pair_release(&a);
}

static double clip(double x)
{
    return fmin(fmax(x, -2.5), 4);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double hard_sigmoid(double x)
{
    return fmin(fmax(0.25 * x + 0.375, 0), 1);
}

static double elu(double x)
{
    return 1.25 * (x < 0 ? 0.5 * expm1(x) : x);
}

static double silu(double x)
{
    return x * sigmoid(x);
}

static double hard_swish(double x)
{
    return x * fmin(fmax(x + 3, 0), 6) / 6;
}

static double gelu(double x)
{
    return x * erfc(-x * sqrt(0.5)) / 2;
}

static double gelu_tanh(double x)
{
    return x * sigmoid(2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x));
}

static double softplus(double x)
{
    return log1p(exp(x));
}

static const struct {
    cnn_elementwise operation;
    float constants[2];
    double (*function)(double x);
    float kinks[2]; /* where there is no slope */
    bool by_input;
} functions[] = {
    { CNN_ELEMENTWISE_CLIP, { -2.5f, 4 }, clip, { -2.5f, 4 }, false },
    { CNN_ELEMENTWISE_SIGMOID, { 0 }, sigmoid, { INFINITY, INFINITY }, false },
    { CNN_ELEMENTWISE_HARD_SIGMOID, { 0.25f, 0.375f }, hard_sigmoid, { -1.5f, 2.5f }, false },
    { CNN_ELEMENTWISE_TANH, { 0 }, tanh, { INFINITY, INFINITY }, false },
    { CNN_ELEMENTWISE_ELU, { 0.5f, 1.25f }, elu, { 0, INFINITY }, false },
    { CNN_ELEMENTWISE_SILU, { 0 }, silu, { INFINITY, INFINITY }, true },
    { CNN_ELEMENTWISE_HARD_SWISH, { 0 }, hard_swish, { -3, 3 }, true },
    { CNN_ELEMENTWISE_GELU, { 0 }, gelu, { INFINITY, INFINITY }, true },
    { CNN_ELEMENTWISE_GELU_TANH, { 0 }, gelu_tanh, { INFINITY, INFINITY }, true },
    { CNN_ELEMENTWISE_SOFTPLUS, { 0 }, softplus, { INFINITY, INFINITY }, true },
};

/* The slope, by a central difference in doubles; NaN beside a kink, where a float may lie on either side. */
static double slope_of(size_t which, double x)
{
    const double step = 1e-5;
    for (int k = 0; k < 2; k++)
        if (fabs(x - (double)functions[which].kinks[k]) < 1e-3)
            return NAN;
    return (functions[which].function(x + step) - functions[which].function(x - step)) / (2 * step);
}

static void check_function(cnn_context *context, size_t which, const check_pair *x, const check_pair *gradient)
{
    int64_t count = x->count;
    float *output = check_allocate((size_t)count * sizeof *output),
          *slope = check_allocate((size_t)count * sizeof *slope);
    float *exact = check_allocate((size_t)count * sizeof *exact),
          *exact_slope = check_allocate((size_t)count * sizeof *slope);
    cnn_elementwise_call call = { functions[which].operation, functions[which].constants, CNN_FLOAT32, (size_t)count };
    cnn_elementwise_forward(context, &call, x->wide, output);
    cnn_elementwise_backward(context, &call, functions[which].by_input ? x->wide : output, gradient->wide, slope);
    for (int64_t i = 0; i < count; i++) {
        double by_x = slope_of(which, (double)x->wide[i]);
        exact[i] = (float)functions[which].function((double)x->wide[i]);
        exact_slope[i] = isnan(by_x) ? slope[i] : (float)((double)gradient->wide[i] * by_x);
    }
    check_equal("a function's values", exact, output, count, 1e-6f);
    check_equal("a function's gradient", exact_slope, slope, count, 1e-5f);
    check_release(output);
    check_release(slope);
    check_release(exact);
    check_release(exact_slope);
}

static void check_functions(cnn_context *context, int64_t count)
{
    check_pair x = check_pair_draw(count, 7), gradient = check_pair_draw(count, 8);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        check_function(context, i, &x, &gradient);
    check_pair_release(&x);
    check_pair_release(&gradient);
}

void check_elementwise(const check_sets *sets)
{
    static const int64_t counts[] = { 1, 15, 16, 100, 16384 + 3, 70001 };
    for (int i = 0; i < sets->count; i++) {
        check_case("%s: functions of single values", sets->sets[i].name);
        for (int k = 0; k < 5; k++)
            check_functions(sets->sets[i].contexts[i % CHECK_THREADS], counts[k]);
        check_case("%s: elementwise, in bfloat16", sets->sets[i].name);
        for (int k = 0; k < 6; k++) {
            check_operations(sets->sets[i].contexts[i % CHECK_THREADS], counts[k]);
            check_dropout(sets->sets[i].contexts[i % CHECK_THREADS], counts[k]);
        }
    }
}
