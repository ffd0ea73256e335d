/* Adam (Kingma and Ba 2014, arXiv:1412.6980) and AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101). */
#include <math.h>

#include "optim/optimizer_internal.h"

typedef struct adam_constants {
    float gradient_scale;
    float decay;  /* Adam's: added to the gradient */
    float shrink; /* AdamW's: the weight is multiplied by it */
    float one_minus_beta1, beta2, one_minus_beta2;
    float step_size, square_scale, epsilon;
} adam_constants;

static adam_constants constants_of(const cnn_update *update)
{
    const cnn_optimizer_options *options = update->options;
    double beta1 = options->beta1, beta2 = options->beta2;
    double correction1 = 1 - pow(beta1, (double)update->step), correction2 = 1 - pow(beta2, (double)update->step);
    int apart = options->kind == CNN_ADAMW;
    return (adam_constants){
        .gradient_scale = update->gradient_scale,
        .decay = apart ? 0 : update->weight_decay,
        .shrink = apart ? (float)(1 - (double)update->learning_rate * update->weight_decay) : 1,
        .one_minus_beta1 = (float)(1 - beta1),
        .beta2 = (float)beta2,
        .one_minus_beta2 = (float)(1 - beta2),
        .step_size = (float)(update->learning_rate / correction1),
        .square_scale = (float)(1 / sqrt(correction2)),
        .epsilon = options->epsilon,
    };
}

static void update_block(adam_constants c, size_t count, float *restrict value, const float *restrict gradient,
                         float *restrict mean, float *restrict square)
{
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] * c.gradient_scale + c.decay * value[i];
        float m = cnn_flush_tiny(mean[i] + (g - mean[i]) * c.one_minus_beta1);
        float v = cnn_flush_tiny(square[i] * c.beta2 + c.one_minus_beta2 * g * g);
        mean[i] = m;
        square[i] = v;
        value[i] = value[i] * c.shrink - c.step_size * (m / (sqrtf(v) * c.square_scale + c.epsilon));
    }
}

static void update_adam(const cnn_update *update)
{
    update_block(constants_of(update), update->count, update->value, update->gradient, update->states[0],
                 update->states[1]);
}

static int32_t count_states(const cnn_optimizer_options *options)
{
    (void)options;
    return 2;
}

const cnn_optimizer_family cnn_optimizer_adam = {
    .states = { "mean", "square" },
    .state_count = count_states,
    .update = update_adam,
};
