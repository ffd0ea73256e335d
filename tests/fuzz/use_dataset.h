/* What is done with a dataset from a stranger. */
#ifndef CNN_TESTS_FUZZ_USE_DATASET_H
#define CNN_TESTS_FUZZ_USE_DATASET_H

#include <stdint.h>

/* Opens it, with options and a failing allocation as `choice` has it, reads, decodes and checks files, and splits. */
void fuzz_use_dataset(uint32_t choice, const char *path);

#endif
