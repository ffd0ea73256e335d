/* Opens datasets, and leaves out their broken files. */
#ifndef CATDOG_CLI_DATA_H
#define CATDOG_CLI_DATA_H

#include <stdint.h>
#include <stdio.h>

#include <cnn/cnn.h>

#include "cli/arguments.h"
#include "cli/progress.h"

typedef struct data_options {
    const char *path;
    int trusted; /* by --trust-data */
} data_options;

/* clang-format off */
/* Entries of a command's table of options, for `d`, a data_options; `help` says what the photographs are for. */
#define DATA_OPTIONS(d, help) \
    { "data", "PATH", help ": folder, zip or CSV list", OPTION_TEXT, &(d).path, .needed = 1 }, TRUST_OPTION(d)

#define TRUST_OPTION(d) \
    { "trust-data", NULL, "accept zips and photographs that unpack to far more than their size", \
      OPTION_FLAG, &(d).trusted }
/* clang-format on */

/* Opens one part of the data. Prints the sentence of an error. The caller owns the dataset. */
cnn_status data_open(cnn_context *context, const data_options *data, cnn_part part, cnn_dataset **dataset);

/* How the data that a dataset is part of is divided. */
cnn_dataset_parts data_parts(const cnn_dataset *dataset);

/* Opens photographs whose classes don't matter: those of all folders, or of the training part of divided data. */
cnn_status data_open_unlabelled(cnn_context *context, const data_options *data, cnn_dataset **dataset);

/* Opens the photographs to measure a model on, or to choose or calibrate one with: of divided data the test part, or
 * the validation part where there is none, and the other way round; else everything. Says which part it is. */
cnn_status data_open_for_testing(cnn_context *context, const data_options *data, cnn_dataset **dataset);
cnn_status data_open_for_validation(cnn_context *context, const data_options *data, cnn_dataset **dataset);

/* Decodes every image of `dataset`, reports each broken one on standard error, and leaves it out. `skipped` may be
 * NULL. Prints the sentence of an error, which is CNN_ERROR_STOPPED where the user interrupts. */
cnn_status data_leave_out_bad(cnn_dataset *dataset, const char *what, progress_line *progress, uint64_t *skipped);

/* Puts a dataset's classes in the order of another's or of a classifier's. Prints the sentence of an error. */
cnn_status data_align(cnn_dataset *dataset, const cnn_dataset *like);
cnn_status data_align_to_classifier(cnn_dataset *dataset, const cnn_classifier *classifier);

/* Writes "Cat and Dog", or "Bird, Cat, Dog and 4 more". */
void data_print_classes(FILE *file, const cnn_dataset *dataset);

#endif
