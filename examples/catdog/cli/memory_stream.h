/* Closing what open_memstream() opened. */
#ifndef CATDOG_CLI_MEMORY_STREAM_H
#define CATDOG_CLI_MEMORY_STREAM_H

#include <stdbool.h>
#include <stdio.h>

/* Whether `*bytes` has all that was written. Closing takes memory once more; where there is none, glibc reports success
 * and leaves no bytes. */
static inline bool memory_stream_close(FILE *stream, char *const *bytes)
{
    bool lost = ferror(stream);
    return !fclose(stream) && !lost && *bytes;
}

#endif
