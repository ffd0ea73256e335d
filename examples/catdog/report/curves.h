/* The curves of a training. */
#ifndef CATDOG_REPORT_CURVES_H
#define CATDOG_REPORT_CURVES_H

#include "report/figure.h"
#include "report/history.h"

figure curves_of_loss(const history *h);
figure curves_of_accuracy(const history *h);

#endif
