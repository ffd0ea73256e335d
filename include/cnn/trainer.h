/* Training a model on a dataset, and measuring it, with all options. cnn_classifier_fit takes the same options.
 *
 *     #include <stdio.h>
 *
 *     #include <cnn/cnn.h>
 *
 *     static int print_epoch(const cnn_epoch *epoch, void *user)
 *     {
 *         (void)user;
 *         printf("epoch %u: validation accuracy %.3f\n", epoch->epoch, epoch->validation_accuracy);
 *         return 0; // anything else stops the training
 *     }
 *
 *     cnn_status train(cnn_model *model, const cnn_dataset *training, const cnn_dataset *validation)
 *     {
 *         cnn_optimizer_options optimizer;
 *         cnn_train_options options;
 *         cnn_optimizer_options_init(&optimizer);
 *         optimizer.kind = CNN_ADAMW;
 *         optimizer.weight_decay = 0.01f;
 *         cnn_train_options_init(&options);
 *         options.epochs = 30;
 *         options.optimizer = &optimizer;
 *         options.on_epoch = print_epoch;
 *         options.checkpoint = "training.checkpoint";
 *         options.resume = 1;
 *         return cnn_train(model, training, validation, &options, NULL);
 *     }
 *
 * The same seed gives the same bits whatever the number of threads. A training with a checkpoint that was killed at any
 * moment resumes, and ends in the same bits as if it hadn't been killed. */
#ifndef CNN_TRAINER_H
#define CNN_TRAINER_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/augment.h>
#include <cnn/context.h>
#include <cnn/dataset.h>
#include <cnn/export.h>
#include <cnn/metrics.h>
#include <cnn/model.h>
#include <cnn/optimizer.h>
#include <cnn/options.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

/* The figures of one epoch. Those of validation are NaN where there is no validation data. */
typedef struct cnn_epoch {
    uint32_t struct_size;
    uint32_t epoch;                              /* 1 is the first */
    double learning_rate;                        /* at the epoch's last step */
    double loss, accuracy;                       /* means over the epoch's training batches, as they were seen */
    double validation_loss, validation_accuracy; /* the loss is without label smoothing */
    double seconds;                              /* validation included */
    uint64_t images;                             /* trained on in this epoch */
} cnn_epoch;

CNN_INLINE void cnn_epoch_init(cnn_epoch *epoch)
{
    cnn_options_clear(epoch, sizeof *epoch);
}

/* Where a training is within an epoch. */
typedef struct cnn_progress {
    uint32_t struct_size;
    uint32_t epoch, epochs; /* 1 is the first */
    uint64_t step, steps;   /* of this epoch; batches */
    uint64_t images;        /* trained on in this epoch so far */
    uint32_t validating;    /* not 0: step and steps count validation batches */
    double loss, accuracy;  /* means of this epoch so far */
    double learning_rate;
    double seconds; /* since this epoch began */
} cnn_progress;

typedef struct cnn_train_hooks cnn_train_hooks; /* what is experimental, below */

