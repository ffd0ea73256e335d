/* The library's context, as all commands use it. */
#ifndef CATDOG_CLI_CONTEXT_H
#define CATDOG_CLI_CONTEXT_H

#include <stdint.h>

#include <cnn/cnn.h>

/* Makes a context of `threads` threads (0: all processors), whose warnings go to standard error, each once. Prints the
 * sentence of an error. */
cnn_status context_create(uint64_t threads, cnn_context **context);

/* Whether this processor computes in bfloat16; elsewhere that is emulated. */
int context_has_bfloat16(void);

#endif
