/* The curves of a training. */
#ifndef CATDOG_REPORT_TRAINING_CURVES_H
#define CATDOG_REPORT_TRAINING_CURVES_H

#include "report/figure.h"
#include "report/history.h"

figure training_curves_of_loss(const history *h);
figure training_curves_of_accuracy(const history *h);

#endif
