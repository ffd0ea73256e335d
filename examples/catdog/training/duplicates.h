/* Warnings of duplicate photographs that spoil a training. */
#ifndef CATDOG_TRAINING_DUPLICATES_H
#define CATDOG_TRAINING_DUPLICATES_H

#include <cnn/cnn.h>

/* Warns of photographs that have two labels. Not 0 with a sentence printed if they can't be compared. */
int duplicates_warn_of_contradictions(const cnn_dataset *dataset);

/* Warns of photographs of `unseen` that are also in `training`. `what` names those of `unseen` ("validation
 * photographs"), `consequence` says what follows from it. Not 0 with a sentence printed if they can't be compared. */
int duplicates_warn_of_leak(const cnn_dataset *training, const cnn_dataset *unseen, const char *what,
                            const char *consequence);

#endif
