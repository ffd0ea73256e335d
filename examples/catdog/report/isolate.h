/* Names of any script in English sentences. */
#ifndef CATDOG_REPORT_ISOLATE_H
#define CATDOG_REPORT_ISOLATE_H

#include <stddef.h>

/* Gives `to`: the name, between marks (U+2068, U+2069) if it may be written from right to left. What stands beside it
 * in a sentence, such as a number, then stays where it is. */
const char *isolate(char *to, size_t size, const char *name);

#endif
