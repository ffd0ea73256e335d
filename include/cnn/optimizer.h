/* Optimizers and learning-rate schedules. cnn_train uses them by its options. A training loop of your own uses them so:
 *
 *     cnn_status train_epoch(cnn_model *model, cnn_optimizer *optimizer, cnn_loader *loader, uint32_t epoch)
 *     {
 *         const cnn_tensor *logits;
 *         cnn_batch batch;
 *         cnn_batch_init(&batch);
 *         cnn_status status = cnn_loader_start(loader, epoch);
 *         for (uint64_t step = 0; !status; step++) {
 *             cnn_tensor *targets = NULL, *gradient = NULL;
 *             status = cnn_loader_next(loader, &batch);
 *             if (status || batch.count == 0)
 *                 break;
 *             const int64_t dims[] = { batch.count, 1 };
 *             status = cnn_tensor_create(NULL, CNN_FLOAT32, 2, dims, &targets);
 *             for (uint32_t i = 0; i < batch.count && !status; i++)
 *                 ((float *)cnn_tensor_data(targets))[i] = (float)batch.labels[i];
 *             if (!status)
 *                 status = cnn_tensor_create(NULL, CNN_FLOAT32, 2, dims, &gradient);
 *             if (!status)
 *                 status = cnn_model_forward(model, batch.images, epoch, step, &logits);
 *             if (!status)
 *                 status = cnn_loss_compute(CNN_LOSS_AUTO, 0, logits, targets, NULL, gradient);
 *             if (!status)
 *                 status = cnn_model_backward(model, gradient);
 *             if (!status)
 *                 status = cnn_optimizer_step(optimizer, 0.001f);
 *             cnn_tensor_destroy(gradient);
 *             cnn_tensor_destroy(targets);
 *         }
 *         return status;
 *     }
 */
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
 * "sgdw"; NULL for any other number, so that a loop from 0 to NULL finds all kinds. The text is static. Thread-safe. */
CNN_API const char *cnn_optimizer_kind_name(cnn_optimizer_kind kind);

typedef struct cnn_optimizer_options {
    uint32_t struct_size;
    cnn_optimizer_kind kind;
    float learning_rate; /* of cnn_train; 0 or more; −1, the default, is 0.01 for SGD and SGDW, 0.001 for the others */
    float momentum;      /* of SGD, SGDW and RMSprop; below 1; 0: none */
    uint32_t nesterov;   /* of SGD and SGDW; not 0: Nesterov's momentum, which needs a momentum above 0 */
    float beta1, beta2;  /* of Adam and AdamW; below 1; 0.9 and 0.999 */
    float alpha;         /* of RMSprop; below 1; 0.99 */
    float epsilon;       /* of Adam, AdamW and RMSprop; above 0; 1e-8 */
    float weight_decay;  /* of the parameters whose cnn_parameter.decay isn't 0; 0: none */
    float clip_norm; /* gradients are scaled so that the norm of all of them together is at most this; 0: they aren't */
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

/* Makes an optimizer for one model, which must outlive it. The caller owns it. `options` may be NULL. An optimizer may
 * be used from one thread at a time. Parameters that become trainable later aren't trained by it. Errors:
 * CNN_ERROR_ARGUMENT names the option that is out of range, or says that the model is quantised;
 * CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_optimizer_create(cnn_model *model, const cnn_optimizer_options *options,
                                        cnn_optimizer **optimizer);
CNN_API void cnn_optimizer_destroy(cnn_optimizer *optimizer);

/* Changes the model's trainable parameters by the gradients that cnn_model_backward left. `learning_rate` is that of
 * this step; the one of the options is ignored. After an error nothing is changed. Errors: CNN_ERROR_NOT_FINITE names
 * the parameter whose gradient isn't finite; CNN_ERROR_ARGUMENT if there are no gradients yet. */
CNN_API cnn_status cnn_optimizer_step(cnn_optimizer *optimizer, float learning_rate);

/* How the learning rate changes in a training. The factor begins at 1, and the optimizer's learning rate is multiplied
 * by it. */
typedef enum cnn_schedule_kind {
    CNN_SCHEDULE_CONSTANT = 0,
    CNN_SCHEDULE_STEP = 1,        /* every `step_epochs` epochs the factor is multiplied by gamma */
    CNN_SCHEDULE_EXPONENTIAL = 2, /* every epoch the factor is multiplied by gamma */
    CNN_SCHEDULE_COSINE = 3,      /* the factor falls along half a cosine wave to final_factor, at the end of the
                                     training: Loshchilov and Hutter 2016, arXiv:1608.03983 */
    CNN_SCHEDULE_ONE_CYCLE = 4, /* the factor rises along half a cosine wave from 1/25 to 1 during `warmup`, then falls
                                   as CNN_SCHEDULE_COSINE: Smith and Topin 2017, arXiv:1708.07120 */
    CNN_SCHEDULE_PLATEAU = 5,   /* each time the validation loss hasn't fallen for `patience` epochs the factor is
                                   multiplied by gamma */
    CNN_SCHEDULE_KIND_MAX_ENUM = 0x7fffffff
} cnn_schedule_kind;

/* Returns the name of a kind, as catdog, Python and a model's metadata write it: "constant", "step", "exponential",
 * "cosine", "one_cycle", "plateau"; NULL for any other number. The text is static. Thread-safe. */
CNN_API const char *cnn_schedule_kind_name(cnn_schedule_kind kind);

typedef struct cnn_schedule {
    uint32_t struct_size;
    cnn_schedule_kind kind;
    float warmup; /* the fraction of the training during which the factor rises from 1/25; below 1; 0: none; −1,
                     the default, is 0.3 for CNN_SCHEDULE_ONE_CYCLE, none for the others */
    float gamma; /* 0 or more; −1, the default, is 0.1 for CNN_SCHEDULE_STEP, 0.95 for _EXPONENTIAL, 0.5 for _PLATEAU */
    uint32_t step_epochs; /* of CNN_SCHEDULE_STEP; 0: a third of the epochs */
    uint32_t patience;    /* of CNN_SCHEDULE_PLATEAU: epochs, at least 1; 3 */
    float final_factor;   /* of CNN_SCHEDULE_COSINE and _ONE_CYCLE: 0 or more; 0.0001 */
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

/* Returns the factor at a moment of a training of `epochs` epochs; `progress` is the part of it that is done, from 0 to
 * 1. `schedule` NULL is a constant one. The factor of CNN_SCHEDULE_PLATEAU leaves out what follows from the validation
 * loss. Thread-safe. Returns NaN, and leaves a sentence in cnn_last_error(), if an option of the schedule is out of
 * range. */
CNN_API double cnn_schedule_factor(const cnn_schedule *schedule, double progress, uint32_t epochs);

CNN_END_DECLS

#endif
