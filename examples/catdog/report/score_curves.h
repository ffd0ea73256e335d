/* ROC and precision-recall curves: how well the probability of a class separates its photographs from all others. */
#ifndef CATDOG_REPORT_SCORE_CURVES_H
#define CATDOG_REPORT_SCORE_CURVES_H

#include "report/figure.h"
#include "report/predictions.h"

typedef struct score_curve {
    double *x, *y;
    size_t count;
    double area; /* under the curve; NaN if the class, or every other class, has no photograph */
} score_curve;

/* The curves of one kind. Of two classes only class 1 has one, for the other's is its mirror image; of more, each class
 * against the rest, and those with the smallest areas if there are more than THEME_SERIES. */
typedef struct curve_set {
    const predictions *predictions;
    score_curve curves[THEME_SERIES];
    uint32_t classes[THEME_SERIES]; /* whose curves these are */
    uint32_t count;
    double area; /* the mean over all classes that have a curve; NaN if none has */
} curve_set;

/* True positive rate against false positive rate; precision against recall, whose area is the average precision. Not 0
 * with a sentence printed. The predictions must outlive the set. */
int curve_set_roc(const predictions *all, curve_set *set);
int curve_set_precision_recall(const predictions *all, curve_set *set);
void curve_set_release(curve_set *set);

/* The set must outlive the figure. */
figure curve_set_roc_figure(const curve_set *set);
figure curve_set_precision_recall_figure(const curve_set *set);

#endif