typedef struct cnn_train_options {
    uint32_t struct_size;
    uint32_t epochs;     /* 10; with 0 nothing is trained */
    uint32_t batch_size; /* 32 */
    uint64_t seed;
    const cnn_optimizer_options *optimizer; /* NULL: Adam */
    const cnn_schedule *schedule;           /* NULL: constant */
    cnn_loss loss;
    float label_smoothing;
    cnn_precision precision;          /* what training computes in; validation and the final model are in floats */
    const cnn_augment *augment;       /* NULL: none */
    const cnn_preprocess *preprocess; /* NULL: cnn_preprocess_init; width and height are the model's */
    float ema_decay; /* weights averaged over the steps, new = decay × old + (1 − decay) × weight; used for validation
                        and the final model; 0: not. Below 1; at step t at most (1 + t) / (10 + t) */
    uint32_t early_stopping; /* stop after this many epochs without a better validation loss; 0: don't. Needs validation
                                data, as CNN_SCHEDULE_PLATEAU does */
    uint32_t keep_last;   /* not 0: end with the last epoch's weights; 0: with those of the best validation accuracy */
    uint32_t workers;     /* of the loader; 0: as many as the context has threads */
    uint64_t cache_bytes; /* see cnn_loader_options */
    const char *checkpoint; /* file written at the end of each epoch; NULL: none */
    uint32_t resume;     /* not 0: go on from that file if it exists; an error if it is of other options or data. It may
                            be of fewer epochs (a finished training then goes on) where no plan is for all of them: a
                            constant, exponential or plateau schedule, or steps of step_epochs; no warm-up; one size */
    const char *history; /* CSV file, a row an epoch, rewritten whole at each (a pipe: once, at the end); NULL: none */

    int (*on_step)(const cnn_progress *progress, void *user); /* return not 0 to stop; what was learned is kept */
    void *on_step_user;
    int (*on_epoch)(const cnn_epoch *epoch, void *user);
    void *on_epoch_user;

    /* Progressive image size: training begins with images of first_size × first_size and ends with last_size ×
     * last_size, which may differ from the model's own input size, the one of validation and of the final model: a net
     * that was trained on crops sees things larger than whole photographs show them (Touvron et al. 2019,
     * arXiv:1906.06423). 0: the model's own. Needs a square input, and a net for any size: see cnn_model_resize. */
    uint32_t first_size, last_size;

    /* Images blended in pairs, labels too (Zhang et al. 2017, arXiv:1710.09412), or with a rectangle of each in the
     * other (Yun et al. 2019, arXiv:1905.04899); shares are of Beta(mixup, mixup), of Beta(cutmix, cutmix). 0: not;
     * at most 1; both: each for half the pairs. An epoch's loss is then against the mixed labels. */
    float mixup, cutmix;

    const cnn_train_hooks *hooks; /* NULL: none */
} cnn_train_options;

CNN_INLINE void cnn_train_options_init(cnn_train_options *options)
{
    cnn_options_clear(options, sizeof *options);
    if (!options)
        return;
    options->epochs = 10;
    options->batch_size = 32;
}

/* The figures of a training: an entry for each whole epoch, from index 0. */
typedef struct cnn_history cnn_history;
CNN_API uint32_t cnn_history_count(const cnn_history *history);
CNN_API cnn_status cnn_history_get(const cnn_history *history, uint32_t index, cnn_epoch *epoch);
CNN_API uint32_t cnn_history_best(const cnn_history *history); /* the index of the epoch whose weights were kept */
CNN_API void cnn_history_destroy(cnn_history *history);

/* Trains a model. Its input is height × width × 3 and its output logits: one for two classes, else one for each class.
 * `validation` and `options` may be NULL. Verify datasets that may hold broken files first (cnn_dataset_verify): a file
 * that can't be decoded ends the training. `*history`, if `history` isn't NULL, receives the figures of the epochs,
 * also after an error; the caller owns it.
 *
 * At the end the model has the weights of the epoch with the best validation accuracy, or the last ones if there is no
 * validation data or `keep_last` is set. If a callback stops the training it ends in the same way, with CNN_OK; if that
 * is in the first epoch the model keeps what it has learned so far. Errors: CNN_ERROR_NOT_FINITE if the loss becomes
 * NaN or infinite, CNN_ERROR_STOPPED if cnn_context_cancel was called: the model has its best weights so far, too.
 * CNN_ERROR_DATA if the data doesn't fit the model; CNN_ERROR_ARGUMENT names the option at fault. */
CNN_API cnn_status cnn_train(cnn_model *model, const cnn_dataset *training, const cnn_dataset *validation,
                             const cnn_train_options *options, cnn_history **history);

/* The result for one image in an evaluation. */
typedef struct cnn_sample_result {
    uint32_t struct_size;
    uint64_t image; /* its index in the dataset */
    uint32_t label, predicted;
    const float *probabilities; /* of each class; valid during the call */
    double loss;
} cnn_sample_result;

