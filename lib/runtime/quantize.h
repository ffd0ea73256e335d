/* Quantised models from within. */
#ifndef CNN_RUNTIME_QUANTIZE_H
#define CNN_RUNTIME_QUANTIZE_H

#include <cnn/quantize.h>

#include "runtime/model_internal.h"

/* A model that predicts the same, without dropout, its batch normalisation part of the convolutions before it. */
cnn_status cnn_model_fold(const cnn_model *model, cnn_model **folded);

/* What finds the ranges of values, and makes a quantised model. */
typedef struct cnn_calibration cnn_calibration;

cnn_status cnn_calibration_create(const cnn_model *model, cnn_calibration **calibration);
cnn_status cnn_calibration_observe(cnn_calibration *calibration, const cnn_tensor *images);
cnn_status cnn_calibration_finish(const cnn_calibration *calibration, cnn_model **quantized);
void cnn_calibration_destroy(cnn_calibration *calibration);

/* A copy of the model, but with weights in int8 where bytes can compute the layer. `value_scales` are those of each
 * node's value. */
cnn_status cnn_model_quantize_weights(const cnn_model *model, const float *value_scales, cnn_model **quantized);

#endif
