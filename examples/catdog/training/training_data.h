/* What a training begins with: photographs to learn from and to validate on, and an untrained classifier for them. */
#ifndef CATDOG_TRAINING_TRAINING_DATA_H
#define CATDOG_TRAINING_TRAINING_DATA_H

#include <cnn/cnn.h>

#include "cli/progress.h"
#include "training/train_options.h"

typedef struct training_data {
    cnn_dataset *training, *validation; /* the latter NULL until they are prepared, if it is to be split off */
} training_data;

/* Opens what the arguments name, before the first image is decoded, so that a wrong path is told at once; then, leaves
 * out what is broken, and splits off what to validate on if nothing else does, and says
 * what is there twice and must not be. Not 0 with a sentence printed. */
int setup_open(cnn_context *context, const train_arguments *arguments, const train_settings *settings,
               training_data *photographs);
int setup_prepare(cnn_context *context, const train_arguments *arguments, const train_settings *settings,
                  progress_line *progress, training_data *photographs);
void setup_release(training_data *photographs);

/* Makes a classifier for the classes of the photographs, from a net, or from a pretrained model. Not 0 with a sentence
 * printed. */
int setup_create_classifier(cnn_context *context, const train_arguments *arguments, const training_data *photographs,
                            cnn_classifier **classifier);

#endif
