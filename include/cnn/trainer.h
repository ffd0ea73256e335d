/* Training and evaluating a model on a dataset, with all options. cnn_classifier_fit takes the same options.
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
 * The same seed gives the same bits, whatever the number of threads. A training with a checkpoint may be killed at any
 * moment: resumed, it ends with the same bits as if it hadn't been. */
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

/* The figures of one epoch. */
typedef struct cnn_epoch {
    uint32_t struct_size;
    uint32_t epoch;                              /* 1 is the first */
    double learning_rate;                        /* of the epoch's last step */
    double loss, accuracy;                       /* means over the training images, each with the weights of its step */
    double validation_loss, validation_accuracy; /* NaN without validation data; the loss is without label smoothing */
    double seconds;                              /* of training and validation */
    uint64_t images;                             /* how many were trained on in this epoch */
} cnn_epoch;

CNN_INLINE void cnn_epoch_init(cnn_epoch *epoch)
{
    cnn_options_clear(epoch, sizeof *epoch);
}

/* How far a training is. */
typedef struct cnn_progress {
    uint32_t struct_size;
    uint32_t epoch, epochs; /* the current one, of which 1 is the first, and their number */
    uint64_t step, steps;   /* batches of this epoch: done, and in all */
    uint64_t images;        /* trained on in this epoch so far */
    uint32_t validating;    /* not 0: step and steps count batches of the validation data */
    double loss, accuracy;  /* means of this epoch so far or, if `validating` isn't 0, of the validation so far */
    double learning_rate;   /* of the last step */
    double seconds;         /* since this epoch began */
} cnn_progress;

/* The figures of a training, with an entry for each completed epoch. */
typedef struct cnn_history cnn_history;

typedef struct cnn_train_hooks cnn_train_hooks; /* experimental: see below */

typedef struct cnn_train_options {
    uint32_t struct_size;
    uint32_t epochs;                        /* with 0 nothing is trained; 10 */
    uint32_t batch_size;                    /* images in a step: 1 to 1,048,576; 32 */
    uint64_t seed;                          /* of the order of the images, augmentation, dropout and mixing */
    const cnn_optimizer_options *optimizer; /* NULL: Adam with its defaults */
    const cnn_schedule *schedule;           /* of the learning rate; NULL: constant */
    cnn_loss loss;
    float label_smoothing;            /* see cnn_loss_compute; below 1 */
    cnn_precision precision;          /* of training; validation and prediction always compute in float32 */
    const cnn_augment *augment;       /* NULL: none */
    const cnn_preprocess *preprocess; /* its width and height are 0 or the model's. NULL: the defaults */

    /* Not 0: validation and the final model use an average of the weights over the steps. At each step it becomes decay
     * × average + (1 − decay) × weight; the decay is ema_decay, but at most (1 + t) / (10 + t) at step t. Below 1. */
    float ema_decay;

    uint32_t early_stopping; /* stop after this many epochs without a lower validation loss, those of an `earlier`
                                training not counted; needs validation data. 0: don't stop */
    uint32_t keep_last;   /* not 0: the model ends with the weights of the last epoch; 0: with those of the epoch with
                             the best validation accuracy */
    uint32_t workers;     /* threads that prepare images; 0: as many as the context has */
    uint64_t cache_bytes; /* for decoded photographs: see cnn_loader_options */

    /* A file that holds the whole state of the training, and is replaced after each epoch; NULL: none. If `resume`
     * isn't 0, the training continues from this file, provided that it exists. It must be of the same data and options.
     *
     * Only `epochs` may be another number than in the file, to prolong a finished training. Then nothing in it may
     * depend on the number of epochs: no warm-up, one image size, and a schedule that is constant, exponential, on
     * plateau, or in steps with a step_epochs of your own. */
    const char *checkpoint;
    uint32_t resume;

    const char *history; /* a CSV file with a row for each epoch, replaced after each (a pipe gets all rows at the end);
                            NULL: none */

    /* Called after each step, and after each epoch, on the thread that called the function. Return not 0 to stop: what
     * was learned is kept. Both may be NULL. */
    int (*on_step)(const cnn_progress *progress, void *user);
    void *on_step_user;
    int (*on_epoch)(const cnn_epoch *epoch, void *user);
    void *on_epoch_user;

    /* Progressive image size: the images of the first epoch are first_size × first_size. They grow by steps of 16
     * pixels until three quarters of the epochs are done, and are last_size × last_size from then on. 0: the model's
     * own size. last_size may be smaller than that: a network sees things larger in the crops of its training than in
     * whole photographs (Touvron et al. 2019, arXiv:1906.06423). Validation and the final model have the model's own
     * size. The model's input must be square, and its network one that takes any size: see cnn_model_resize. */
    uint32_t first_size, last_size;

    /* Images and their labels are mixed in pairs. mixup (Zhang et al. 2017, arXiv:1710.09412) blends the two; CutMix
     * (Yun et al. 2019, arXiv:1905.04899) puts a rectangle of one into the other. How much of each is drawn from
     * Beta(mixup, mixup) or Beta(cutmix, cutmix). 0 to 1; 0: off. If both are on, each pair gets one of them, with
     * probability 1/2. The loss of an epoch is then that against the mixed labels. */
    float mixup, cutmix;

    const cnn_train_hooks *hooks; /* NULL: none */

    /* The training that left the model as it is, such as cnn_classifier_fit_head before cnn_classifier_fit. Its epochs
     * begin the history of this one, whose epochs are numbered on from there and come on top of them. If none is better
     * than the best one before, the model keeps the weights that it has. NULL: none. */
    const cnn_history *earlier;
} cnn_train_options;

