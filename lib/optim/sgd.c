/* Stochastic gradient descent with momentum, in PyTorch's form (velocity = momentum × velocity + gradient; Sutskever
 * et al. 2013, "On the importance of initialization and momentum in deep learning", has the rate inside), and with
 * decay apart from the gradient (Loshchilov and Hutter 2017, arXiv:1711.05101). */
#include "optim/optimizer_internal.h"

typedef struct sgd_constants {
    float rate, gradient_scale, momentum;
    float decay;  /* SGD's: added to the gradient */
    float shrink; /* SGDW's: the weight is multiplied by it */
} sgd_constants;

static sgd_constants constants_of(const cnn_update *update)
{
    int apart = update->options->kind == CNN_SGDW;
    return (sgd_constants){
        .rate = update->learning_rate,
        .gradient_scale = update->gradient_scale,
        .momentum = update->options->momentum,
        .decay = apart ? 0 : update->weight_decay,
        .shrink = apart ? (float)(1 - (double)update->learning_rate * (double)update->weight_decay) : 1,
    };
}

static void update_plain(sgd_constants c, size_t count, float *restrict value, const float *restrict gradient)
{
    for (size_t i = 0; i < count; i++)
        value[i] = value[i] * c.shrink - c.rate * (gradient[i] * c.gradient_scale + c.decay * value[i]);
}

static void update_momentum(sgd_constants c, size_t count, float *restrict value, const float *restrict gradient,
                            float *restrict velocity)
{
    for (size_t i = 0; i < count; i++) {
        float v = cnn_flush_tiny(c.momentum * velocity[i] + (gradient[i] * c.gradient_scale + c.decay * value[i]));
        velocity[i] = v;
        value[i] = value[i] * c.shrink - c.rate * v;
    }
}

static void update_nesterov(sgd_constants c, size_t count, float *restrict value, const float *restrict gradient,
                            float *restrict velocity)
{
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] * c.gradient_scale + c.decay * value[i];
        float v = cnn_flush_tiny(c.momentum * velocity[i] + g);
        velocity[i] = v;
        value[i] = value[i] * c.shrink - c.rate * (g + c.momentum * v);
    }
}

static void update_sgd(const cnn_update *update)
{
    sgd_constants constants = constants_of(update);
    if (update->options->nesterov)
        update_nesterov(constants, update->count, update->value, update->gradient, update->states[0]);
    else if (update->options->momentum > 0)
        update_momentum(constants, update->count, update->value, update->gradient, update->states[0]);
    else
        update_plain(constants, update->count, update->value, update->gradient);
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
