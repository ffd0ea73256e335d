/* Temperature scaling: Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks",
 * arXiv:1706.04599. */
#ifndef CNN_TRAIN_TEMPERATURE_H
#define CNN_TRAIN_TEMPERATURE_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/model.h>
#include <cnn/status.h>

#include "train/batches.h"

/* The temperature that makes the loss of `count` images least: `logits` holds `outputs` for each. A few images hardly
 * move it from 1: it is as if it were known beforehand to be near. */
float cnn_temperature_fit(const float *logits, const uint32_t *labels, size_t count, uint32_t outputs);

/* cnn_calibrate for images that come in batches, `images` of them. */
cnn_status cnn_calibrate_batches(const cnn_model *model, cnn_batches batches, uint64_t images, float *temperature);

#endif
