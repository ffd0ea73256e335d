/* Operations that predict. */
#ifndef CNN_TESTS_RANDOM_OPERATIONS_PREDICT_H
#define CNN_TESTS_RANDOM_OPERATIONS_PREDICT_H

#include "trial.h"

bool operation_predict(case_trial *trial, int32_t argument);    /* as the oracle says */
bool operation_again(case_trial *trial, int32_t argument);      /* twice the same */
bool operation_threads(case_trial *trial, int32_t argument);    /* as one thread does */
bool operation_one_by_one(case_trial *trial, int32_t argument); /* as all images together */
bool operation_some(case_trial *trial, int32_t argument);       /* some of the images alone */

#endif
