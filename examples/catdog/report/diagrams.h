/* Diagrams of how good a classifier is. */
#ifndef CATDOG_REPORT_DIAGRAMS_H
#define CATDOG_REPORT_DIAGRAMS_H

#include "report/figure.h"
#include "report/verdicts.h"

figure diagram_confusion(const verdicts *v);
figure diagram_calibration(const verdicts *v);
figure diagram_confidence(const verdicts *v);

/* The curves of one kind: of class 1 of two; else of each class against the rest, at most so many: the worst. */
typedef struct curve_set {
    const verdicts *v;
    score_curve curves[THEME_SERIES];
    uint32_t classes[THEME_SERIES]; /* whose they are */
    uint32_t count;
    double area; /* the mean over all classes that have one; NaN if none has */
} curve_set;

/* Not 0 with a sentence printed. */
int curve_set_roc(const verdicts *v, curve_set *set);
int curve_set_precision_recall(const verdicts *v, curve_set *set);
void curve_set_release(curve_set *set);

figure diagram_roc(const curve_set *set);
figure diagram_precision_recall(const curve_set *set);

#endif
