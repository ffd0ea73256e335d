#include "train/temperature.h"

#include <math.h>
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "runtime/model_internal.h"
#include "train/evaluate.h"
#include "train/loss.h"

/* The derivative of one image's loss by β, the temperature's inverse. */
static double slope_of_image(const float *logits, uint32_t label, uint32_t outputs, double beta)
{
    double z = logits[0], largest = z, sum = 0, weighted = 0;
    if (outputs == 1)
        return z / (1 + exp(-beta * z)) - (label ? z : 0);
    for (uint32_t k = 1; k < outputs; k++)
        largest = fmax(largest, (double)logits[k]);
    for (uint32_t k = 0; k < outputs; k++) {
        double e = exp(beta * ((double)logits[k] - largest));
        sum += e;
        weighted += e * (double)logits[k];
    }
    return weighted / sum - (double)logits[label];
}

/* The derivative by log β of all losses, and of a prior by which log β is about 0, give or take a half. */
static double slope(const float *logits, const uint32_t *labels, size_t count, uint32_t outputs, double log_beta)
{
    const double deviation = 0.5;
    double beta = exp(log_beta), sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += slope_of_image(logits + i * outputs, labels[i], outputs, beta);
    return beta * sum + log_beta / (deviation * deviation);
}

float cnn_temperature_fit(const float *logits, const uint32_t *labels, size_t count, uint32_t outputs)
{
    double low = -3, high = 3; /* temperatures of 20 and 0.05 */
    for (int i = 0; i < 40; i++) {
        double middle = (low + high) / 2;
        if (slope(logits, labels, count, outputs, middle) < 0)
            low = middle;
        else
            high = middle;
    }
    return (float)exp(-(low + high) / 2);
}

typedef struct gathered {
    cnn_context *context;
    uint32_t outputs;
    float *logits;
    uint32_t *labels;
    size_t count;
} gathered;

static void gather(void *user, const float *logits, uint32_t label)
{
    gathered *g = user;
    memcpy(g->logits + g->count * g->outputs, logits, g->outputs * sizeof *logits);
    g->labels[g->count++] = label;
}

/* The caller releases it, after an error too. */
static cnn_status prepare(gathered *g, const cnn_model *model, uint64_t count)
{
    size_t bytes;
    *g = (gathered){ .context = model->context, .outputs = (uint32_t)cnn_model_output_shape(model).dims[0] };
    if (!cnn_multiply(count, g->outputs * sizeof(float), &bytes))
        return cnn_fail(CNN_ERROR_LIMIT, "cnn_calibrate: the dataset is too large");
    g->logits = cnn_allocate(g->context, bytes);
    g->labels = cnn_allocate_zeroed(g->context, (size_t)count, sizeof *g->labels);
    return g->logits && g->labels ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

static void finish(gathered *g, cnn_status status, float *temperature)
{
    if (!status)
        *temperature = cnn_temperature_fit(g->logits, g->labels, g->count, g->outputs);
    cnn_release(g->context, g->logits);
    cnn_release(g->context, g->labels);
}

cnn_status cnn_calibrate(const cnn_model *model, const cnn_dataset *dataset, const cnn_evaluate_options *options,
                         float *temperature)
{
    if (!model || !dataset || !temperature)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_calibrate: NULL was given");
    gathered g;
    cnn_metrics *metrics = NULL;
    const cnn_logits_sink sink = { gather, &g };
    cnn_status status = prepare(&g, model, cnn_dataset_count(dataset));
    if (!status)
        status = cnn_evaluate_with(model, dataset, options, &sink, &metrics);
    cnn_metrics_destroy(metrics);
    finish(&g, status, temperature);
    return status;
}

cnn_status cnn_calibrate_batches(const cnn_model *model, cnn_batches batches, uint64_t images, float *temperature)
{
    gathered g;
    cnn_status status = prepare(&g, model, images);
    cnn_evaluation evaluation = {
        .model = model, .batches = batches, .outputs = g.outputs, .threshold = 0.5f, .sink = { gather, &g }
    };
    if (!status)
        status = cnn_metrics_create(model->context, cnn_classes_of_outputs(g.outputs), &evaluation.metrics);
    if (!status)
        status = cnn_evaluation_run(&evaluation);
    cnn_tensor_destroy(evaluation.logits);
    cnn_metrics_destroy(evaluation.metrics);
    finish(&g, status, temperature);
    return status;
}
