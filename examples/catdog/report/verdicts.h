/* What a model made of each photograph whose class is known, and the curves that follow from it. */
#ifndef CATDOG_REPORT_VERDICTS_H
#define CATDOG_REPORT_VERDICTS_H

#include <stddef.h>

#include <cnn/cnn.h>

#include "cli/progress.h"

enum { CLASS_NAME = 256 };

typedef struct verdict {
    uint64_t image; /* its index in the dataset */
    uint32_t label, decided;
    double confidence; /* in what was decided */
} verdict;

typedef struct verdicts {
    verdict *list;
    float *probabilities; /* `classes` for each */
    size_t count;
    uint32_t classes;
    char (*names)[CLASS_NAME]; /* of the classes, in sound UTF-8, cut where they are very long */
    cnn_metrics *metrics;
    cnn_metrics_result result;
} verdicts;

/* Predicts all of a dataset. `threshold` not above 0: the model's own. Not 0 with a sentence printed. */
int verdicts_collect(cnn_classifier *classifier, const cnn_dataset *dataset, double threshold, progress_line *progress,
                     verdicts *v);
void verdicts_release(verdicts *v);

/* How well the probability of a class tells its photographs from all others. With two classes only class 1 is asked
 * for: the other's curve is the same, mirrored. */
typedef struct score_curve {
    double *x, *y;
    size_t count;
    double area; /* below it; NaN if the class, or all others, have no photograph */
} score_curve;

/* False positive rate and true positive rate; recall and precision, whose area is the average precision. Not 0 with a
 * sentence printed. */
int verdicts_roc(const verdicts *v, uint32_t class_index, score_curve *curve);
int verdicts_precision_recall(const verdicts *v, uint32_t class_index, score_curve *curve);
void score_curve_release(score_curve *curve);

#endif
