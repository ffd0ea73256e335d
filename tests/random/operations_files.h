/* Operations that write a model and read it again. */
#ifndef CNN_TESTS_RANDOM_OPERATIONS_FILES_H
#define CNN_TESTS_RANDOM_OPERATIONS_FILES_H

#include "trial.h"

bool operation_save(case_trial *trial, int32_t argument);          /* and load: the same bits */
bool operation_save_bfloat16(case_trial *trial, int32_t argument); /* weights are rounded, the rest stays */
bool operation_json(case_trial *trial, int32_t argument);          /* the graph as text */
bool operation_onnx(case_trial *trial, int32_t argument);          /* out and in: the same function and shapes */

#endif
