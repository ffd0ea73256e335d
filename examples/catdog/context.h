/* The library's context, as all commands use it. */
#ifndef CATDOG_CONTEXT_H
#define CATDOG_CONTEXT_H

#include <stdint.h>

#include <cnn/cnn.h>

/* Makes a context of `threads` threads (0: all processors), whose warnings go to standard error, each once. Prints the
 * sentence of an error. */
cnn_status context_create(uint64_t threads, cnn_context **context);

#endif
