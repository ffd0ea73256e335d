#include "train/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"

enum { BINS = 15 };

/* Images of about one confidence. */
typedef struct bin {
    uint64_t images, correct;
    double confidence; /* sum */
} bin;

struct cnn_metrics {
    cnn_context *context;
    uint32_t classes;
    uint32_t columns; /* scores kept for an image: of class 1 alone if there are two classes */
    uint64_t images, correct;
    double loss; /* sum */
    bin bins[BINS];
    uint64_t *confusion;
    uint32_t *labels;
    size_t label_capacity;
    float *scores;
    size_t score_capacity;
};

cnn_status cnn_metrics_create(cnn_context *context, uint32_t classes, cnn_metrics **metrics)
{
    if (!metrics)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_metrics_create: the result has no place: NULL was given");
    *metrics = NULL;
    if (classes < 2 || classes > CNN_MAX_METRIC_CLASSES)
        return cnn_fail(CNN_ERROR_ARGUMENT, "metrics are of 2 to %d classes, not of %u", CNN_MAX_METRIC_CLASSES,
                        classes);
    cnn_metrics *created = cnn_allocate_zeroed(context, 1, sizeof *created);
    if (!created)
        return CNN_ERROR_OUT_OF_MEMORY;
    created->context = context;
    created->classes = classes;
    created->columns = classes == 2 ? 1 : classes;
    created->confusion = cnn_allocate_zeroed(context, (size_t)classes * classes, sizeof *created->confusion);
    if (!created->confusion) {
        cnn_metrics_destroy(created);
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    *metrics = created;
    return CNN_OK;
}

void cnn_metrics_destroy(cnn_metrics *metrics)
{
    if (!metrics)
        return;
    cnn_release(metrics->context, metrics->confusion);
    cnn_release(metrics->context, metrics->labels);
    cnn_release(metrics->context, metrics->scores);
    cnn_release(metrics->context, metrics);
}

void cnn_metrics_reset(cnn_metrics *metrics)
{
    if (!metrics)
        return;
    metrics->images = 0;
    metrics->correct = 0;
    metrics->loss = 0;
    memset(metrics->bins, 0, sizeof metrics->bins);
    memset(metrics->confusion, 0, (size_t)metrics->classes * metrics->classes * sizeof *metrics->confusion);
}

static cnn_status check_probabilities(const float *probabilities, uint32_t classes)
{
    const double rounding = 0.001;
    double sum = 0;
    for (uint32_t k = 0; k < classes; k++) {
        double probability = (double)probabilities[k];
        if (!isfinite(probability))
            return cnn_fail(CNN_ERROR_NOT_FINITE, "the predicted probability of class %u is not finite", k);
        if (probability < -rounding || probability > 1 + rounding)
            return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_metrics_add: the probability of class %u is %g, not from 0 to 1",
                            k, probability);
        sum += probability;
    }
    if (fabs(sum - 1) > 10 * rounding)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_metrics_add: the probabilities' sum is %g, not 1", sum);
    return CNN_OK;
}

static cnn_status check_image(const cnn_metrics *metrics, uint32_t label, const float *probabilities,
                              uint32_t predicted, double loss)
{
    if (!metrics || !probabilities)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_metrics_add: no metrics or no probabilities were given");
    if (label >= metrics->classes || predicted >= metrics->classes)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_metrics_add: class %u is not below %u",
                        label >= metrics->classes ? label : predicted, metrics->classes);
    if (!isfinite(loss))
        return cnn_fail(CNN_ERROR_NOT_FINITE, "the loss of an image is not finite");
    return check_probabilities(probabilities, metrics->classes);
}

static void add_to_bin(cnn_metrics *metrics, double confidence, bool correct)
{
    double place = fmin(fmax(confidence, 0), 1) * BINS;
    bin *b = &metrics->bins[place < BINS ? (int)place : BINS - 1];
    b->images++;
    b->correct += correct;
    b->confidence += confidence;
}

cnn_status cnn_metrics_add(cnn_metrics *metrics, uint32_t label, const float *probabilities, uint32_t predicted,
                           double loss)
{
    cnn_status status = check_image(metrics, label, probabilities, predicted, loss);
    if (status)
        return status;
    size_t images = (size_t)metrics->images + 1, columns = metrics->columns, scores;
    if (!cnn_multiply(images, columns, &scores))
        return cnn_fail(CNN_ERROR_LIMIT, "metrics: there are too many images");
    if (!cnn_grow(metrics->context, (void **)&metrics->labels, &metrics->label_capacity, images, sizeof(uint32_t)) ||
        !cnn_grow(metrics->context, (void **)&metrics->scores, &metrics->score_capacity, scores, sizeof(float)))
        return CNN_ERROR_OUT_OF_MEMORY;
    metrics->labels[images - 1] = label;
    memcpy(metrics->scores + (images - 1) * columns, probabilities + (metrics->classes == 2), columns * sizeof(float));
    metrics->images++;
    metrics->correct += label == predicted;
    metrics->loss += loss;
    metrics->confusion[(size_t)label * metrics->classes + predicted]++;
    add_to_bin(metrics, (double)probabilities[predicted], label == predicted);
    return CNN_OK;
}

