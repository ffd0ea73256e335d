/* Evaluation from within: one pass of a model over batches. */
#ifndef CNN_TRAIN_EVALUATE_H
#define CNN_TRAIN_EVALUATE_H

#include <stdbool.h>

#include <cnn/trainer.h>

#include "train/batches.h"

/* Told each image's logits, as the model gives them. */
typedef struct cnn_logits_sink {
    void (*take)(void *user, const float *logits, uint32_t label); /* NULL: nobody */
    void *user;
} cnn_logits_sink;

typedef struct cnn_evaluation {
    const cnn_model *model;
    cnn_batches batches;
    uint32_t outputs;
    float threshold;    /* two classes: class 1 from this probability on */
    bool flip;          /* mirror images count, too */
    float temperature;  /* of the probabilities; 0: 1 */
    cnn_tensor *logits; /* kept from pass to pass; destroyed by the owner */
    cnn_metrics *metrics;
    cnn_logits_sink sink;
    int (*image)(const cnn_sample_result *result, void *user); /* after each image; not 0 ends with CNN_ERROR_STOPPED */
    void *image_user;
    int (*step)(void *user, uint64_t batches); /* after each batch; not 0 ends with CNN_ERROR_STOPPED */
    void *user;
} cnn_evaluation;

/* Adds all of the batches' images to the metrics. */
cnn_status cnn_evaluation_run(cnn_evaluation *evaluation);

/* cnn_evaluate, with a sink that may be NULL. */
cnn_status cnn_evaluate_with(const cnn_model *model, const cnn_dataset *dataset, const cnn_evaluate_options *options,
                             const cnn_logits_sink *sink, cnn_metrics **metrics);

/* Makes `*tensor` one of rows × columns floats, if it isn't. */
cnn_status cnn_fit_tensor(cnn_context *context, int64_t rows, int64_t columns, cnn_tensor **tensor);

#endif
