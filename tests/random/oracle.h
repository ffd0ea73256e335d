/* What a net must predict: each layer by its definition, in double precision, and how far a float may be from it. */
#ifndef CNN_TESTS_RANDOM_ORACLE_H
#define CNN_TESTS_RANDOM_ORACLE_H

#include "runtime/model_internal.h"

/* The value of one image at a node, of `count` numbers, and the error that rounding explains at most. The
 * caller frees both. `largest` is the largest magnitude of any value on the way there. */
typedef struct oracle_value {
    double *values, *errors;
    int64_t count;
    double largest;
} oracle_value;

oracle_value oracle_predict(const cnn_model *model, cnn_node node, const float *image);
void oracle_release(oracle_value *value);

#endif
