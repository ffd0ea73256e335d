/* Operations that make another model of a model. */
#ifndef CNN_TESTS_RANDOM_OPERATIONS_CHANGE_H
#define CNN_TESTS_RANDOM_OPERATIONS_CHANGE_H

#include "trial.h"

bool operation_write(case_trial *trial, int32_t argument);    /* other weights in the same model */
bool operation_cut(case_trial *trial, int32_t argument);      /* after one of its layers */
bool operation_resize(case_trial *trial, int32_t argument);   /* to another height and width */
bool operation_quantize(case_trial *trial, int32_t argument); /* to bytes */
bool operation_explain(case_trial *trial, int32_t argument);  /* a heat map, on threads and on one */

#endif
