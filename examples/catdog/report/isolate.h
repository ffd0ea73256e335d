/* Names of any script in English sentences. */
#ifndef CATDOG_REPORT_ISOLATE_H
#define CATDOG_REPORT_ISOLATE_H

#include <stddef.h>

/* Copies a name to `to`, between isolating marks (U+2068, U+2069) if its script may run from right to left. Text beside
 * it in a sentence, such as a number, then stays in place. Returns `to`. */
const char *isolate(char *to, size_t size, const char *name);

#endif
