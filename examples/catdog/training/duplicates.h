/* Photographs that are there twice, where that spoils a training. */
#ifndef CATDOG_TRAINING_DUPLICATES_H
#define CATDOG_TRAINING_DUPLICATES_H

#include <cnn/cnn.h>

/* Says on standard error how many photographs have two labels. Not 0 with a sentence printed if that can't be told. */
int duplicates_tell_contradictions(const cnn_dataset *dataset);

/* Says how many of `unseen` are among `training`: `what` they are ("photographs to validate on"), and what comes of it.
 */
int duplicates_tell_leak(const cnn_dataset *training, const cnn_dataset *unseen, const char *what,
                         const char *consequence);

#endif
