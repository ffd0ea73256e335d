/* The values that parameters start with. Each stretch of a parameter has its own stream of random numbers, so that
 * threads can draw them in any order. */
#include <math.h>

#include "core/parallel.h"
#include "core/random.h"
#include "core/tensor_internal.h"
#include "runtime/model_internal.h"

enum { STRETCH = 1 << 14 };

typedef struct drawing {
    const cnn_layer_parameter *declared;
    uint64_t seed;
    uint32_t number; /* the parameter's */
    float *values;
    int64_t count;
} drawing;

static double spread(const cnn_layer_parameter *declared)
{
    double fan_in = declared->fan_in > 0 ? (double)declared->fan_in : 1;
    double fan_out = declared->fan_out > 0 ? (double)declared->fan_out : 1;
    switch (declared->initializer) {
    case CNN_INIT_HE_UNIFORM: return sqrt(6 / fan_in);
    case CNN_INIT_GLOROT_NORMAL: return sqrt(2 / (fan_in + fan_out));
    case CNN_INIT_GLOROT_UNIFORM: return sqrt(6 / (fan_in + fan_out));
    case CNN_INIT_ZEROS: return 0;
    case CNN_INIT_DEFAULT:
    case CNN_INIT_HE_NORMAL:
    case CNN_INITIALIZER_MAX_ENUM: break;
    }
    return sqrt(2 / fan_in);
}

static void draw_stretch(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const drawing *d = argument;
    int64_t first = (int64_t)task * STRETCH;
    int64_t last = first + STRETCH < d->count ? first + STRETCH : d->count;
    cnn_initializer initializer = d->declared->initializer;
    bool uniform = initializer == CNN_INIT_HE_UNIFORM || initializer == CNN_INIT_GLOROT_UNIFORM;
    float scale = (float)spread(d->declared);
    cnn_random random;
    cnn_random_init(&random, d->seed, CNN_RANDOM_WEIGHTS, d->number, task);
    for (int64_t i = first; i < last; i++)
        d->values[i] = uniform ? cnn_random_between(&random, -scale, scale) : scale * cnn_random_normal(&random);
}

static void fill(float *values, int64_t count, float value)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = value;
}

void cnn_model_initialize(cnn_model *model, uint64_t seed)
{
    for (int32_t i = 0; i < model->weights_count; i++) {
        cnn_weights *weights = &model->weights[i];
        drawing d = { weights->declared, seed, (uint32_t)i, weights->value->data, weights->value->count };
        if (d.declared->constant || d.declared->initializer == CNN_INIT_ZEROS)
            fill(d.values, d.count, d.declared->constant ? d.declared->value : 0);
        else
            cnn_parallel(model->context, (size_t)((d.count + STRETCH - 1) / STRETCH), draw_stretch, &d);
    }
    cnn_model_changed(model);
}