CNN_INLINE void cnn_train_options_init(cnn_train_options *options)
{
    cnn_options_clear(options, sizeof *options);
    if (!options)
        return;
    options->epochs = 10;
    options->batch_size = 32;
}

/* Returns the number of entries. */
CNN_API uint32_t cnn_history_count(const cnn_history *history);

/* Gives the entry numbered `index`, from 0. `epoch` has been initialised. Errors: CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_history_get(const cnn_history *history, uint32_t index, cnn_epoch *epoch);

/* Returns the index of the epoch whose weights the model has. */
CNN_API uint32_t cnn_history_best(const cnn_history *history);
CNN_API void cnn_history_destroy(cnn_history *history);

/* Trains a model. Its input is height × width × 3. Its output is one logit for two classes, else one for each class; it
 * doesn't end in a sigmoid or softmax. `validation` and `options` may be NULL. A photograph that can't be decoded ends
 * the training with its error: call cnn_dataset_verify first. `*history` becomes the figures of the epochs, even after
 * an error. The caller owns it; `history` may be NULL. No other thread may use the model meanwhile.
 *
 * At the end the model has the weights of the epoch with the best validation accuracy; of equal ones, that with the
 * lowest validation loss. If there is no validation data, or `keep_last` is set, it has the weights of the last epoch.
 * If a callback stops the training, it ends in the same way, with CNN_OK. If that happens in the first epoch, the model
 * keeps what it has learned by then.
 *
 * Errors: CNN_ERROR_NOT_FINITE if the loss or a weight becomes NaN or infinite: lower the learning rate.
 * CNN_ERROR_STOPPED if cnn_context_cancel was called. In both cases the model has its best weights so far.
 * CNN_ERROR_DATA if the dataset's classes don't fit the model; CNN_ERROR_SHAPE if the model is no classifier;
 * CNN_ERROR_ARGUMENT names the option at fault; CNN_ERROR_FORMAT if the checkpoint is broken, CNN_ERROR_UNSUPPORTED if
 * another version of the library wrote it; CNN_ERROR_IO; CNN_ERROR_LIMIT; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_train(cnn_model *model, const cnn_dataset *training, const cnn_dataset *validation,
                             const cnn_train_options *options, cnn_history **history);

/* The result for one image in an evaluation. */
typedef struct cnn_sample_result {
    uint32_t struct_size;
    uint64_t image;             /* its index in the dataset */
    uint32_t label, predicted;  /* the true class and the predicted one */
    const float *probabilities; /* of each class; valid during the call */
    double loss;
} cnn_sample_result;

