/* Operations on datasets and photographs. */
#ifndef CNN_TESTS_RANDOM_OPERATIONS_FIT_H
#define CNN_TESTS_RANDOM_OPERATIONS_FIT_H

#include "trial.h"

/* cnn_train with options of many kinds: on threads, on one, and stopped and resumed, the same bits. */
bool operation_fit(case_trial *trial, int32_t argument);

/* Measures and a temperature, the same on threads and on one. */
bool operation_evaluate(case_trial *trial, int32_t argument);

/* Photographs from files and from memory, many at once and one by one, on threads and on one: the same bits. */
bool operation_classify(case_trial *trial, int32_t argument);

#endif
