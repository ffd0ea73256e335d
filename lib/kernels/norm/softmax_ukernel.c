#include "kernels/norm/softmax.h"
#include "simd/autovectorize.h"

static void forward(const float *input, float *output, size_t columns)
{
    float largest = input[0];
    for (size_t i = 1; i < columns; i++)
        largest = input[i] > largest ? input[i] : largest;
    CNN_INDEPENDENT
    for (size_t i = 0; i < columns; i++)
        output[i] = cnn_exp(input[i] - largest);
    double sum = 0;
    for (size_t i = 0; i < columns; i++)
        sum += (double)output[i];
    float factor = (float)(1 / sum);
    for (size_t i = 0; i < columns; i++)
        output[i] *= factor;
}

static void backward(const float *output, const float *gradient, float *input_gradient, size_t columns)
{
    double sum = 0;
    for (size_t i = 0; i < columns; i++)
        sum += (double)output[i] * (double)gradient[i];
    float mean = (float)sum;
    CNN_INDEPENDENT
    for (size_t i = 0; i < columns; i++)
        input_gradient[i] = output[i] * (gradient[i] - mean);
}

const cnn_softmax_kernels CNN_FOR_ISA(cnn_softmax_kernels) = { .forward = forward, .backward = backward };
