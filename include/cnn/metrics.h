/* Losses, and measures of how good a classifier is. */
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
    CNN_LOSS_AUTO = 0,                      /* binary for one output, categorical for more */
    CNN_LOSS_BINARY_CROSS_ENTROPY = 1,      /* of one logit: the probability of class 1 is sigmoid(logit) */
    CNN_LOSS_CATEGORICAL_CROSS_ENTROPY = 2, /* of K logits, by softmax */
    CNN_LOSS_MAX_ENUM = 0x7fffffff
} cnn_loss;

/* The mean loss of a batch. `logits` is N×1 or N×K, `targets` the same shape: the probability of class 1, or of each
 * class. With label smoothing s a target t becomes t × (1 − s) + s / 2 (binary) or + s / K. `gradient` (same shape, may
 * be NULL) receives the mean loss's derivative by each logit. `value` may be NULL. */
CNN_API cnn_status cnn_loss_compute(cnn_loss loss, float label_smoothing, const cnn_tensor *logits,
                                    const cnn_tensor *targets, double *value, cnn_tensor *gradient);

enum { CNN_MAX_METRIC_CLASSES = 1000 };

/* Collects predictions one by one, and computes from them how good they were. */
typedef struct cnn_metrics cnn_metrics;

CNN_API cnn_status cnn_metrics_create(cnn_context *context, uint32_t classes, cnn_metrics **metrics);
CNN_API void cnn_metrics_destroy(cnn_metrics *metrics);
CNN_API void cnn_metrics_reset(cnn_metrics *metrics);

/* Adds one image: its class, the probability of each class (`classes` values that sum to 1), its loss, and the class
 * that was predicted. Errors: CNN_ERROR_NOT_FINITE, or CNN_ERROR_ARGUMENT for a class that is none and for values that
 * are no probabilities; the metrics are then as they were. */
CNN_API cnn_status cnn_metrics_add(cnn_metrics *metrics, uint32_t label, const float *probabilities, uint32_t predicted,
                                   double loss);

typedef struct cnn_metrics_result {
    uint32_t struct_size;
    uint32_t classes;
    uint64_t images;
    double loss, accuracy;
    double precision, recall, f1; /* of class 1 if there are two classes; else the mean over the classes; 0 for a class
                                     that was never predicted or has no image, NaN if there are no images at all */
    double auc;                   /* area under the ROC curve (ties count half); more than two classes: mean, one class
                                     against the rest; NaN if a class has no image */
    double calibration_error; /* expected: how far confidence is from accuracy in the mean, images taken in 15 bins of
                                 confidence (Guo et al. 2017, arXiv:1706.04599); NaN if there are no images */
} cnn_metrics_result;

CNN_INLINE void cnn_metrics_result_init(cnn_metrics_result *result)
{
    cnn_options_clear(result, sizeof *result);
}

CNN_API cnn_status cnn_metrics_compute(const cnn_metrics *metrics, cnn_metrics_result *result);

/* How good the decisions for one class were. */
typedef struct cnn_class_result {
    uint32_t struct_size;
    uint64_t images;
    double precision, recall, f1; /* 0 for a class that was never predicted or has no image */
} cnn_class_result;

CNN_INLINE void cnn_class_result_init(cnn_class_result *result)
{
    cnn_options_clear(result, sizeof *result);
}

CNN_API cnn_status cnn_metrics_compute_class(const cnn_metrics *metrics, uint32_t class_index,
                                             cnn_class_result *result);

/* How many images of class `label` were predicted to be of class `predicted`. */
CNN_API uint64_t cnn_metrics_confusion(const cnn_metrics *metrics, uint32_t label, uint32_t predicted);

CNN_END_DECLS

#endif
