/* What a checkpoint must agree on with the training that resumes it: everything that the final bits depend on. */
#ifndef CNN_TRAIN_FINGERPRINT_H
#define CNN_TRAIN_FINGERPRINT_H

#include <jansson.h>

#include "train/train_settings.h"

/* The caller owns `*fingerprint` (json_decref). */
cnn_status cnn_fingerprint_create(const cnn_model *model, const cnn_dataset *training, const cnn_dataset *validation,
                                  const cnn_train_settings *settings, json_t **fingerprint);

/* CNN_ERROR_ARGUMENT, and a sentence on the first difference, if `stored` is of another training. `earlier`: how many
 * epochs that one had before its own. */
cnn_status cnn_fingerprint_compare(const json_t *own, const json_t *stored, int64_t earlier, const char *path);

#endif
