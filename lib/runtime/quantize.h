/* Quantised models from within. */
#ifndef CNN_RUNTIME_QUANTIZE_H
#define CNN_RUNTIME_QUANTIZE_H

#include <cnn/quantize.h>

#include "compile/program.h"

/* A model that predicts the same, without dropout, its batch normalisation part of the convolutions before it. */
cnn_status cnn_model_fold(const cnn_model *model, cnn_model **folded);

/* Replaces the steps of a quantised model's prediction by those that compute with bytes where they can. */
cnn_status cnn_steps_quantize(const cnn_model *model, cnn_steps **steps);

/* What finds the ranges of values, and makes a quantised model. */
typedef struct cnn_calibration cnn_calibration;

cnn_status cnn_calibration_create(const cnn_model *model, cnn_calibration **calibration);
cnn_status cnn_calibration_observe(cnn_calibration *calibration, const cnn_tensor *images);
cnn_status cnn_calibration_finish(const cnn_calibration *calibration, cnn_model **quantized);
void cnn_calibration_destroy(cnn_calibration *calibration);

/* A copy of the model, but with weights in int8 where bytes can compute the layer. `value_scales` are those of each
 * node's value. */
cnn_status cnn_model_quantize_weights(const cnn_model *model, const float *value_scales, cnn_model **quantized);

/* Whether the model can be run: that nothing in a file of it contradicts the rest. */
cnn_status cnn_model_check_steps(const cnn_model *model);

#endif
