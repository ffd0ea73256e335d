/* Losses, and measures of how good a classifier is.
 *
 * cnn_evaluate and cnn_classifier_evaluate give the metrics of a dataset. A program that has predictions of its own
 * collects them one by one:
 *
 *     #include <stdio.h>
 *
 *     #include <cnn/cnn.h>
 *
 *     int main(void)
 *     {
 *         const uint32_t labels[] = { 0, 1, 1 };
 *         const float probabilities[][2] = { { 0.9f, 0.1f }, { 0.2f, 0.8f }, { 0.6f, 0.4f } };
 *         cnn_metrics *metrics;
 *         cnn_metrics_result result;
 *         cnn_metrics_result_init(&result);
 *         cnn_status status = cnn_metrics_create(NULL, 2, &metrics);
 *         for (int i = 0; i < 3 && !status; i++) {
 *             uint32_t predicted;
 *             cnn_top_classes(probabilities[i], 2, &predicted, 1);
 *             status = cnn_metrics_add(metrics, labels[i], probabilities[i], predicted, 0);
 *         }
 *         if (!status)
 *             status = cnn_metrics_compute(metrics, &result);
 *         if (status)
 *             fprintf(stderr, "%s\n", cnn_last_error());
 *         else
 *             printf("accuracy %.3f, AUC %.3f\n", result.accuracy, result.auc);
 *         cnn_metrics_destroy(metrics);
 *         return status;
 *     }
 *
 * Metrics may be read from several threads at once, as long as no thread adds to them, resets or destroys them. */
#ifndef CNN_METRICS_H
#define CNN_METRICS_H

#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/options.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

CNN_BEGIN_DECLS

typedef enum cnn_loss {
    CNN_LOSS_AUTO = 0,                 /* binary for one logit, categorical for more */
    CNN_LOSS_BINARY_CROSS_ENTROPY = 1, /* for one logit: class 1 has the probability 1 / (1 + e^−logit) */
    CNN_LOSS_CATEGORICAL_CROSS_ENTROPY =
        2, /* for two logits or more: the classes have the probabilities softmax(logits) */
    CNN_LOSS_MAX_ENUM = 0x7fffffff
} cnn_loss;

/* Computes the mean loss of a batch of N images, and its gradient. All tensors are CNN_FLOAT32 and of one shape: N × 1,
 * or N × classes. `targets` hold the probability of class 1, or of each class. With a label smoothing s (0 or more,
 * below 1; Szegedy et al. 2015, arXiv:1512.00567) a target t becomes t × (1 − s) + s / K; K is the number of classes.
 * `*value` becomes the mean loss; `gradient`, its derivative by each logit. Either may be NULL. Thread-safe. Errors:
 * CNN_ERROR_SHAPE; CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_loss_compute(cnn_loss loss, float label_smoothing, const cnn_tensor *logits,
                                    const cnn_tensor *targets, double *value, cnn_tensor *gradient);

/* The most classes that metrics, and so classifiers, may have. */
enum { CNN_MAX_METRIC_CLASSES = 1000 };

/* Collects predictions one by one, and computes from them how good a classifier is. */
typedef struct cnn_metrics cnn_metrics;

/* Makes metrics for 2 to CNN_MAX_METRIC_CLASSES classes, without images yet. The caller owns them. Errors:
 * CNN_ERROR_ARGUMENT; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_metrics_create(cnn_context *context, uint32_t classes, cnn_metrics **metrics);
CNN_API void cnn_metrics_destroy(cnn_metrics *metrics);

/* Forgets all images. */
CNN_API void cnn_metrics_reset(cnn_metrics *metrics);

/* Adds the prediction for one image. `label` is the image's true class, `predicted` the predicted one. `probabilities`
 * has a number for each class; their sum is 1, to within 0.01. `loss` is the image's, and 0 if it doesn't matter. After
 * an error the metrics are as they were. Errors: CNN_ERROR_NOT_FINITE; CNN_ERROR_ARGUMENT for a class that doesn't
 * exist, and for numbers that are no probabilities; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_metrics_add(cnn_metrics *metrics, uint32_t label, const float *probabilities, uint32_t predicted,
                                   double loss);

/* How good the predictions were. Without any images all measures are NaN. */
typedef struct cnn_metrics_result {
    uint32_t struct_size;
    uint32_t classes;
    uint64_t images;
    double loss;     /* the mean */
    double accuracy; /* the fraction of the images whose predicted class is the true one */

    /* Of two classes, those of class 1; of more, the means over the classes. See cnn_class_result. */
    double precision, recall, f1;

    /* The area under the ROC curve: the probability that an image of class 1 has a higher probability of class 1 than
     * an image of class 0; equal ones count half. Of more than two classes, the mean over the classes, each against all
     * others. NaN if a class has no image. */
    double auc;

    /* The expected calibration error (Guo et al. 2017, arXiv:1706.04599): images are put into 15 bins by their
     * confidence, and the difference between a bin's accuracy and its mean confidence is averaged over the images. */
    double calibration_error;
} cnn_metrics_result;

CNN_INLINE void cnn_metrics_result_init(cnn_metrics_result *result)
{
    cnn_options_clear(result, sizeof *result);
}

/* Computes the measures of all images. `result` has been initialised. Errors: CNN_ERROR_ARGUMENT;
 * CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_metrics_compute(const cnn_metrics *metrics, cnn_metrics_result *result);

/* How good the predictions were for one class. */
typedef struct cnn_class_result {
    uint32_t struct_size;
    uint64_t images;  /* whose true class it is */
    double precision; /* the fraction of the images predicted as this class that are of it; 0 if there are none */
    double recall;    /* the fraction of the images of this class that were predicted as it; 0 if there are none */
    double f1;        /* the harmonic mean of both; 0 if either is 0 */
} cnn_class_result;

CNN_INLINE void cnn_class_result_init(cnn_class_result *result)
{
    cnn_options_clear(result, sizeof *result);
}

/* Computes the measures of one class. `result` has been initialised. Errors: CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_metrics_compute_class(const cnn_metrics *metrics, uint32_t class_index,
                                             cnn_class_result *result);

/* Returns how many images of class `label` were predicted as class `predicted`: an entry of the confusion matrix. */
CNN_API uint64_t cnn_metrics_confusion(const cnn_metrics *metrics, uint32_t label, uint32_t predicted);

CNN_END_DECLS

#endif
