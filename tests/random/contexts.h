/* Contexts are made once for each instruction set and number of threads, and kept. */
#ifndef CNN_TESTS_RANDOM_CONTEXTS_H
#define CNN_TESTS_RANDOM_CONTEXTS_H

#include "core/cpu.h"

/* Ends the program if there is no memory. More threads than a context can have: as many as it can. */
cnn_context *contexts_get(cnn_tier tier, int32_t threads);

/* One thread of plain C. */
cnn_context *contexts_plain(void);

/* Destroys those with threads. */
void contexts_release(void);

#endif
