/* Operations of several threads, contexts and processes. */
#ifndef CNN_TESTS_RANDOM_OPERATIONS_PARALLEL_H
#define CNN_TESTS_RANDOM_OPERATIONS_PARALLEL_H

#include "trial.h"

bool operation_at_once(case_trial *trial, int32_t argument);  /* threads of the program predict with one model */
bool operation_contexts(case_trial *trial, int32_t argument); /* each in a context of its own */
bool operation_fork(case_trial *trial, int32_t argument);     /* the child predicts what its parent does */

#endif
