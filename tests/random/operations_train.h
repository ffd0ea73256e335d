/* Operations that train by hand: forward, backward, a step of an optimizer. */
#ifndef CNN_TESTS_RANDOM_OPERATIONS_TRAIN_H
#define CNN_TESTS_RANDOM_OPERATIONS_TRAIN_H

#include "trial.h"

/* On threads and on one the same bits; and gradients as plain C has them, in floats, with no layers fused and no memory
 * shared. */
bool operation_train(case_trial *trial, int32_t argument);
bool operation_train_bfloat16(case_trial *trial, int32_t argument);

#endif
