/* Opening datasets, and leaving out their broken files. */
#ifndef CATDOG_CLI_DATA_H
#define CATDOG_CLI_DATA_H

#include <stdint.h>
#include <stdio.h>

#include <cnn/cnn.h>

#include "cli/arguments.h"
#include "cli/progress.h"

/* --trust-data: without the limits to what photographs may unpack and decode to. */
extern int data_trusted;

/* Entry of a command's table of options. */
#define DATA_OPTION                                                                                                  \
    {                                                                                                                \
        "trust-data", NULL, "set no limits to what the photographs unpack and decode to", OPTION_FLAG, &data_trusted \
    }

/* After an error: says that --trust-data lifts the limit, if it was one of those. */
void data_tell_remedy(void);

/* Opens one part of the data at `path`. An error's sentence is printed. The caller owns the dataset. */
cnn_status data_open(cnn_context *context, const char *path, cnn_part part, cnn_dataset **dataset);

/* How the data is divided that a dataset is of. */
cnn_dataset_parts data_parts(const cnn_dataset *dataset);

/* Opens what a model is measured on, or what it is chosen or calibrated by. Of data that is divided that is its test
 * part, else its validation part, or the other way round, and it is said which; else it is everything. */
cnn_status data_open_for_testing(cnn_context *context, const char *path, cnn_dataset **dataset);
cnn_status data_open_for_validation(cnn_context *context, const char *path, cnn_dataset **dataset);

/* Decodes every image of `dataset`, names each that is broken on standard error, and leaves it out. `skipped` may be
 * NULL. An error's sentence is printed; it is CNN_ERROR_STOPPED when the user interrupts. */
cnn_status data_leave_out_bad(cnn_dataset *dataset, const char *what, progress_line *progress, uint64_t *skipped);

/* Gives a dataset's classes the order that another's or a classifier's have. An error's sentence is printed. */
cnn_status data_align(cnn_dataset *dataset, const cnn_dataset *like);
cnn_status data_align_to_classifier(cnn_dataset *dataset, const cnn_classifier *classifier);

/* How many classes a classifier tells apart. */
uint32_t data_classifier_classes(const cnn_classifier *classifier);

/* Writes "Cat and Dog", or "Bird, Cat, Dog and 4 more". */
void data_print_classes(FILE *file, const cnn_dataset *dataset);

#endif
