/* Opening datasets, and leaving out their broken files. */
#ifndef CATDOG_DATA_H
#define CATDOG_DATA_H

#include <stdint.h>

#include <cnn/cnn.h>

#include "progress.h"

/* Opens one part of the data at `path`. An error's sentence is printed. The caller owns the dataset. */
cnn_status data_open(cnn_context *context, const char *path, cnn_part part, cnn_dataset **dataset);

/* Opens the test part of the data at `path` if it holds a training and test pair, and says so; else all of it. */
cnn_status data_open_for_testing(cnn_context *context, const char *path, cnn_dataset **dataset);

/* Decodes every image of `dataset`, names each that is broken on standard error, and leaves it out. `skipped` may be
 * NULL. An error's sentence is printed; it is CNN_ERROR_STOPPED when the user interrupts. */
cnn_status data_leave_out_bad(cnn_dataset *dataset, const char *what, progress_line *progress, uint64_t *skipped);

/* Fails, with a sentence printed, unless the dataset that came from `path` has two classes. */
cnn_status data_require_two_classes(const cnn_dataset *dataset, const char *path);

#endif
