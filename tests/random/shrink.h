/* Makes a failing case smaller, as long as it still fails. */
#ifndef CNN_TESTS_RANDOM_SHRINK_H
#define CNN_TESTS_RANDOM_SHRINK_H

#include "runner.h"

/* Tries for at most so many seconds. `why` is that of the smallest case in the end. */
void shrink(const runner_options *options, random_case *failing, int32_t seconds, char *why);

#endif
