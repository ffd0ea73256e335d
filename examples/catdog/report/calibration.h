/* How far a model's confidence can be trusted. */
#ifndef CATDOG_REPORT_CALIBRATION_H
#define CATDOG_REPORT_CALIBRATION_H

#include "report/figure.h"
#include "report/predictions.h"

/* Accuracy by confidence; and the numbers of right and wrong predictions by confidence. The predictions must outlive
 * the figures. */
figure calibration_figure(const predictions *all);
figure confidence_figure(const predictions *all);

#endif
