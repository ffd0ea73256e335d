/* RMSprop (Tieleman and Hinton 2012, "Neural networks for machine learning", lecture 6.5), in PyTorch's form. */
#include <math.h>

#include "optim/optimizer_internal.h"

static void update_plain(const cnn_update *update, size_t count, float *restrict value, const float *restrict gradient,
                         float *restrict square)
{
    float rate = update->learning_rate, scale = update->gradient_scale, decay = update->weight_decay;
    float alpha = update->options->alpha, rest = (float)(1 - (double)alpha), epsilon = update->options->epsilon;
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] * scale + decay * value[i];
        float v = cnn_flush_tiny(alpha * square[i] + rest * g * g);
        square[i] = v;
        value[i] -= rate * (g / (sqrtf(v) + epsilon));
    }
}

static void update_momentum(const cnn_update *update, size_t count, float *restrict value,
                            const float *restrict gradient, float *restrict square, float *restrict velocity)
{
    float rate = update->learning_rate, scale = update->gradient_scale, decay = update->weight_decay;
    float alpha = update->options->alpha, rest = (float)(1 - (double)alpha), epsilon = update->options->epsilon;
    float momentum = update->options->momentum;
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] * scale + decay * value[i];
        float v = cnn_flush_tiny(alpha * square[i] + rest * g * g);
        float u = cnn_flush_tiny(momentum * velocity[i] + g / (sqrtf(v) + epsilon));
        square[i] = v;
        velocity[i] = u;
        value[i] -= rate * u;
    }
}

static void update_rmsprop(const cnn_update *update)
{
    if (update->options->momentum > 0)
        update_momentum(update, update->count, update->value, update->gradient, update->states[0], update->states[1]);
    else
        update_plain(update, update->count, update->value, update->gradient, update->states[0]);
}

static int32_t count_states(const cnn_optimizer_options *options)
{
    return 1 + (options->momentum > 0);
}

const cnn_optimizer_family cnn_optimizer_rmsprop = {
    .states = { "square", "velocity" },
    .state_count = count_states,
    .update = update_rmsprop,
};
