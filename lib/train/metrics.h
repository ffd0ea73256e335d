/* What the training loop needs of metrics beyond the public functions. */
#ifndef CNN_TRAIN_METRICS_H
#define CNN_TRAIN_METRICS_H

#include <cnn/metrics.h>

/* The mean loss and accuracy so far, without the sorting that cnn_metrics_compute does; NaN if there are no images. */
void cnn_metrics_means(const cnn_metrics *metrics, double *loss, double *accuracy);

#endif
