/* Gradients of one model beside those of another, which rounds otherwise. */
#ifndef CNN_TESTS_RANDOM_GRADIENTS_H
#define CNN_TESTS_RANDOM_GRADIENTS_H

#include "trial.h"

/* A model before its first step, and what of it is frozen. */
typedef struct gradients_start {
    const cnn_model *model;
    int32_t freeze;
    cnn_precision precision; /* of the step */
} gradients_start;

/* One step as training does it. The gradient by the output is the same for models of one output. */
cnn_status gradients_compute(case_trial *trial, cnn_model *model, uint64_t step, const cnn_tensor **output);

/* Whether each gradient of `model` after a first step, and each running statistic, is what plain C computes from the
 * weights of `start`, as far as rounding allows. How far that is, where it isn't plain to see, is found by changing
 * inputs and weights a little: a ReLU may be just on, a variance be of two values that are nearly equal. */
bool gradients_check(case_trial *trial, const cnn_model *model, const gradients_start *start);

/* Freezes what leads to a layer, the same in each model, if `argument` says so. */
cnn_status gradients_freeze(cnn_model *model, int32_t argument);

#endif
