/* Operations that predict. */
#ifndef CNN_TESTS_RANDOM_OPERATIONS_PREDICT_H
#define CNN_TESTS_RANDOM_OPERATIONS_PREDICT_H

#include "trial.h"

bool operation_predict(case_trial *trial, int32_t argument);    /* as the oracle says */
bool operation_again(case_trial *trial, int32_t argument);      /* twice the same */
bool operation_threads(case_trial *trial, int32_t argument);    /* as one thread does */
bool operation_one_by_one(case_trial *trial, int32_t argument); /* as all images together */
bool operation_some(case_trial *trial, int32_t argument);       /* some of the images alone */
bool operation_layers(case_trial *trial, int32_t argument);     /* values of layers by name */

/* Whether `output`, of all images, has at one of them what the trial's model must give. */
bool check_image(case_trial *trial, const char *what, const cnn_tensor *output, int64_t image);

/* Whether the model without its batch normalisation, which becomes part of convolutions, predicts as it does. */
bool check_folded(case_trial *trial);

#endif
