/* What a family of optimizers computes, and the state of an optimizer that a checkpoint keeps. */
#ifndef CNN_OPTIM_OPTIMIZER_INTERNAL_H
#define CNN_OPTIM_OPTIMIZER_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/optimizer.h>

enum { CNN_MAX_OPTIMIZER_STATES = 2 };

/* One block of one parameter, to be changed by its gradient. */
typedef struct cnn_update {
    const cnn_optimizer_options *options; /* checked, defaults filled in */
    uint64_t step;                        /* 1 is the first */
    float learning_rate;
    float gradient_scale; /* from clipping; else 1 */
    float weight_decay;   /* 0 if it doesn't apply to this parameter */
    size_t count;
    float *value;
    const float *gradient;
    float *states[CNN_MAX_OPTIMIZER_STATES]; /* zeros before the first step */
} cnn_update;

typedef struct cnn_optimizer_family {
    const char *states[CNN_MAX_OPTIMIZER_STATES]; /* names of the arrays kept for each parameter */
    int32_t (*state_count)(const cnn_optimizer_options *options);
    void (*update)(const cnn_update *update);
} cnn_optimizer_family;

extern const cnn_optimizer_family cnn_optimizer_adam, cnn_optimizer_sgd, cnn_optimizer_rmsprop;

/* Reads what the caller gave (NULL: nothing), checks it, and puts the documented defaults in place of zeros. */
cnn_status cnn_optimizer_options_resolve(const cnn_optimizer_options *given, cnn_optimizer_options *options);

/* So for schedules; `given` NULL is the constant one. */
cnn_status cnn_schedule_resolve(const cnn_schedule *given, cnn_schedule *schedule);

/* The arrays that, with the number of steps done, are all of an optimizer's state. */
typedef struct cnn_optimizer_state {
    int32_t parameter; /* its index in the model */
    const char *name;  /* "mean", ... */
    float *data;       /* as many elements as the parameter has */
} cnn_optimizer_state;

size_t cnn_optimizer_state_count(const cnn_optimizer *optimizer);
cnn_optimizer_state cnn_optimizer_state_at(const cnn_optimizer *optimizer, size_t index);
uint64_t cnn_optimizer_steps(const cnn_optimizer *optimizer);
void cnn_optimizer_set_steps(cnn_optimizer *optimizer, uint64_t steps);

/* A running average that is too small to matter: left alone it would end as a denormal, and those are slow. */
static inline float cnn_flush_tiny(float x)
{
    return x < 1e-30f && x > -1e-30f ? 0 : x;
}

#endif
