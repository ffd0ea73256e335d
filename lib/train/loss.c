/* Cross-entropies of logits, and their gradients. */
#include "train/loss.h"

#include <math.h>

#include "core/error.h"
#include "core/tensor_internal.h"

cnn_status cnn_loss_resolve(cnn_loss loss, int64_t outputs, cnn_loss *resolved)
{
    *resolved = outputs == 1 ? CNN_LOSS_BINARY_CROSS_ENTROPY : CNN_LOSS_CATEGORICAL_CROSS_ENTROPY;
    if (loss == CNN_LOSS_AUTO || loss == *resolved)
        return CNN_OK;
    if (loss == CNN_LOSS_BINARY_CROSS_ENTROPY)
        return cnn_fail(CNN_ERROR_SHAPE, "binary cross-entropy is of one logit; there are %lld", (long long)outputs);
    if (loss == CNN_LOSS_CATEGORICAL_CROSS_ENTROPY)
        return cnn_fail(CNN_ERROR_SHAPE, "categorical cross-entropy is of two logits or more; there is one");
    return cnn_fail(CNN_ERROR_ARGUMENT, "there is no loss %d", (int)loss);
}

/* log(1 + exp(z)), which neither overflows nor loses small values. */
static double softplus(double z)
{
    return fmax(z, 0) + log1p(exp(-fabs(z)));
}

static double sigmoid(double z)
{
    double e = exp(-fabs(z));
    return (z >= 0 ? 1 : e) / (1 + e);
}

static double log_sum_exp(const float *logits, int64_t count)
{
    double largest = logits[0], sum = 0;
    for (int64_t k = 1; k < count; k++)
        largest = fmax(largest, (double)logits[k]);
    for (int64_t k = 0; k < count; k++)
        sum += exp((double)logits[k] - largest);
    return largest + log(sum);
}

static double binary_row(double z, double target, double weight, float *gradient)
{
    if (gradient)
        *gradient = (float)((sigmoid(z) - target) * weight);
    return softplus(z) - z * target;
}

static double categorical_row(const float *logits, const float *targets, int64_t count, double smoothing, double weight,
                              float *gradient)
{
    double whole = log_sum_exp(logits, count), share = smoothing / (double)count, loss = 0, total = 0;
    for (int64_t k = 0; k < count; k++) {
        double target = (double)targets[k] * (1 - smoothing) + share;
        total += target;
        loss += target * (whole - (double)logits[k]);
    }
    for (int64_t k = 0; k < count && gradient; k++) {
        double target = (double)targets[k] * (1 - smoothing) + share;
        gradient[k] = (float)((exp((double)logits[k] - whole) * total - target) * weight);
    }
    return loss;
}

static cnn_status check_tensors(const cnn_tensor *logits, const cnn_tensor *targets, const cnn_tensor *gradient)
{
    if (!logits || !targets)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_loss_compute: no logits or no targets were given");
    char shape[64], given[160];
    if (logits->dtype != CNN_FLOAT32 || logits->rank != 2 || logits->count == 0)
        return cnn_fail(CNN_ERROR_SHAPE, "cnn_loss_compute: logits must be CNN_FLOAT32, images × outputs; they are %s",
                        cnn_tensor_text(logits, given, sizeof given));
    if (!cnn_tensor_is(targets, CNN_FLOAT32, 2, logits->dims))
        return cnn_fail(
            CNN_ERROR_SHAPE, "cnn_loss_compute: the target must be CNN_FLOAT32 and shaped as the logits, %s; it is %s",
            cnn_dims_text(2, logits->dims, shape, sizeof shape), cnn_tensor_text(targets, given, sizeof given));
    if (gradient && !cnn_tensor_is(gradient, CNN_FLOAT32, 2, logits->dims))
        return cnn_fail(CNN_ERROR_SHAPE,
                        "cnn_loss_compute: the gradient must be CNN_FLOAT32 and shaped as the logits, %s; it is %s",
                        cnn_dims_text(2, logits->dims, shape, sizeof shape),
                        cnn_tensor_text(gradient, given, sizeof given));
    return CNN_OK;
}

cnn_status cnn_loss_compute(cnn_loss loss, float label_smoothing, const cnn_tensor *logits, const cnn_tensor *targets,
                            double *value, cnn_tensor *gradient)
{
    cnn_status status = check_tensors(logits, targets, gradient);
    if (!status)
        status = cnn_loss_resolve(loss, logits->dims[1], &loss);
    if (status)
        return status;
    if (!(label_smoothing >= 0 && label_smoothing < 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "label smoothing is %g; it must be at least 0 and below 1",
                        (double)label_smoothing);
    int64_t images = logits->dims[0], outputs = logits->dims[1];
    const float *z = logits->data, *t = targets->data;
    float *g = gradient ? gradient->data : NULL;
    double sum = 0, weight = 1 / (double)images, smoothing = label_smoothing;
    for (int64_t i = 0; i < images; i++) {
        int64_t row = i * outputs;
        float *row_gradient = g ? g + row : NULL;
        if (loss == CNN_LOSS_BINARY_CROSS_ENTROPY)
            sum += binary_row(z[row], (double)t[row] * (1 - smoothing) + smoothing / 2, weight, row_gradient);
        else
            sum += categorical_row(z + row, t + row, outputs, smoothing, weight, row_gradient);
    }
    if (value)
        *value = sum * weight;
    return CNN_OK;
}

void cnn_divide_logits(const float *logits, uint32_t outputs, float temperature, float *scaled)
{
    for (uint32_t k = 0; k < outputs; k++)
        scaled[k] = temperature > 0 ? logits[k] / temperature : logits[k];
}

void cnn_probabilities(const float *logits, uint32_t outputs, float *probabilities)
{
    if (outputs == 1) {
        probabilities[0] = (float)sigmoid(-(double)logits[0]);
        probabilities[1] = (float)sigmoid(logits[0]);
        return;
    }
    double whole = log_sum_exp(logits, outputs);
    for (uint32_t k = 0; k < outputs; k++)
        probabilities[k] = (float)exp((double)logits[k] - whole);
}

double cnn_label_loss(const float *logits, uint32_t outputs, uint32_t label)
{
    if (outputs == 1)
        return softplus(label ? -(double)logits[0] : (double)logits[0]);
    return log_sum_exp(logits, outputs) - (double)logits[label];
}

uint32_t cnn_decide(const float *logits, uint32_t outputs)
{
    if (outputs == 1)
        return logits[0] >= 0;
    if (outputs == 2)
        return logits[1] >= logits[0];
    uint32_t best = 0;
    for (uint32_t k = 1; k < outputs; k++)
        if (logits[k] > logits[best])
            best = k;
    return best;
}