void cnn_metrics_means(const cnn_metrics *metrics, double *loss, double *accuracy)
{
    double images = (double)metrics->images;
    *loss = metrics->images ? metrics->loss / images : NAN;
    *accuracy = metrics->images ? (double)metrics->correct / images : NAN;
}

typedef struct scored {
    float score;
    bool positive;
} scored;

static int compare_scores(const void *a, const void *b)
{
    float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x > y) - (x < y);
}

/* The chance that a positive scores above a negative, ties counting half: Mann and Whitney 1947. Counts are doubled to
 * stay whole. */
static double area_of_sorted(const scored *list, size_t count)
{
    uint64_t positives = 0, negatives = 0, twice = 0;
    for (size_t start = 0, end = 0; start < count; start = end) {
        uint64_t tied_positives = 0, tied_negatives = 0;
        for (; end < count && list[end].score == list[start].score; end++)
            list[end].positive ? tied_positives++ : tied_negatives++;
        twice += tied_positives * (2 * negatives + tied_negatives);
        positives += tied_positives;
        negatives += tied_negatives;
    }
    return positives && negatives ? (double)twice / 2 / (double)positives / (double)negatives : NAN;
}

static double class_area(const cnn_metrics *metrics, scored *list, uint32_t class_index)
{
    uint32_t column = metrics->classes == 2 ? 0 : class_index;
    for (size_t i = 0; i < metrics->images; i++)
        list[i] = (scored){ metrics->scores[i * metrics->columns + column], metrics->labels[i] == class_index };
    qsort(list, (size_t)metrics->images, sizeof *list, compare_scores);
    return area_of_sorted(list, (size_t)metrics->images);
}

typedef struct class_counts {
    uint64_t right, labelled, predicted;
} class_counts;

static class_counts count_class(const cnn_metrics *metrics, uint32_t class_index)
{
    class_counts counts = { .right = cnn_metrics_confusion(metrics, class_index, class_index) };
    for (uint32_t k = 0; k < metrics->classes; k++) {
        counts.labelled += cnn_metrics_confusion(metrics, class_index, k);
        counts.predicted += cnn_metrics_confusion(metrics, k, class_index);
    }
    return counts;
}

static double calibration_error(const cnn_metrics *metrics)
{
    double sum = 0;
    for (int i = 0; i < BINS; i++)
        sum += fabs((double)metrics->bins[i].correct - metrics->bins[i].confidence);
    return metrics->images ? sum / (double)metrics->images : NAN;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static cnn_class_result measure_class(const cnn_metrics *metrics, uint32_t class_index)
{
    class_counts counts = count_class(metrics, class_index);
    return (cnn_class_result){
        .images = counts.labelled,
        .precision = ratio(counts.right, counts.predicted),
        .recall = ratio(counts.right, counts.labelled),
        .f1 = ratio(2 * counts.right, counts.labelled + counts.predicted),
    };
}

cnn_status cnn_metrics_compute_class(const cnn_metrics *metrics, uint32_t class_index, cnn_class_result *result)
{
    if (!metrics || class_index >= metrics->classes)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_metrics_compute_class: the metrics are NULL, or have no class %u",
                        class_index);
    cnn_class_result found = measure_class(metrics, class_index);
    return cnn_options_write(result, &found, sizeof found, "cnn_class_result");
}

cnn_status cnn_metrics_compute(const cnn_metrics *metrics, cnn_metrics_result *result)
{
    if (!metrics)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_metrics_compute: no metrics were given");
    cnn_metrics_result found = { .classes = metrics->classes, .images = metrics->images };
    cnn_metrics_means(metrics, &found.loss, &found.accuracy);
    found.calibration_error = calibration_error(metrics);
    scored *list = cnn_allocate_zeroed(metrics->context, (size_t)metrics->images, sizeof *list);
    if (!list)
        return CNN_ERROR_OUT_OF_MEMORY;
    uint32_t first = metrics->classes == 2; /* of two classes only class 1 counts */
    double shares = metrics->classes - first;
    for (uint32_t k = first; k < metrics->classes; k++) {
        cnn_class_result of_class = measure_class(metrics, k);
        found.precision += of_class.precision / shares;
        found.recall += of_class.recall / shares;
        found.f1 += of_class.f1 / shares;
        found.auc += class_area(metrics, list, k) / shares;
    }
    cnn_release(metrics->context, list);
    if (metrics->images == 0)
        found.precision = found.recall = found.f1 = NAN;
    return cnn_options_write(result, &found, sizeof found, "cnn_metrics_result");
}

uint64_t cnn_metrics_confusion(const cnn_metrics *metrics, uint32_t label, uint32_t predicted)
{
    if (!metrics || label >= metrics->classes || predicted >= metrics->classes)
        return 0;
    return metrics->confusion[(size_t)label * metrics->classes + predicted];
}