typedef struct cnn_evaluate_options {
    uint32_t struct_size;
    uint32_t batch_size;              /* images computed together; at least 1; 32 */
    uint32_t workers;                 /* threads that prepare images; 0: as many as the context has */
    float threshold;                  /* of two classes, class 1 is predicted from this probability on; 0 to 1; 0.5 */
    const cnn_preprocess *preprocess; /* its width and height are 0 or the model's. NULL: the defaults */
    cnn_progress_callback progress;   /* called after each batch, with images; may be NULL */
    void *progress_user;
    uint32_t flip;     /* not 0: the logits of each photograph and of its mirror image are averaged */
    float temperature; /* by which logits are divided: see cnn_calibrate; above 0; 1 */

    /* Called with the result for each image, in the dataset's order, on the thread that called the function. Return not
     * 0 to stop, with CNN_ERROR_STOPPED. May be NULL. */
    int (*on_image)(const cnn_sample_result *result, void *user);
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

/* A batch that a training is about to train on. A hook may change the values in the tensors. */
typedef struct cnn_training_batch {
    uint32_t struct_size;
    uint32_t count;          /* of images */
    uint32_t epoch;          /* 1 is the first */
    uint32_t outputs;        /* of the model: logits */
    uint64_t step;           /* of the whole training; 0 is the first */
    cnn_tensor *images;      /* count × height × width × channels, CNN_FLOAT32 */
    cnn_tensor *targets;     /* count × outputs, CNN_FLOAT32: the probability of class 1, or of each class */
    const int32_t *labels;   /* count class indices, those of the dataset */
    const uint64_t *indices; /* count indices into the dataset */
} cnn_training_batch;

/* Functions that a training calls for each batch, on the thread that called cnn_train. A checkpoint doesn't hold them:
 * give a resumed training the same ones. Training against the square of the error:
 *
 *     #define CNN_EXPERIMENTAL
 *     #include <cnn/cnn.h>
 *
 *     static cnn_status squared_error(const cnn_tensor *logits, const cnn_tensor *targets, double *value,
 *                                     cnn_tensor *gradient, void *user)
 *     {
 *         const float *z = (const float *)cnn_tensor_const_data(logits);
 *         const float *t = (const float *)cnn_tensor_const_data(targets);
 *         float *g = (float *)cnn_tensor_data(gradient);
 *         const int64_t count = cnn_tensor_count(logits), images = cnn_tensor_dim(logits, 0);
 *         (void)user;
 *         *value = 0;
 *         for (int64_t i = 0; i < count; i++) {
 *             *value += (double)(z[i] - t[i]) * (double)(z[i] - t[i]) / (double)images;
 *             g[i] = 2 * (z[i] - t[i]) / (float)images;
 *         }
 *         return CNN_OK;
 *     }
 *
 *     cnn_status train_on_squared_error(cnn_model *model, const cnn_dataset *photos)
 *     {
 *         cnn_train_hooks hooks;
 *         cnn_train_options options;
 *         cnn_train_hooks_init(&hooks);
 *         hooks.loss = squared_error;
 *         cnn_train_options_init(&options);
 *         options.hooks = &hooks;
 *         return cnn_train(model, photos, NULL, &options, NULL);
 *     }
 */
typedef struct cnn_train_hooks {
    uint32_t struct_size;

    /* Called after augmentation and mixing, before the batch is trained on. Return not 0 to stop, as by on_step; the
     * batch is then not trained on. May be NULL. */
    int (*on_batch)(const cnn_training_batch *batch, void *user);
    void *on_batch_user;

    /* The loss to minimise, in the place of cnn_train_options.loss: sets `*value` to the mean loss of the batch, and
     * `gradient` to its derivative by each logit. The three tensors are count × outputs, CNN_FLOAT32. If it returns
     * another status than CNN_OK, the training ends with that. Validation still measures cross-entropy. May be NULL. */
    cnn_status (*loss)(const cnn_tensor *logits, const cnn_tensor *targets, double *value, cnn_tensor *gradient,
                       void *user);
    void *loss_user;
} cnn_train_hooks;

CNN_INLINE void cnn_train_hooks_init(cnn_train_hooks *hooks)
{
    cnn_options_clear(hooks, sizeof *hooks);
}

#endif

/* Measures a model on a dataset whose classes have the order of the model's. The caller owns `*metrics`. `options` may
 * be NULL. A photograph that can't be decoded ends the evaluation with its error: call cnn_dataset_verify first.
 * Thread-safe. Errors: CNN_ERROR_SHAPE if the model is no classifier (see cnn_train); CNN_ERROR_DATA if the dataset's
 * classes don't fit it; CNN_ERROR_ARGUMENT; CNN_ERROR_NOT_FINITE; CNN_ERROR_STOPPED; those of cnn_image_decode. */
CNN_API cnn_status cnn_evaluate(const cnn_model *model, const cnn_dataset *dataset, const cnn_evaluate_options *options,
                                cnn_metrics **metrics);

/* Calibrates a model: finds the temperature by which to divide its logits, so that of photographs with a probability of
 * 0.9 for a class, say, nine in ten are of that class (Guo et al. 2017, arXiv:1706.04599). `*temperature` becomes the
 * one that minimises the cross-entropy on the dataset. Use one that the model wasn't trained on; if it has few
 * photographs, a prior keeps the temperature near 1. The temperature doesn't change which class is the likeliest.
 * `options` may be NULL; their temperature isn't used. All else is as in cnn_evaluate. */
CNN_API cnn_status cnn_calibrate(const cnn_model *model, const cnn_dataset *dataset,
                                 const cnn_evaluate_options *options, float *temperature);

CNN_END_DECLS

#endif
