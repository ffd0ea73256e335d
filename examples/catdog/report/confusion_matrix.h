/* The confusion matrix: the number of photographs of each true class by predicted class. */
#ifndef CATDOG_REPORT_CONFUSION_MATRIX_H
#define CATDOG_REPORT_CONFUSION_MATRIX_H

#include "report/figure.h"
#include "report/predictions.h"

/* The predictions must outlive the figure. */
figure confusion_matrix_figure(const predictions *all);

#endif
