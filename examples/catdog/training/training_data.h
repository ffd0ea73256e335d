/* The photographs of a training: those to train on and those to validate on. */
#ifndef CATDOG_TRAINING_TRAINING_DATA_H
#define CATDOG_TRAINING_TRAINING_DATA_H

#include <cnn/cnn.h>

#include "cli/progress.h"
#include "training/train_options.h"

typedef struct training_data {
    cnn_dataset *training, *validation; /* validation NULL: it is split off by training_data_prepare */
} training_data;

/* Opens what the arguments name without decoding an image, so that a wrong path is reported at once. Not 0 with a
 * sentence printed. */
int training_data_open(cnn_context *context, const train_arguments *arguments, const train_settings *settings,
                       training_data *photographs);

/* Decodes the photographs and leaves out the broken ones, splits off a validation part where there is none, and warns
 * of photographs in two classes or two parts. Not 0 with a sentence printed. */
int training_data_prepare(cnn_context *context, const train_arguments *arguments, const train_settings *settings,
                          progress_line *progress, training_data *photographs);
void training_data_release(training_data *photographs);

#endif
