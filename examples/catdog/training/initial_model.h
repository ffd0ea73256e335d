/* The classifier that a training begins with. */
#ifndef CATDOG_TRAINING_INITIAL_MODEL_H
#define CATDOG_TRAINING_INITIAL_MODEL_H

#include "training/training_data.h"

/* Makes a classifier for the classes of the photographs, from a net or from a pretrained model. Not 0 with a sentence
 * printed. */
int initial_model_create(cnn_context *context, const train_arguments *arguments, const training_data *photographs,
                         cnn_classifier **classifier);

#endif
