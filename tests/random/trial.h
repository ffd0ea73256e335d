/* A case while it runs, and what operations share. */
#ifndef CNN_TESTS_RANDOM_TRIAL_H
#define CNN_TESTS_RANDOM_TRIAL_H

#include "operations.h"

struct case_trial {
    const random_case *it;
    cnn_context *context, *single, *plain; /* the case's; one thread of its instruction set; one thread of plain C */
    cnn_model *model;                      /* the case's, as the operations so far have left it */
    cnn_tensor *images;                    /* for it */
    const char *folder;                    /* for files */
    char *why;
    size_t why_size;
};

/* Each of these returns false, or NULL, where the trial has failed, and says why. */
__attribute__((format(printf, 2, 3))) bool trial_fail(case_trial *trial, const char *format, ...);
bool trial_ok(case_trial *trial, cnn_status status, const char *what);

/* The same function in another context. */
cnn_model *trial_clone(case_trial *trial, const cnn_model *model, cnn_context *context);

/* What a model gives for `count` of the trial's images from `first` on. */
cnn_tensor *trial_predict(case_trial *trial, const cnn_model *model, int64_t first, int64_t count);

/* Whether `part` has the bits that `whole` has from image `first` on; `part` is destroyed. */
bool trial_same_bits(case_trial *trial, const char *what, const cnn_tensor *whole, int64_t first, cnn_tensor *part);

/* Predicts with `other`, which is destroyed, and compares with `expected`. */
bool trial_predicts_same_bits(case_trial *trial, const char *what, const cnn_tensor *expected, cnn_model *other);

/* Puts `model` in the place of the trial's, and draws images for it if it takes others. */
bool trial_take_model(case_trial *trial, cnn_model *model);

#endif
