/* Optimizers and learning-rate schedules. */
#ifndef CNN_OPTIMIZER_H
#define CNN_OPTIMIZER_H

#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/model.h>
#include <cnn/options.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

typedef struct cnn_optimizer cnn_optimizer;

typedef enum cnn_optimizer_kind {
    CNN_ADAM = 0,    /* Kingma and Ba 2014, arXiv:1412.6980; decay is added to the gradient */
    CNN_ADAMW = 1,   /* Loshchilov and Hutter 2017, arXiv:1711.05101; decay is apart from the gradient */
    CNN_SGD = 2,     /* with momentum, and Nesterov's if asked for, in PyTorch's form */
    CNN_RMSPROP = 3, /* Tieleman and Hinton 2012, in PyTorch's form */
    CNN_SGDW = 4,    /* SGD with decay apart from the gradient, as AdamW has it */
    CNN_OPTIMIZER_KIND_MAX_ENUM = 0x7fffffff
} cnn_optimizer_kind;

/* Returns the name of a kind, as catdog, Python and a model's metadata write it: "adam", "adamw", "sgd", "rmsprop",
 * "sgdw". NULL for a kind that this library doesn't know, so that a loop from 0 to NULL meets all of them. */
CNN_API const char *cnn_optimizer_kind_name(cnn_optimizer_kind kind);

typedef struct cnn_optimizer_options {
    uint32_t struct_size;
    cnn_optimizer_kind kind;
    float learning_rate; /* at least 0; −1, as it is at first: Adam, AdamW and RMSprop 0.001, SGD and SGDW 0.01 */
    float momentum;      /* SGD, SGDW and RMSprop; 0 is none */
    uint32_t nesterov;   /* SGD and SGDW */
    float beta1, beta2;  /* Adam; 0.9 and 0.999 */
    float alpha;         /* RMSprop; 0.99 */
    float epsilon;       /* above 0; 1e-8 */
    float weight_decay;  /* for parameters with `decay`; 0 is none */
    float clip_norm;     /* gradients scaled so that their common norm is at most this; 0: not */
} cnn_optimizer_options;

CNN_INLINE void cnn_optimizer_options_init(cnn_optimizer_options *options)
{
    cnn_options_clear(options, sizeof *options);
    if (!options)
        return;
    options->learning_rate = -1;
    options->beta1 = 0.9f;
    options->beta2 = 0.999f;
    options->alpha = 0.99f;
    options->epsilon = 1e-8f;
}

/* Makes an optimizer for one model, which must outlive it. `options` may be NULL. It is used by one thread at a time.
 * Errors: CNN_ERROR_ARGUMENT names the option that is out of range. */
CNN_API cnn_status cnn_optimizer_create(cnn_model *model, const cnn_optimizer_options *options,
                                        cnn_optimizer **optimizer);
CNN_API void cnn_optimizer_destroy(cnn_optimizer *optimizer);

/* Changes the model's trainable parameters by their gradients, at this learning rate. Errors: CNN_ERROR_NOT_FINITE if a
 * gradient isn't finite, and CNN_ERROR_ARGUMENT if there is none yet; nothing is changed then. */
CNN_API cnn_status cnn_optimizer_step(cnn_optimizer *optimizer, float learning_rate);

/* How the learning rate changes over a training, as a factor of the optimizer's. */
typedef enum cnn_schedule_kind {
    CNN_SCHEDULE_CONSTANT = 0,
    CNN_SCHEDULE_STEP = 1,        /* × gamma every step_epochs */
    CNN_SCHEDULE_EXPONENTIAL = 2, /* × gamma every epoch */
    CNN_SCHEDULE_COSINE = 3,      /* to final_factor at the end: Loshchilov and Hutter 2016, arXiv:1608.03983 */
    CNN_SCHEDULE_ONE_CYCLE = 4,   /* up by cosine from base / 25 over `warmup`, down to base × final_factor:
                                     Smith 2018, arXiv:1708.07120 */
    CNN_SCHEDULE_PLATEAU = 5,     /* × gamma when the validation loss hasn't improved for `patience` epochs */
    CNN_SCHEDULE_KIND_MAX_ENUM = 0x7fffffff
} cnn_schedule_kind;

/* Returns the name of a kind, as catdog, Python and a model's metadata write it: "constant", "step", "exponential",
 * "cosine", "one_cycle", "plateau". NULL for a kind that this library doesn't know. */
CNN_API const char *cnn_schedule_kind_name(cnn_schedule_kind kind);

typedef struct cnn_schedule {
    uint32_t struct_size;
    cnn_schedule_kind kind;
    float warmup; /* fraction of the training over which the rate rises from base / 25, below 1; −1, as it is at
                     first: ONE_CYCLE 0.3, the others 0 */
    float gamma;  /* at least 0; −1, as it is at first: STEP 0.1, EXPONENTIAL 0.95, PLATEAU 0.5 */
    uint32_t step_epochs; /* 0: a third of the epochs */
    uint32_t patience;    /* at least 1; 3 */
    float final_factor;   /* COSINE, ONE_CYCLE; 0.0001 */
} cnn_schedule;

CNN_INLINE void cnn_schedule_init(cnn_schedule *schedule)
{
    cnn_options_clear(schedule, sizeof *schedule);
    if (!schedule)
        return;
    schedule->warmup = -1;
    schedule->gamma = -1;
    schedule->patience = 3;
    schedule->final_factor = 0.0001f;
}

/* Returns the factor at `progress`, from 0 to 1 of a training of `epochs` epochs; NaN if an option of the schedule is
 * out of range. For CNN_SCHEDULE_PLATEAU it is that of the warm-up only: the rest follows from the validation loss. */
CNN_API double cnn_schedule_factor(const cnn_schedule *schedule, double progress, uint32_t epochs);

CNN_END_DECLS

#endif
