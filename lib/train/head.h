/* What the classifier needs of cnn_train_head beyond the public function. */
#ifndef CNN_TRAIN_HEAD_H
#define CNN_TRAIN_HEAD_H

#include <cnn/transfer.h>

/* What cnn_train_head is given, as there. */
typedef struct cnn_head_plan {
    const char *layer;
    const cnn_dataset *training, *validation;
    const cnn_train_options *options;
} cnn_head_plan;

/* cnn_train_head, which also fits a temperature to the validation photographs while their features are at hand. NULL,
 * or no validation: it doesn't. */
cnn_status cnn_train_head_calibrated(cnn_model *model, const cnn_head_plan *plan, cnn_history **history,
                                     float *temperature);

#endif