typedef struct cnn_evaluate_options {
    uint32_t struct_size;
    uint32_t batch_size; /* 32 */
    uint32_t workers;
    float threshold;                  /* two classes: class 1 from this probability on; 0.5 */
    const cnn_preprocess *preprocess; /* as in cnn_train_options */
    cnn_progress_callback progress;
    void *progress_user;
    uint32_t flip;     /* not 0: the mean of the logits of each photograph and of its mirror image */
    float temperature; /* what logits are divided by: see cnn_calibrate; 1 */
    int (*on_image)(const cnn_sample_result *result, void *user); /* return not 0 to stop */
    void *on_image_user;
} cnn_evaluate_options;

CNN_INLINE void cnn_evaluate_options_init(cnn_evaluate_options *options)
{
    cnn_options_clear(options, sizeof *options);
    if (!options)
        return;
    options->batch_size = 32;
    options->threshold = 0.5f;
    options->temperature = 1;
}

#ifdef CNN_EXPERIMENTAL

/* A batch as a training is about to take it. What the tensors hold may be changed. */
typedef struct cnn_training_batch {
    uint32_t struct_size;
    uint32_t count;          /* of images */
    uint32_t epoch;          /* 1 is the first */
    uint32_t outputs;        /* of the model: logits */
    uint64_t step;           /* of the whole training; 0 is the first */
    cnn_tensor *images;      /* count × height × width × channels, CNN_FLOAT32 */
    cnn_tensor *targets;     /* count × outputs, CNN_FLOAT32: the probability of class 1, or of each class */
    const int32_t *labels;   /* count class indices, as the data has them */
    const uint64_t *indices; /* count indices into the dataset */
} cnn_training_batch;

/* What a training calls at each batch, on the thread that called it. A checkpoint knows nothing of hooks: a training
 * that is resumed must be given the same. */
typedef struct cnn_train_hooks {
    uint32_t struct_size;

    /* Called before the batch is trained on, after augmentation and mixing. Return not 0 to stop, as by on_step: the
     * batch isn't trained on. May be NULL. */
    int (*on_batch)(const cnn_training_batch *batch, void *user);
    void *on_batch_user;

    /* The loss to minimise, in the place of cnn_train_options.loss: sets `*value` to the batch's mean and all of
     * `gradient` to the derivative of that by each logit. The three tensors are count × outputs, CNN_FLOAT32. A status
     * other than CNN_OK ends the training with it. Validation, and what a model is best by, stays cross-entropy. May be
     * NULL. */
    cnn_status (*loss)(const cnn_tensor *logits, const cnn_tensor *targets, double *value, cnn_tensor *gradient,
                       void *user);
    void *loss_user;
} cnn_train_hooks;

CNN_INLINE void cnn_train_hooks_init(cnn_train_hooks *hooks)
{
    cnn_options_clear(hooks, sizeof *hooks);
}

#endif

/* Measures a model on a dataset of the classes that it knows. The caller owns `*metrics`. `options` may be NULL. */
CNN_API cnn_status cnn_evaluate(const cnn_model *model, const cnn_dataset *dataset, const cnn_evaluate_options *options,
                                cnn_metrics **metrics);

/* Finds the temperature: the number by which to divide a model's logits so that its probabilities are as right as can
 * be on a dataset that it wasn't trained on. Of photographs that get a class with a probability of 0.9, nine in ten
 * should then be of that class. The temperature doesn't change which class is the likeliest. With few photographs it
 * stays near 1. Guo et al. 2017, arXiv:1706.04599. The options are as in cnn_evaluate; their temperature is ignored. */
CNN_API cnn_status cnn_calibrate(const cnn_model *model, const cnn_dataset *dataset,
                                 const cnn_evaluate_options *options, float *temperature);

CNN_END_DECLS

#endif
