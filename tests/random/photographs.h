/* Photographs for cases: pixels that are drawn, and files that come with the example. */
#ifndef CNN_TESTS_RANDOM_PHOTOGRAPHS_H
#define CNN_TESTS_RANDOM_PHOTOGRAPHS_H

#include "trial.h"

enum { MOST_PHOTOGRAPHS = 24, PHOTOGRAPH_FILES = 4 };

/* A dataset of small pictures of `classes` classes. Its pixels live as long as the process. */
cnn_status photographs_dataset(case_trial *trial, cnn_context *context, int32_t classes, cnn_dataset **dataset);

/* A file, by its number, and its bytes; they live as long as the process. */
const char *photographs_path(int32_t number);
const void *photographs_bytes(int32_t number, size_t *size);

#endif
