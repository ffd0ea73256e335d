/* Stochastic gradient descent with momentum, in PyTorch's form (velocity = momentum × velocity + gradient; Sutskever
 * et al. 2013, "On the importance of initialization and momentum in deep learning", has the rate inside). */
#include "optim/optimizer_internal.h"

static void update_plain(const cnn_update *update, size_t count, float *restrict value, const float *restrict gradient)
{
    float rate = update->learning_rate, scale = update->gradient_scale, decay = update->weight_decay;
    for (size_t i = 0; i < count; i++)
        value[i] -= rate * (gradient[i] * scale + decay * value[i]);
}

static void update_momentum(const cnn_update *update, size_t count, float *restrict value,
                            const float *restrict gradient, float *restrict velocity)
{
    float rate = update->learning_rate, scale = update->gradient_scale, decay = update->weight_decay;
    float momentum = update->options->momentum;
    for (size_t i = 0; i < count; i++) {
        float v = cnn_flush_tiny(momentum * velocity[i] + (gradient[i] * scale + decay * value[i]));
        velocity[i] = v;
        value[i] -= rate * v;
    }
}

static void update_nesterov(const cnn_update *update, size_t count, float *restrict value,
                            const float *restrict gradient, float *restrict velocity)
{
    float rate = update->learning_rate, scale = update->gradient_scale, decay = update->weight_decay;
    float momentum = update->options->momentum;
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] * scale + decay * value[i];
        float v = cnn_flush_tiny(momentum * velocity[i] + g);
        velocity[i] = v;
        value[i] -= rate * (g + momentum * v);
    }
}

static void update_sgd(const cnn_update *update)
{
    if (update->options->nesterov)
        update_nesterov(update, update->count, update->value, update->gradient, update->states[0]);
    else if (update->options->momentum > 0)
        update_momentum(update, update->count, update->value, update->gradient, update->states[0]);
    else
        update_plain(update, update->count, update->value, update->gradient);
}

static int32_t count_states(const cnn_optimizer_options *options)
{
    return options->momentum > 0;
}

const cnn_optimizer_family cnn_optimizer_sgd = {
    .states = { "velocity" },
    .state_count = count_states,
    .update = update_sgd,
};
